//! poem, by `sse-http`.

use std::io;
use std::net::SocketAddr;

use futures_util::TryStreamExt;
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::web::{Data, Path};
use poem::{Body, EndpointExt, Request, Response, Route, Server, handler};
use sse_http::{
    Error, EventStreamBody, ListenerOptions, SseError, SseRequest, listener_with, stream_events,
    stream_events_resolved,
};

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
    let grace = app.options.grace;
    let route = Route::new().at("/*name", poem::get(get).head(get).post(post)).data(app);
    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?);
    tokio::select! {
        result = server.run_with_graceful_shutdown(route, async move { begun.begun().await }, None) => result,
        () = shutdown.grace_over(grace) => Ok(()),
    }
}

#[handler]
async fn get(Data(app): Data<&App>, Path(name): Path<String>, request: &Request) -> Response {
    let (user, query) = (request.header("x-user").map(str::to_owned), request.uri().query());
    let call = Call { user, query: query.map(str::to_owned), ..Call::default() };
    match app.call(Method::Get, &name, call).await {
        Answer::Stream(feed) => {
            let request = SseRequest::new(request.method(), request.uri(), request.headers());
            http::Response::<EventStreamBody>::from(stream_events(request, feed)).into()
        }
        Answer::Resolved(feed) => {
            let request = SseRequest::new(request.method(), request.uri(), request.headers());
            let response = stream_events_resolved(request, feed).await;
            http::Response::<EventStreamBody>::from(response).into()
        }
        Answer::Chunks(chunks) => {
            let chunks = chunks.map_err(|never| -> io::Error { match never {} });
            Response::builder().content_type(EVENT_STREAM).body(Body::from_bytes_stream(chunks))
        }
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => refused(error),
    }
}

#[handler]
async fn post(
    Data(app): Data<&App>,
    Path(name): Path<String>,
    request: &Request,
    body: Body,
) -> Response {
    let query = request.uri().query().map(str::to_owned);
    let Ok(body) = body.into_bytes_limit(LONGEST_BODY).await else {
        return plain(413, String::new());
    };
    let Ok(body) = String::from_utf8(body.into()) else {
        return plain(400, String::new());
    };
    match app.call(Method::Post, &name, Call { query, body, ..Call::default() }).await {
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => refused(error),
        Answer::Stream(_) | Answer::Resolved(_) | Answer::Chunks(_) => plain(404, String::new()),
    }
}

fn refused(error: Error) -> Response {
    let (head, text) = http::Response::<String>::from(SseError(error)).into_parts();
    let mut response = Response::builder().status(head.status).body(text);
    *response.headers_mut() = head.headers;
    response
}

fn plain(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).expect("routes answer valid statuses");
    Response::builder().status(status).body(text)
}
