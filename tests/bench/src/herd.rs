//! A hundred thousand clients after a restart: when they come back, as a picture of `docs/deploying.md`. The streams are those of the core,
//! with a clock that this program moves; no client has a socket.

mod curves;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::{FutureExt, StreamExt};
use sse_core::{EventLog, EventStream, Feed, Limits, StreamRequest, StreamResponse, Timer};
use sse_test_kit::parser::Parser;

use curves::Curve;

/// The clients, and what is drawn of them.
#[derive(Debug, Clone, Copy, Args)]
pub struct Herd {
    /// The number of clients.
    #[arg(long, default_value_t = 100_000)]
    clients: usize,
    /// The number of streams that the restarted process allows, in the third case.
    #[arg(long, default_value_t = 20_000)]
    limit: usize,
    /// Prints the figures, and leaves the picture as it is.
    #[arg(long)]
    dry: bool,
}

/// The milliseconds of a step of the picture.
const STEP: u64 = 100;
/// The steps that are drawn: what comes later is counted only.
const STEPS: usize = 200;
/// The time between the moment at which a client asks and that at which its request arrives.
const NETWORK: u64 = 50;

/// Simulates three servers, prints what comes to each, and draws it.
///
/// # Panics
///
/// If the picture cannot be written.
pub fn measure(herd: Herd) {
    let Herd { clients, limit, dry } = herd;
    let limits = Limits::new().process(limit);
    let of = |name, before: Feed, after: Feed| Curve {
        name,
        arrivals: arrivals(clients, before, after),
    };
    let log = EventLog::in_memory(1000);
    let (exact, feed) = (log.feed().retry_exactly(Duration::from_secs(3)), log.feed());
    let curves = [
        of("the same 3 s for all", exact.clone(), exact),
        of("the default: 1.5 to 4.5 s", feed.clone(), feed.clone()),
        of(
            "the same, and a limit on the open streams of the process",
            feed.clone(),
            feed.limits(&limits),
        ),
    ];
    println!(
        "| {clients} clients, cut off at 0 s | most in {STEP} ms | requests in 20 s |\n|---|---|---|"
    );
    for Curve { name, arrivals } in &curves {
        let most = arrivals.iter().max().copied().unwrap_or_default();
        println!("| {name} | {most} | {} |", arrivals.iter().sum::<usize>());
    }
    if !dry {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/herd.svg");
        let title = format!("{clients} clients come back after a restart: requests in {STEP} ms");
        fs::write(path, curves::draw(&title, STEP, &curves)).expect("it can be written");
    }
}

/// Returns the number of requests of each step, for clients that were cut off together from streams of one feed, and come back to another: the
/// process is there again at once.
fn arrivals(clients: usize, before: Feed, after: Feed) -> Vec<usize> {
    let clock = Arc::new(AtomicU64::new(0));
    let (begun, now) = (Instant::now(), Arc::clone(&clock));
    let timer = Timer::new(move || begun + Duration::from_millis(now.load(Relaxed)), |_| pending());
    let timer = timer.seeded(7);
    let mut network = fastrand::Rng::with_seed(7);
    // The first lines of the stream that each had say when to come back.
    let mut coming: BinaryHeap<Reverse<(u64, usize)>> = (0..clients)
        .map(|client| {
            let (retry, _) = visit(before.clone(), &timer);
            Reverse((retry + network.u64(..NETWORK), client))
        })
        .collect();
    let mut open: Vec<EventStream> = Vec::with_capacity(clients);
    let mut arrivals = vec![0; STEPS];
    while let Some(Reverse((at, client))) = coming.pop() {
        let Some(arrived) = arrivals.get_mut((at / STEP) as usize) else { break };
        *arrived += 1;
        clock.store(at, Relaxed);
        let (retry, stream) = visit(after.clone(), &timer);
        match stream {
            Some(stream) => open.push(stream),
            None => coming.push(Reverse((at + retry + network.u64(..NETWORK), client))),
        }
    }
    arrivals
}

/// Reads what a stream begins with: the time after which its client comes back, in milliseconds, and the stream, unless it has ended.
fn visit(feed: Feed, timer: &Timer) -> (u64, Option<EventStream>) {
    let request = StreamRequest::new("GET", None, []);
    let mut stream = StreamResponse::new(&request, feed, timer.clone()).body;
    let mut parser = Parser::default();
    let has_ended = loop {
        match stream.next().now_or_never() {
            Some(Some(Ok(chunk))) => drop(parser.feed(&chunk)),
            Some(_) => break true,
            None => break false,
        }
    };
    let retry = parser.reconnection_time().expect("each stream begins with it");
    (retry, (!has_ended).then_some(stream))
}
