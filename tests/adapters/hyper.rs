//! hyper, by `sse-http`.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use sse_http::{
    BoxError, Error, EventStreamBody, ListenerOptions, SseError, SseRequest, listener_with,
    stream_events, stream_events_resolved,
};

use crate::suite::app::{Answer, App, Call, LONGEST_BODY, Method};
use crate::suite::chunks::EVENT_STREAM;
use crate::suite::server::Ready;

type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Serves the app until its shutdown.
#[tokio::main]
pub async fn serve(app: App, address: SocketAddr, ready: Ready) -> io::Result<()> {
    let options = ListenerOptions::new().stalled(app.options.stalled);
    let listener = listener_with(address, options)?;
    ready(listener.local_addr()?);
    let (shutdown, grace) = (app.shutdown.clone(), app.options.grace);
    let connections = GracefulShutdown::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            () = shutdown.begun() => break,
        };
        let app = app.clone();
        let service = service_fn(move |request| answer(app.clone(), request));
        let server = Builder::new(TokioExecutor::new());
        let connection = server.serve_connection(TokioIo::new(socket), service).into_owned();
        tokio::spawn(connections.watch(connection));
    }
    tokio::select! {
        () = connections.shutdown() => {}
        () = shutdown.grace_over(grace) => {}
    }
    Ok(())
}

async fn answer(app: App, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let name = request.uri().path().trim_start_matches('/').to_owned();
    Ok(match *request.method() {
        http::Method::GET | http::Method::HEAD => get(&app, &name, &request).await,
        http::Method::POST => post(&app, &name, request).await,
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, String::new()),
    })
}

async fn get(app: &App, name: &str, request: &Request<Incoming>) -> Response<Body> {
    let user = request.headers().get("x-user").and_then(|user| user.to_str().ok());
    let (user, query) = (user.map(str::to_owned), request.uri().query().map(str::to_owned));
    match app.call(Method::Get, name, Call { user, query, ..Call::default() }).await {
        Answer::Stream(feed) => {
            let response: Response<EventStreamBody> =
                stream_events(SseRequest::from(request), feed).into();
            response.map(|body| body.map_err(BoxError::from).boxed_unsync())
        }
        Answer::Resolved(feed) => {
            let response: Response<EventStreamBody> =
                stream_events_resolved(SseRequest::from(request), feed).await.into();
            response.map(|body| body.map_err(BoxError::from).boxed_unsync())
        }
        Answer::Chunks(chunks) => {
            let body = StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data)));
            let mut response = Response::new(body.map_err(BoxError::from).boxed_unsync());
            let event_stream = http::HeaderValue::from_static(EVENT_STREAM);
            response.headers_mut().insert(CONTENT_TYPE, event_stream);
            response
        }
        Answer::Text(status, text) => plain(valid(status), text),
        Answer::Error(error) => refused(error),
    }
}

async fn post(app: &App, name: &str, request: Request<Incoming>) -> Response<Body> {
    let query = request.uri().query().map(str::to_owned);
    let Ok(body) = Limited::new(request.into_body(), LONGEST_BODY).collect().await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, String::new());
    };
    let Ok(body) = String::from_utf8(body.to_bytes().into()) else {
        return plain(StatusCode::BAD_REQUEST, String::new());
    };
    match app.call(Method::Post, name, Call { query, body, ..Call::default() }).await {
        Answer::Text(status, text) => plain(valid(status), text),
        Answer::Error(error) => refused(error),
        Answer::Stream(_) | Answer::Resolved(_) | Answer::Chunks(_) => {
            plain(StatusCode::NOT_FOUND, String::new())
        }
    }
}

fn refused(error: Error) -> Response<Body> {
    let never = |never: Infallible| match never {};
    Response::<Full<Bytes>>::from(SseError(error)).map(|body| body.map_err(never).boxed_unsync())
}

fn valid(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("routes answer valid statuses")
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response
}
