//! Rocket.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use futures_util::TryStreamExt;
use rocket::config::{Config, Ident, LogLevel, Shutdown};
use rocket::data::{Limits, ToByteUnit};
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{self, Responder, Response};
use rocket::{State, get, post, routes};
use sse_rocket::{Sse, SseError, SseRequest, stream_events, stream_events_resolved};
use tokio_util::io::StreamReader;

use crate::suite::app::{Answer, App, Call, LONGEST_BODY, Method};
use crate::suite::chunks::{Chunks, EVENT_STREAM};
use crate::suite::server::Ready;

/// Serves the app until its shutdown.
pub fn serve(app: App, address: SocketAddr, ready: Ready) -> io::Result<()> {
    rocket::execute(run(app, address, ready)).map_err(|error| io::Error::other(error.to_string()))
}

async fn run(app: App, address: SocketAddr, ready: Ready) -> Result<(), rocket::Error> {
    let config = Config {
        address: address.ip(),
        port: address.port(),
        ident: Ident::none(),
        limits: Limits::default().limit("string", LONGEST_BODY.bytes()),
        log_level: LogLevel::Off,
        // With no mercy it takes a connection that it has just closed for one that it could not close.
        shutdown: Shutdown { ctrlc: false, grace: 1, mercy: 1, ..Shutdown::default() },
        ..Config::default()
    };
    let (shutdown, begun) = (app.shutdown.clone(), app.shutdown.clone());
    let grace = app.options.grace;
    let liftoff = AdHoc::on_liftoff("address", move |rocket| {
        ready(SocketAddr::new(rocket.config().address, rocket.config().port));
        let stop = rocket.shutdown();
        rocket::tokio::spawn(async move {
            begun.begun().await;
            stop.notify();
        });
        Box::pin(async {})
    });
    let rocket = rocket::custom(config).manage(app).mount("/", routes![get, post]).attach(liftoff);
    // Its own wait for a client that stalls is its grace, its mercy and up to 1.5 s more.
    rocket::tokio::select! {
        result = rocket.launch() => result.map(drop),
        () = shutdown.grace_over(grace) => Ok(()),
    }
}

struct User(Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self(request.headers().get_one("x-user").map(str::to_owned)))
    }
}

struct Query(Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Query {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self(request.uri().query().map(|query| query.to_string())))
    }
}

#[derive(Responder)]
enum Reply {
    Stream(Box<Sse>),
    Plain(Plain),
    Text((Status, String)),
    Error(SseError),
}

/// Rocket's bodies are readers. One of chunks is made as its own `ByteStream` makes one, but for the size of what is read at
/// once, which is the adapter's.
struct Plain(Chunks);

impl<'r> Responder<'r, 'static> for Plain {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let body = StreamReader::new(self.0.map_err(|never| -> io::Error { match never {} }));
        let mut response = Response::build();
        response.raw_header("content-type", EVENT_STREAM);
        response.streamed_body(body).max_chunk_size(16 * 1024).ok()
    }
}

#[get("/<name..>")]
async fn get(
    app: &State<App>,
    name: PathBuf,
    user: User,
    query: Query,
    request: SseRequest,
) -> Reply {
    match app
        .call(
            Method::Get,
            &name.to_string_lossy(),
            Call { user: user.0, query: query.0, ..Call::default() },
        )
        .await
    {
        Answer::Stream(feed) => Reply::Stream(Box::new(stream_events(request, feed))),
        Answer::Resolved(feed) => {
            Reply::Stream(Box::new(stream_events_resolved(request, feed).await))
        }
        Answer::Chunks(chunks) => Reply::Plain(Plain(chunks)),
        Answer::Text(status, text) => Reply::Text((Status::new(status), text)),
        Answer::Error(error) => Reply::Error(SseError(error)),
    }
}

#[post("/<name..>", data = "<body>")]
async fn post(app: &State<App>, name: PathBuf, query: Query, body: String) -> Reply {
    let call = Call { query: query.0, body, ..Call::default() };
    match app.call(Method::Post, &name.to_string_lossy(), call).await {
        Answer::Text(status, text) => Reply::Text((Status::new(status), text)),
        Answer::Error(error) => Reply::Error(SseError(error)),
        Answer::Stream(_) | Answer::Resolved(_) | Answer::Chunks(_) => {
            Reply::Text((Status::NotFound, String::new()))
        }
    }
}
