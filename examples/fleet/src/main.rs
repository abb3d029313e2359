//! Processes that share one log, behind one proxy. A client gets every message once, and in the same order, from any of them. Kill any.
//!
//!     LOG=redis://127.0.0.1/ LISTEN=127.0.0.1:3001 cargo run -p fleet
//!
//! The log is in NATS if `LOG` is `nats://127.0.0.1`.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use serde_json::json;
use sse_axum::{Error, Event, EventLog, OnGap, SseRequest, Start, listener, stream_events};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Clone)]
struct App {
    log: EventLog,
    /// The address of this process, by which the page tells the processes apart.
    name: String,
}

/// Streams the messages, after an event that tells the page which process it is connected to.
async fn events(State(app): State<App>, request: SseRequest) -> Response {
    let feed = app.log.feed().start_at(Start::Last(50)).on_gap(OnGap::StartOver);
    let response = stream_events(request, feed.retry(Duration::from_millis(500))).into_response();
    if response.status() != StatusCode::OK {
        return response; // it has no body
    }
    let process = Bytes::from(format!("event: process\ndata: {}\n\n", app.name));
    response
        .map(|body| Body::from_stream(stream::iter([Ok(process)]).chain(body.into_data_stream())))
}

/// Appends a message. `key` names it: a client that got no answer can send it again, here or to another process, and it is stored once.
async fn say(
    State(app): State<App>,
    Query(query): Query<HashMap<String, String>>,
    text: String,
) -> Result<String, StatusCode> {
    let key = query.get("key").ok_or(StatusCode::BAD_REQUEST)?;
    let event = Event::json(&json!({ "text": text, "by": app.name }));
    let event = event.and_then(|event| event.idempotency_key(key));
    match app.log.append(event.map_err(|_| StatusCode::BAD_REQUEST)?).await {
        Ok(id) => Ok(id.to_string()),
        // Until the store is back.
        Err(error) if error.is_store() => Err(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

async fn open(url: &str) -> Result<EventLog, Error> {
    if url.starts_with("nats:") {
        return sse_log_nats::open(url, "fleet").await;
    }
    sse_log_redis::open(url, "fleet").await
}

/// Ready at SIGTERM, by which systemd, Docker and Kubernetes end a program, or at Ctrl-C.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut sigterm = signal(SignalKind::terminate())?; // from here on it does not end the process
    Ok(async move {
        tokio::select! {
            _ = sigterm.recv() => {}
            _ = ctrl_c() => {}
        }
    })
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt::init(); // shows what the library warns of, such as a store that is away
    let url = std::env::var("LOG").unwrap_or_else(|_| "redis://127.0.0.1/".into());
    let log = open(&url).await?;
    let listener = listener(look::address())?;
    let name = listener.local_addr()?.to_string();
    println!("open http://{name}");
    let stop = log.shutdown().begin_after(stop_signal()?);
    let app = Router::new()
        .route("/", get(Html(look::page(include_str!("index.html")))))
        .route("/events", get(events))
        .route("/say", post(say))
        .with_state(App { log, name });
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}
