//! A user's own stream behind sign-in, with axum and tower-http.
#![forbid(unsafe_code)]

use std::future::ready;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header::COOKIE, header::SET_COOKIE};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use notifications::{Accounts, Session};
use serde::Deserialize;
use sse_axum::{Sse, SseRequest, listener, stream_events};
use tower_http::auth::AsyncRequireAuthorizationLayer;

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct Note {
    to: String,
    text: String,
}

async fn events(Extension(session): Extension<Session>, request: SseRequest) -> Sse {
    stream_events(request, session.feed())
}

async fn sign_in(State(accounts): State<Accounts>, Form(who): Form<SignIn>) -> impl IntoResponse {
    let token = accounts.sign_in(&who.name, &who.password).ok_or(StatusCode::UNAUTHORIZED)?;
    // Over HTTPS also `Secure`.
    let cookie = format!("session={token}; HttpOnly; SameSite=Strict; Path=/");
    Ok::<_, StatusCode>((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}

async fn me(Extension(session): Extension<Session>) -> &'static str {
    session.user
}

async fn notify(Extension(session): Extension<Session>, Form(note): Form<Note>) -> StatusCode {
    match session.notify(&note.to, &note.text).await {
        Ok(true) => StatusCode::NO_CONTENT,
        Ok(false) => StatusCode::NOT_FOUND,
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

async fn sign_out(Extension(session): Extension<Session>) -> StatusCode {
    session.revoke_all();
    StatusCode::NO_CONTENT
}

/// Puts its session into the request, if it has one.
fn authorize(accounts: &Accounts, mut request: Request) -> Option<Request> {
    let cookies = request.headers().get(COOKIE)?.to_str().ok()?;
    let token = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))?;
    let session = accounts.session(token)?;
    request.extensions_mut().insert(session);
    Some(request)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let accounts = Accounts::default();
    let stop = accounts.shutdown().begin_after(tokio::signal::ctrl_c());
    let known = accounts.clone();
    let authorization = AsyncRequireAuthorizationLayer::new(move |request| {
        let refusal = || StatusCode::UNAUTHORIZED.into_response();
        ready(authorize(&known, request).ok_or_else(refusal))
    });
    let routes = Router::new()
        .route("/events", get(events))
        .route("/me", get(me))
        .route("/notify", post(notify))
        .route("/sign-out", post(sign_out))
        .layer(authorization)
        .route("/sign-in", post(sign_in)) // everyone reaches the routes that come after the layer
        .route("/", get(Html(notifications::page())));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(accounts)).with_graceful_shutdown(stop).await
}
