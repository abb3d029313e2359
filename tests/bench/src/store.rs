//! The speed of a store: appending, following, reading, replaying, opening.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::StreamExt;
use futures_util::future::join_all;
use sse_conformance::engines::open_url;
use sse_core::store::PageLimit;
use sse_core::{
    EventLog, EventStream, NewEvent, Position, Start, StoreOptions, StreamRequest, StreamResponse,
    Timer,
};

/// The store, and the amount to measure.
#[derive(Debug, Clone, Args)]
pub struct Storing {
    /// The store: `redb:PATH`, `redis:URL`, `nats:URL`, `postgres:URL`. Logs of names of its own are left there.
    #[arg(long)]
    store: String,
    /// The number of events of the log that is read.
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// The number of clients that it is replayed to.
    #[arg(long, default_value_t = 100)]
    clients: usize,
    /// The time for which appending is measured, in seconds for each number of publishers.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// The number of bytes of data that an event has.
    #[arg(long, default_value_t = 128)]
    size: usize,
}

/// Measures and prints it.
///
/// # Panics
///
/// If the store fails, or a client does not get every event.
pub async fn measure(storing: Storing) {
    let name = |part: &str| format!("bench-{part}-{}", std::process::id());
    let log = open(&storing, &name("append")).await;
    for publishers in [1, 16, 256] {
        let rate = append(&log, publishers, &storing).await;
        println!("{publishers:>4} publishers: {rate:>9.0} appends a second");
    }
    drop(log);
    let log = open(&storing, &name("receive")).await;
    let mut took = receive(&log, &storing).await;
    took.sort_unstable();
    let at = |share: f64| took[(took.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("append to receipt: p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99));
    drop(log);

    fill(&storing, &name("read")).await;
    read(&storing, &name("read")).await;
    for opening in 1..=3 {
        let begun = Instant::now();
        let log = open(&storing, &name("read")).await;
        println!("opening {opening}: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
        drop(log);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let log = open(&storing, &name("read")).await;
    let begun = Instant::now();
    replay(&log, &storing).await;
    let (took, all) = (begun.elapsed().as_secs_f64(), storing.events * storing.clients);
    println!(
        "{} events to {} clients: {took:.2} s, {:.0} events a second",
        storing.events,
        storing.clients,
        all as f64 / took
    );
}

pub(crate) fn timer() -> Timer {
    Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep)
}

fn options(storing: &Storing) -> StoreOptions {
    StoreOptions::new().events(storing.events.max(1_000_000))
}

async fn open(storing: &Storing, name: &str) -> EventLog {
    let options = options(storing);
    let store =
        open_url(&storing.store, name, options.clone()).await.expect("the store can be opened");
    let (log, follower) = EventLog::open(store, options, timer()).await.expect("it can be read");
    tokio::spawn(follower);
    log
}

/// Returns the appends a second of so many publishers, each of whom waits for one before the next.
async fn append(log: &EventLog, publishers: usize, storing: &Storing) -> f64 {
    let (appended, begun) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let end = begun + Duration::from_secs_f64(storing.seconds);
    let publishers = (0..publishers).map(|_| {
        let (log, appended, data) = (log.clone(), appended.clone(), "x".repeat(storing.size));
        tokio::spawn(async move {
            while Instant::now() < end {
                log.append(data.as_str()).await.expect("it is stored");
                appended.fetch_add(1, Relaxed);
            }
        })
    });
    for publisher in join_all(publishers).await {
        publisher.expect("it has not panicked");
    }
    appended.load(Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// From the call to `append` to the event in a client's stream.
async fn receive(log: &EventLog, storing: &Storing) -> Vec<Duration> {
    let mut stream = client(log, Start::Live);
    let first = stream.next().await;
    assert!(first.is_some_and(|line| line.is_ok()));
    let mut took = Vec::new();
    for _ in 0..2000 {
        let (log, data, begun) = (log.clone(), "x".repeat(storing.size), Instant::now());
        let append = tokio::spawn(async move { log.append(data).await });
        let received = stream.next().await.expect("an endless stream");
        took.push(begun.elapsed());
        assert!(received.is_ok_and(|bytes| bytes.len() > storing.size));
        append.await.expect("it has not panicked").expect("it is stored");
    }
    took
}

pub(crate) fn client(log: &EventLog, start: Start) -> EventStream {
    let request = StreamRequest::new("GET", None, [("accept", &b"text/event-stream"[..])]);
    StreamResponse::new(&request, log.feed().start_at(start), timer()).body
}

async fn fill(storing: &Storing, name: &str) {
    let store = open_url(&storing.store, name, options(storing)).await.expect("it can be opened");
    let event = NewEvent::from("x".repeat(storing.size)).encode(1 << 20).expect("data");
    let (mut left, begun) = (storing.events, Instant::now());
    while left > 0 {
        let events = vec![event.clone(); left.min(1000)];
        left -= events.len();
        store.append(&events).await.expect("they are stored");
    }
    let rate = storing.events as f64 / begun.elapsed().as_secs_f64();
    println!("batches of 1000: {rate:>9.0} events a second");
}

async fn read(storing: &Storing, name: &str) {
    let store = open_url(&storing.store, name, options(storing)).await.expect("it can be opened");
    let limit = PageLimit { events: 1000, bytes: 64 * 1024 };
    let (mut pages, mut events, begun) = (0, 0, Instant::now());
    while begun.elapsed() < Duration::from_secs(1) {
        let mut after = Position::START;
        loop {
            let page = store.read(after, limit).await.expect("it can be read");
            let Some(last) = page.events.last() else { break };
            after = last.position;
            pages += 1;
            events += page.events.len();
        }
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "reading: {:.0} pages a second, {:.0} events a second",
        f64::from(pages) / took,
        events as f64 / took
    );
}

async fn replay(log: &EventLog, storing: &Storing) {
    let clients = (0..storing.clients).map(|_| {
        let (mut stream, expected) = (client(log, Start::Oldest), storing.events);
        tokio::spawn(async move {
            let mut events = 0;
            while events < expected {
                let chunk = stream.next().await.expect("an endless stream").expect("no error");
                events += chunk.windows(2).filter(|ends| ends == b"\n\n").count();
            }
            assert_eq!(events, expected);
        })
    });
    for client in join_all(clients).await {
        client.expect("it got every event");
    }
}
