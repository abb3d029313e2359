//! axum.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing;
use sse_axum::{
    ListenerOptions, SseError, SseRequest, listener_with, stream_events, stream_events_resolved,
};
use tower_http::compression::CompressionLayer;

use crate::suite::app::{Answer, App, Call, LONGEST_BODY, Method};
use crate::suite::chunks::EVENT_STREAM;
use crate::suite::server::Ready;

/// Serves the app until its shutdown.
#[tokio::main]
pub async fn serve(app: App, address: SocketAddr, ready: Ready) -> io::Result<()> {
    let options = ListenerOptions::new().stalled(app.options.stalled);
    let listener = listener_with(address, options)?;
    ready(listener.local_addr()?);
    let (shutdown, begun) = (app.shutdown.clone(), app.shutdown.clone());
    let (grace, compresses) = (app.options.grace, app.options.compresses);
    let limit = DefaultBodyLimit::max(LONGEST_BODY);
    let route = routing::get(get).post(post).layer(limit);
    let mut router = Router::new().route("/{*name}", route).with_state(app);
    if compresses {
        router = router.layer(CompressionLayer::new());
    }
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { begun.begun().await });
    tokio::select! {
        result = server => result,
        () = shutdown.grace_over(grace) => Ok(()),
    }
}

async fn get(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    request: SseRequest,
) -> Response {
    let user = headers.get("x-user").and_then(|user| user.to_str().ok()).map(str::to_owned);
    match app.call(Method::Get, &name, Call { user, query, ..Call::default() }).await {
        Answer::Stream(feed) => stream_events(request, feed).into_response(),
        Answer::Resolved(feed) => stream_events_resolved(request, feed).await.into_response(),
        Answer::Chunks(chunks) => {
            ([(CONTENT_TYPE, EVENT_STREAM)], Body::from_stream(chunks)).into_response()
        }
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => SseError(error).into_response(),
    }
}

async fn post(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    body: String,
) -> Response {
    match app.call(Method::Post, &name, Call { query, body, ..Call::default() }).await {
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => SseError(error).into_response(),
        Answer::Stream(_) | Answer::Resolved(_) | Answer::Chunks(_) => {
            StatusCode::NOT_FOUND.into_response()
        }
    }
}

fn plain(status: u16, text: String) -> Response {
    (StatusCode::from_u16(status).expect("routes answer valid statuses"), text).into_response()
}
