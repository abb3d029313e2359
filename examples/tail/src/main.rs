//! Each line of the standard input, or that is appended to the files named, as an event.
//!
//!     tail -F /var/log/dpkg.log | cargo run -p tail
//!     cargo run -p tail -- /var/log/dpkg.log
//!
//! The first form begins with what `tail` prints, the second with what is appended from now on. A page that is opened later begins
//! with the last ten lines. It listens on 127.0.0.1:3000, or where `LISTEN` says.
#![forbid(unsafe_code)]

mod follow;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use axum::{Router, extract::State, response::Html, routing::get};
use sse_axum::{
    Event, EventLog, LogOptions, OnGap, Sse, SseRequest, Start, listener, stream_events,
};

async fn events(State(log): State<EventLog>, request: SseRequest) -> Sse {
    stream_events(request, log.feed().start_at(Start::Last(10)).on_gap(OnGap::StartOver))
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(serve());
    runtime.shutdown_background(); // a read of the standard input cannot be called off, and may wait for ever
    served
}

async fn serve() -> io::Result<()> {
    let log = EventLog::in_memory(LogOptions::new().events(10_000));
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        tokio::spawn(report(follow::input(log.clone()), "the standard input".into()));
    }
    for file in files {
        let name = file.display().to_string();
        tokio::spawn(report(follow::file(log.clone(), file), name));
    }
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = listener(&address)?;
    let address = listener.local_addr()?;
    println!("open http://{address}, or: curl -N http://{address}/events");
    let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
    let app = Router::new().route("/events", get(events)).route("/", get(Html(hello::PAGE)));
    axum::serve(listener, app.with_state(log)).with_graceful_shutdown(stop).await
}

/// Prints why a file is no longer followed. The events that were read from it stay.
async fn report(following: impl Future<Output = io::Result<()>>, name: String) {
    if let Err(error) = following.await {
        eprintln!("{name}: {error}");
    }
}

/// Appends a line. A line that is too long is reported, and left out.
async fn publish(log: &EventLog, line: &[u8]) {
    let line = String::from_utf8_lossy(line);
    if let Err(error) = log.append(Event::new(line.trim_end_matches(['\n', '\r']))).await {
        eprintln!("a line is left out: {error}");
    }
}

/// The time between two looks at a file.
const PACE: Duration = Duration::from_millis(100);
