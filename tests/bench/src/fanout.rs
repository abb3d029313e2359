//! One log that appends to very many readers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clap::Args;
use sse_conformance::adapters;
use sse_conformance::suite::framework::Framework;
use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::{Request, Response};

use crate::server::Server;
use crate::serving::Serving;
use crate::{PATIENCE, QUIET, readers};

/// The amount to measure.
#[derive(Debug, Clone, Copy, Args)]
pub struct Fanout {
    /// Which framework serves.
    #[arg(long, value_parser = adapters::named)]
    framework: Framework,
    /// The number of readers.
    #[arg(long, default_value_t = 10_000)]
    readers: usize,
    /// The number of events that are appended.
    #[arg(long, default_value_t = 40)]
    appends: usize,
    /// The number of events a second, as far as all readers get one before the next.
    #[arg(long, default_value_t = 2)]
    rate: u32,
    /// The number of bytes of data that each has.
    #[arg(long, default_value_t = 128)]
    size: usize,
}

/// Measures and prints it.
///
/// # Panics
///
/// If a reader does not get every event once and in order.
pub async fn measure(program: &Path, fanout: Fanout) {
    let Fanout { framework, readers, appends, rate, size } = fanout;
    let serving = Serving { framework, kept: 1 << 20, events: 0, positions: 0 };
    let mut server = Server::start(program, &serving).await;
    let before = server.settled(QUIET).await;
    let requests = (0..readers).map(|_| Request::get("/log"));
    let responses = readers::open(server.address, requests).await;
    let opened = server.settled(QUIET).await;

    let arrived = Arc::new(AtomicUsize::new(0));
    let tasks = responses
        .into_iter()
        .map(|response| tokio::spawn(read(response, appends, size, arrived.clone())));
    let tasks: Vec<_> = tasks.collect();
    let begun = server.cpu();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut took = Vec::new();
    for number in 1..=appends {
        pace.tick().await;
        let appended = Instant::now();
        server.append(1, size).await;
        let all = || {
            arrived.load(Relaxed) >= number * readers || tasks.iter().any(|task| task.is_finished())
        };
        eventually(PATIENCE, "all have it", all).await;
        took.push(appended.elapsed());
    }
    let used = server.cpu().since(begun);
    let mut held = Vec::new();
    for task in tasks {
        held.push(task.await.expect("a reader gets every event"));
    }
    let after = server.settled(QUIET).await;
    assert_eq!((held.len(), arrived.load(Relaxed)), (readers, appends * readers));

    let deliveries = (appends * readers) as u32;
    took.sort_unstable();
    let (middle, longest) = (took[took.len() / 2], took[took.len() - 1]);
    println!("{}, {readers} readers: a stream {}", framework.name, (opened - before) / readers);
    println!(
        "{}, after {appends} appends: a stream {}",
        framework.name,
        (after - before) / readers
    );
    println!(
        "{}, {deliveries} deliveries: {used}; each {:.1?}",
        framework.name,
        used.total() / deliveries
    );
    println!("{}, until all had an event: {middle:.0?}, at most {longest:.0?}", framework.name);
}

/// Reads so many events, and counts them as they come. What it has read is kept open.
async fn read(
    mut response: Response,
    events: usize,
    size: usize,
    arrived: Arc<AtomicUsize>,
) -> Response {
    let mut last = None;
    for _ in 0..events {
        let event = response.next_event().await;
        assert_eq!(event.data.len(), size);
        let (_, position) = event.last_event_id.rsplit_once('.').expect("epoch.position");
        let position: u64 = position.parse().expect("a number");
        assert_eq!(last.replace(position).map_or(position, |last| last + 1), position);
        arrived.fetch_add(1, Relaxed);
    }
    response
}
