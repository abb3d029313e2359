//! warp.

use std::io;
use std::net::SocketAddr;

use sse_warp::{
    ListenerOptions, SseError, SseRequest, listener_with, sse_request, stream_events,
    stream_events_resolved,
};
use warp::Filter;
use warp::http::StatusCode;
use warp::http::header::CONTENT_TYPE;
use warp::path::Tail;
use warp::reply::{Reply, Response};

use crate::suite::app::{Answer, App, Call, Method};
use crate::suite::chunks::EVENT_STREAM;
use crate::suite::server::Ready;

/// Serves the app until its shutdown.
#[tokio::main]
pub async fn serve(app: App, address: SocketAddr, ready: Ready) -> io::Result<()> {
    let options = ListenerOptions::new().stalled(app.options.stalled);
    let listener = listener_with(address, options)?;
    ready(listener.local_addr()?);
    let (shutdown, begun) = (app.shutdown.clone(), app.shutdown.clone());
    let grace = app.options.grace;
    let app = warp::any().map(move || app.clone());
    let reading = warp::get().or(warp::head()).unify();
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();
    let user = warp::header::optional("x-user");
    let get = app
        .clone()
        .and(reading)
        .and(warp::path::tail())
        .and(query)
        .and(user)
        .and(sse_request())
        .then(get);
    // warp would limit a body by its stated length, which an empty one need not have.
    let post = app
        .and(warp::post())
        .and(warp::path::tail())
        .and(query)
        .and(warp::body::bytes())
        .then(post);
    let server = warp::serve(get.or(post))
        .incoming(listener)
        .graceful(async move { begun.begun().await })
        .run();
    tokio::select! {
        () = server => Ok(()),
        () = shutdown.grace_over(grace) => Ok(()),
    }
}

async fn get(
    app: App,
    name: Tail,
    query: Option<String>,
    user: Option<String>,
    request: SseRequest,
) -> Response {
    match app.call(Method::Get, name.as_str(), Call { user, query, ..Call::default() }).await {
        Answer::Stream(feed) => stream_events(request, feed).into_response(),
        Answer::Resolved(feed) => stream_events_resolved(request, feed).await.into_response(),
        Answer::Chunks(chunks) => {
            let body = warp::reply::stream(chunks);
            warp::reply::with_header(body, CONTENT_TYPE, EVENT_STREAM).into_response()
        }
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => SseError(error).into_response(),
    }
}

async fn post(app: App, name: Tail, query: Option<String>, body: bytes::Bytes) -> Response {
    let Ok(body) = String::from_utf8(body.into()) else {
        return plain(400, "the body is not UTF-8".into());
    };
    match app.call(Method::Post, name.as_str(), Call { query, body, ..Call::default() }).await {
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => SseError(error).into_response(),
        Answer::Stream(_) | Answer::Resolved(_) | Answer::Chunks(_) => {
            StatusCode::NOT_FOUND.into_response()
        }
    }
}

fn plain(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).expect("routes answer valid statuses");
    warp::reply::with_status(text, status).into_response()
}
