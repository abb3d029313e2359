//! The server, and the commands that it takes over its standard input.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::FutureExt;
use sse_conformance::adapters;
use sse_conformance::suite::app::{Answer, App, Method, ServerOptions};
use sse_conformance::suite::chunks::{Chunks, Place};
use sse_conformance::suite::framework::Framework;
use sse_core::{EventId, EventLog, LogOptions};

use crate::shared::{FIRST_LINE, Shared};

/// The log that a server has when it begins to listen.
#[derive(Debug, Clone, Copy, Args)]
pub struct Serving {
    /// Which framework serves.
    #[arg(long, value_parser = adapters::named)]
    pub framework: Framework,
    /// The number of bytes that the log keeps.
    #[arg(long)]
    pub kept: usize,
    /// The number of events of a kB that it has at the start.
    #[arg(long)]
    pub events: usize,
    /// At how many different positions of it clients begin.
    #[arg(long)]
    pub positions: usize,
}

/// Tells what is allocated at this moment, in bytes.
pub type Allocated = fn() -> usize;

/// Serves until the standard input ends. Each line of it is answered by a line: `allocated` with how many bytes are, `ids`
/// with those of the positions, `append 3 100` with that of the last of three events of a hundred bytes, once they are appended.
///
/// # Errors
///
/// If it cannot listen.
pub fn serve(serving: Serving, allocated: Allocated) -> io::Result<()> {
    let log = EventLog::in_memory(LogOptions::new().events(usize::MAX).bytes(serving.kept));
    let ids = append(&log, serving.events, 1000);
    let shared = Arc::new(Shared::new(&log, &ids, serving.positions));
    drop(ids);
    let app = app(&log, &shared);
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            let answer = match line.split(' ').collect::<Vec<_>>()[..] {
                ["allocated"] => allocated().to_string(),
                ["ids"] => shared.ids.iter().map(EventId::as_str).collect::<Vec<_>>().join(" "),
                ["append", count, size] => {
                    let ids = append(&log, number(count), number(size));
                    ids.last().map_or_else(String::new, EventId::to_string)
                }
                _ => format!("what is {line:?}?"),
            };
            tell(&answer);
        }
        // The measuring process has gone.
        std::process::exit(0);
    });
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    (serving.framework.serve)(app, any_port, Box::new(|address| tell(&address.to_string())))
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn tell(line: &str) {
    println!("{line}");
    // If the measuring process has gone, the end of the input will be the end.
    drop(io::stdout().flush());
}

fn append(log: &EventLog, count: usize, size: usize) -> Vec<EventId> {
    let append = |_| log.append("x".repeat(size).as_str()).now_or_never();
    (0..count)
        .map(append)
        .map(|id| id.expect("in memory it never waits").expect("less than 1 MiB"))
        .collect()
}

/// `/log` and `/chunks` give the same bytes, through the adapter and without it. `/idle` and `/still` begin with the same line,
/// and nothing follows. What ends the streams is the shutdown of their log alone.
fn app(log: &EventLog, shared: &Arc<Shared>) -> App {
    let stalled = Duration::from_secs(3600); // nobody is cut off while it is measured
    let (events, shared, idle) = (log.clone(), shared.clone(), EventLog::in_memory(1));
    App::new(ServerOptions { stalled, ..ServerOptions::default() })
        .route(Method::Get, "log", move |_| {
            std::future::ready(Answer::Stream(events.feed().into()))
        })
        .route(Method::Get, "idle", move |_| std::future::ready(Answer::Stream(idle.feed().into())))
        .route(Method::Get, "chunks", move |call| std::future::ready(shared.answer(&call)))
        .route(Method::Get, "still", move |_| {
            let chunks = Chunks::new(FIRST_LINE, Arc::new([]), Place { chunk: 0, offset: 0 });
            std::future::ready(Answer::Chunks(chunks))
        })
}
