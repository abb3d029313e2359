//! A server whose instructions and calls are counted: it publishes each line of its standard input, and ends with it.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use sse_axum::{Event, EventLog, SseRequest, listener, stream_events};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};

/// The server.
#[derive(Debug, Clone, Args)]
pub struct Serving {
    server: Server,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Server {
    /// A log, mounted on axum.
    Axum,
    /// A task for each client, which sends an encoded chunk.
    Raw,
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match serving.server {
        Server::Axum => runtime.block_on(axum(published)),
        Server::Raw => runtime.block_on(raw(published)),
    }
}

fn data(line: &str) -> String {
    format!("{}end of {line}", "x".repeat(117))
}

async fn axum(mut published: mpsc::Receiver<String>) -> io::Result<()> {
    let log = EventLog::in_memory(1000);
    let streams = log.clone();
    let app = Router::new().route(
        "/",
        get(move |request: SseRequest| {
            let log = streams.clone();
            async move { stream_events(request, log) }
        }),
    );
    let listener = listener("127.0.0.1:0")?;
    tell(listener.local_addr()?);
    tokio::spawn(async move {
        while let Some(line) = published.recv().await {
            log.append(Event::new(data(&line))).await.expect("a short event in memory");
        }
    });
    axum::serve(listener, app).await
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
