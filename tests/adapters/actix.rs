//! actix-web.

use std::io;
use std::net::SocketAddr;

use actix_web::body::BodyStream;
use actix_web::http::StatusCode;
use actix_web::middleware::{Compress, Condition};
use actix_web::web::{self, Data, Path, PayloadConfig};
use actix_web::{HttpRequest, HttpResponse, HttpServer, Responder, ResponseError};
use sse_actix::{
    ListenerOptions, SseError, SseRequest, listener_with, stream_events, stream_events_resolved,
};

use crate::suite::app::{Answer, App, Call, LONGEST_BODY, Method};
use crate::suite::chunks::EVENT_STREAM;
use crate::suite::server::Ready;

/// Serves the app until its shutdown.
#[actix_web::main]
pub async fn serve(app: App, address: SocketAddr, ready: Ready) -> io::Result<()> {
    let options = ListenerOptions::new().stalled(app.options.stalled);
    let listener = listener_with(address, options)?;
    ready(listener.local_addr()?);
    let (shutdown, begun) = (app.shutdown.clone(), app.shutdown.clone());
    let (grace, compresses) = (app.options.grace, app.options.compresses);
    let factory = move || {
        actix_web::App::new()
            .app_data(Data::new(app.clone()))
            .app_data(PayloadConfig::new(LONGEST_BODY))
            .wrap(Condition::new(compresses, Compress::default()))
            .service(web::resource("/{name:.*}").get(get).head(get).post(post))
    };
    let server = HttpServer::new(factory)
        .workers(2)
        .h1_allow_half_closed(false) // a client that leaves is noticed at once
        .shutdown_signal(async move { begun.begun().await })
        .listen_auto_h2c(listener)?
        .run();
    tokio::select! {
        result = server => result,
        () = shutdown.grace_over(grace) => Ok(()),
    }
}

async fn get(
    app: Data<App>,
    name: Path<String>,
    http: HttpRequest,
    request: SseRequest,
) -> HttpResponse {
    let user = http.headers().get("x-user").and_then(|user| user.to_str().ok()).map(str::to_owned);
    let query = http.uri().query().map(str::to_owned);
    match app.call(Method::Get, &name, Call { user, query, ..Call::default() }).await {
        Answer::Stream(feed) => stream_events(request, feed).respond_to(&http),
        Answer::Resolved(feed) => stream_events_resolved(request, feed).await.respond_to(&http),
        Answer::Chunks(chunks) => {
            HttpResponse::Ok().content_type(EVENT_STREAM).body(BodyStream::new(chunks))
        }
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => SseError(error).error_response(),
    }
}

async fn post(app: Data<App>, name: Path<String>, http: HttpRequest, body: String) -> HttpResponse {
    let query = http.uri().query().map(str::to_owned);
    match app.call(Method::Post, &name, Call { query, body, ..Call::default() }).await {
        Answer::Text(status, text) => plain(status, text),
        Answer::Error(error) => SseError(error).error_response(),
        Answer::Stream(_) | Answer::Resolved(_) | Answer::Chunks(_) => {
            HttpResponse::NotFound().finish()
        }
    }
}

fn plain(status: u16, text: String) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).expect("routes answer valid statuses"))
        .body(text)
}
