//! A server whose instructions and calls are counted: it publishes each line of its standard input, and ends with it.

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use sse_core::{Event, EventLog};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};

/// The server.
#[derive(Debug, Clone, Args)]
pub struct Serving {
    server: Server,
}

/// What serves.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Server {
    /// A log, mounted on axum.
    Axum,
    /// A log, mounted on actix-web.
    Actix,
    /// A log, mounted on warp.
    Warp,
    /// A log, mounted on Rocket.
    Rocket,
    /// A task for each client, which sends an encoded chunk.
    Raw,
}

impl Server {
    /// The frameworks.
    pub const FRAMEWORKS: [Self; 4] = [Self::Axum, Self::Actix, Self::Warp, Self::Rocket];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Serves until the standard input ends.
///
/// # Errors
///
/// If it cannot listen.
pub fn serve(serving: &Serving) -> io::Result<()> {
    let (lines, published) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    let log = EventLog::in_memory(1000);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    match serving.server {
        Server::Axum => runtime()?.block_on(axum(log, published)),
        Server::Actix => actix_web::rt::System::new().block_on(actix(log, published)),
        Server::Warp => runtime()?.block_on(warp(log, published)),
        Server::Rocket => runtime()?.block_on(rocket(log, published)),
        Server::Raw => runtime()?.block_on(raw(published)),
    }
}

fn data(line: &str) -> String {
    format!("{}end of {line}", "x".repeat(117))
}

/// Says where the server listens, and has a task append what is published.
fn begin(address: SocketAddr, log: EventLog, mut published: mpsc::Receiver<String>) {
    tell(address);
    tokio::spawn(async move {
        while let Some(line) = published.recv().await {
            log.append(Event::new(data(&line))).await.expect("a short event in memory");
        }
    });
}

async fn axum(log: EventLog, published: mpsc::Receiver<String>) -> io::Result<()> {
    use axum::{Router, extract::State, routing::get};
    use sse_axum::{Sse, SseRequest, listener, stream_events};

    async fn events(State(log): State<EventLog>, request: SseRequest) -> Sse {
        stream_events(request, log)
    }
    let app = Router::new().route("/", get(events)).with_state(log.clone());
    let listener = listener("127.0.0.1:0")?;
    begin(listener.local_addr()?, log, published);
    axum::serve(listener, app).await
}

async fn actix(log: EventLog, published: mpsc::Receiver<String>) -> io::Result<()> {
    use actix_web::{App, HttpServer, web};
    use sse_actix::{Sse, SseRequest, listener, stream_events};

    async fn events(log: web::Data<EventLog>, request: SseRequest) -> Sse {
        stream_events(request, &**log)
    }
    let data = web::Data::new(log.clone());
    let app = move || App::new().app_data(data.clone()).route("/", web::get().to(events));
    let listener = listener("127.0.0.1:0")?;
    begin(listener.local_addr()?, log, published);
    HttpServer::new(app).workers(1).h1_allow_half_closed(false).listen(listener)?.run().await
}

async fn warp(log: EventLog, published: mpsc::Receiver<String>) -> io::Result<()> {
    use sse_warp::{listener, sse_request, stream_events};
    use warp::Filter;

    let streams = log.clone();
    let events = sse_request().map(move |request| stream_events(request, &streams));
    let listener = listener("127.0.0.1:0")?;
    begin(listener.local_addr()?, log, published);
    warp::serve(events).incoming(listener).run().await;
    Ok(())
}

async fn rocket(log: EventLog, published: mpsc::Receiver<String>) -> io::Result<()> {
    use rocket::config::{Config, LogLevel};
    use rocket::{State, fairing::AdHoc, get, routes};
    use sse_rocket::{Sse, SseRequest, stream_events};

    #[get("/")]
    fn events(log: &State<EventLog>, request: SseRequest) -> Sse {
        stream_events(request, log.inner())
    }
    let streams = log.clone();
    let given = std::sync::Mutex::new(Some((log, published)));
    let liftoff = AdHoc::on_liftoff("address", move |rocket| {
        let address = SocketAddr::new(rocket.config().address, rocket.config().port);
        if let Some((log, published)) = given.lock().expect("it launches once").take() {
            begin(address, log, published);
        }
        Box::pin(async {})
    });
    let config = Config { port: 0, log_level: LogLevel::Off, ..Config::default() };
    let app = rocket::custom(config).manage(streams).mount("/", routes![events]).attach(liftoff);
    app.launch().await.map(drop).map_err(|error| io::Error::other(error.to_string()))
}

async fn raw(mut published: mpsc::Receiver<String>) -> io::Result<()> {
    let chunks = Arc::new(broadcast::Sender::<Bytes>::new(16));
    let sender = chunks.clone();
    tokio::spawn(async move {
        let mut number = 0;
        while let Some(line) = published.recv().await {
            number += 1;
            let text = format!("data: {}\nid: 0123456789abcdef.{number}\n\n", data(&line));
            drop(sender.send(format!("{:x}\r\n{text}\r\n", text.len()).into()));
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tell(listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(send(socket, chunks.subscribe()));
    }
}

async fn send(mut socket: TcpStream, mut chunks: broadcast::Receiver<Bytes>) -> io::Result<()> {
    let mut request = [0; 1024];
    let _ = socket.read(&mut request).await?;
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n5\r\n: ok\n\r\n").await?;
    while let Ok(chunk) = chunks.recv().await {
        socket.write_all(&chunk).await?;
    }
    Ok(())
}

fn tell(address: std::net::SocketAddr) {
    println!("{address}");
    drop(io::stdout().flush());
}
