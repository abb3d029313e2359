//! salvo, by `sse-http`.

use std::io;
use std::net::SocketAddr;

use salvo::conn::tcp::TcpAcceptor;
use salvo::http::{Method as HttpMethod, ResBody};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, Router, Server};
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
    let server = Server::new(TcpAcceptor::try_from(listener)?);
    let handle = server.handle();
    tokio::spawn(async move {
        begun.begun().await;
        handle.stop_graceful(None);
    });
    tokio::select! {
        result = server.try_serve(Router::with_path("{**name}").goal(Routes(app))) => result,
        () = shutdown.grace_over(grace) => Ok(()),
    }
}

struct Routes(App);

#[salvo::async_trait]
impl Handler for Routes {
    async fn handle(
        &self,
        request: &mut Request,
        _: &mut Depot,
        response: &mut Response,
        _: &mut FlowCtrl,
    ) {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        match *request.method() {
            HttpMethod::GET | HttpMethod::HEAD => get(&self.0, &name, request, response).await,
            HttpMethod::POST => post(&self.0, &name, request, response).await,
            _ => plain(405, String::new(), response),
        }
    }
}

async fn get(app: &App, name: &str, request: &Request, response: &mut Response) {
    let (user, query) = (request.header("x-user"), request.uri().query().map(str::to_owned));
    match app.call(Method::Get, name, Call { user, query, ..Call::default() }).await {
        Answer::Stream(feed) => {
            let request = SseRequest::new(request.method(), request.uri(), request.headers());
            let stream: http::Response<EventStreamBody> = stream_events(request, feed).into();
            response.merge_hyper(stream.map(|body| ResBody::stream(body.0)));
        }
        Answer::Resolved(feed) => {
            let request = SseRequest::new(request.method(), request.uri(), request.headers());
            let stream = stream_events_resolved(request, feed).await;
            let stream: http::Response<EventStreamBody> = stream.into();
            response.merge_hyper(stream.map(|body| ResBody::stream(body.0)));
        }
        Answer::Chunks(chunks) => {
            response.headers_mut().insert("content-type", EVENT_STREAM.parse().expect("valid"));
            response.stream(chunks);
        }
        Answer::Text(status, text) => plain(status, text, response),
        Answer::Error(error) => refused(error, response),
    }
}

async fn post(app: &App, name: &str, request: &mut Request, response: &mut Response) {
    let query = request.uri().query().map(str::to_owned);
    let Ok(body) = request.payload_with_max_size(LONGEST_BODY).await else {
        return plain(413, String::new(), response);
    };
    let Ok(body) = String::from_utf8(body.to_vec()) else {
        return plain(400, String::new(), response);
    };
    match app.call(Method::Post, name, Call { query, body, ..Call::default() }).await {
        Answer::Text(status, text) => plain(status, text, response),
        Answer::Error(error) => refused(error, response),
        Answer::Stream(_) | Answer::Resolved(_) | Answer::Chunks(_) => {
            plain(404, String::new(), response)
        }
    }
}

fn refused(error: Error, response: &mut Response) {
    response.merge_hyper(http::Response::<ResBody>::from(SseError(error)));
}

fn plain(status: u16, text: String, response: &mut Response) {
    let status = http::StatusCode::from_u16(status).expect("routes answer valid statuses");
    response.status_code(status).body(text);
}
