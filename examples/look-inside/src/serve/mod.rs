//! A page on loopback that shows the logs of an engine, and appends by hand.
//!
//! Other pages in the same browser must not use it: a request is answered only if its `Host` is this server, so that a name which leads
//! here from elsewhere is refused, and a POST must have the token that was printed.

mod events;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sse_axum::{Sse, SseRequest, listener, stream_events};
use sse_core::{Epoch, Event, NewEvent, StreamContext};

use crate::Result;
use crate::stores::Engine;
use state::{App, log_state};

/// Allows the page its own style and script, and requests to this server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The header with the token.
const TOKEN: &str = "x-token";
/// The most bytes of an event that is appended by hand.
const LARGEST: usize = 1024 * 1024;

/// Serves until Ctrl-C.
pub(crate) async fn serve(url: &str, may_write: bool) -> Result<()> {
    let engine = Engine::connect(url).await?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into()).parse::<u16>()?;
    let listener = listener(SocketAddr::from(([127, 0, 0, 1], port)))?;
    let address = listener.local_addr()?;
    let token = format!("{}{}", Epoch::random()?, Epoch::random()?); // 124 bits of the system's
    println!("open http://{address}");
    match may_write {
        true => println!("token: {token}"),
        false => println!("read-only: start it with --write to append"),
    }
    let app = Arc::new(App { engine, address, token: may_write.then_some(token) });
    let routes = Router::new()
        .route("/", get(page))
        .route("/logs", get(logs))
        .route("/logs/{name}", get(log))
        .route("/logs/{name}/events", get(events))
        .route("/logs/{name}/append", post(append))
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app.clone());
    tokio::select! {
        served = axum::serve(listener, routes) => Ok(served?),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Refuses a request for another host, and a POST without the token.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let port = app.address.port();
    if host != Some(&app.address.to_string()) && host != Some(&format!("localhost:{port}")) {
        return (StatusCode::MISDIRECTED_REQUEST, "this server has another name").into_response();
    }
    if !request.method().is_safe() && !has_token(&app, headers) {
        let why = "read-only, or the token is missing that was printed at the start";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

fn has_token(app: &App, headers: &HeaderMap) -> bool {
    let sent = headers.get(TOKEN).map(|token| token.as_bytes());
    app.token.as_deref().is_some_and(|token| sent == Some(token.as_bytes()))
}

async fn page(State(app): State<Arc<App>>) -> impl IntoResponse {
    let html = look::page(include_str!("page.html"));
    let mode = if app.token.is_some() { "write" } else { "read" };
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html.replacen("MODE", mode, 1)))
}

async fn logs(State(app): State<Arc<App>>) -> Answer {
    let mut logs = Vec::new();
    for name in app.engine.names().await.map_err(refused)? {
        logs.push(log_state(&app, &name, 0).await.map_err(refused)?);
    }
    Ok(Json(json!(logs)))
}

async fn log(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer {
    app.known(&name).await?;
    Ok(Json(log_state(&app, &name, state::COUNTED).await.map_err(refused)?))
}

async fn events(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: SseRequest,
) -> std::result::Result<Sse, Refusal> {
    app.known(&name).await?;
    let store = app.engine.store(&name).await.map_err(refused)?;
    Ok(stream_events(request, StreamContext::run(|client| events::send(store, client))))
}

async fn append(State(app): State<Arc<App>>, Path(name): Path<String>, text: String) -> Answer {
    app.known(&name).await?;
    let store = app.engine.store(&name).await.map_err(refused)?;
    let event = NewEvent::from(Event::new(text)).encode(LARGEST);
    let event = event.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let stored = store.append(&[event]).await.map_err(|error| refused(error.into()))?;
    Ok(Json(json!({ "id": stored.positions[0].id(stored.epoch).as_str() })))
}

type Refusal = (StatusCode, String);
type Answer = std::result::Result<Json<Value>, Refusal>;

/// The engine does not do it.
fn refused(error: Box<dyn std::error::Error>) -> Refusal {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}
