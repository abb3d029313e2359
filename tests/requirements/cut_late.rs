//! What a stream has sent before its failure breaks the response off: it arrives, however slowly its client reads.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::wire_h2::Connection;
use sse_core::{Event, FeedOnce, StreamContext};
use sse_test_kit::eventually::holds_within;
use sse_test_kit::wire::{End, Request};

/// How many events the burst has, and how large each is: 8 MiB in all, of which the systems of both ends hold less than half.
const BURST: usize = 128;
const SIZE: usize = 64 * 1024;

/// A stream that fails right after a burst of large events, and tells when it fails.
fn bursting(events: usize, size: usize, failed: mpsc::Sender<()>) -> FeedOnce {
    let feed = StreamContext::run(move |context| async move {
        for number in 1..events {
            let event = Event::new(format!("{number}\n{}", "x".repeat(size)));
            context.send_event(event).await?;
        }
        context.send_event(Event::new("the last")).await?;
        Err("the upstream died".into())
    });
    feed.on_error(move |_| failed.send(()).expect("the test listens")).cut_on_error()
}

pub(crate) async fn delivers_a_burst_to_a_slow_client_before_it_breaks_off(framework: &Framework) {
    let (failed, failures) = mpsc::channel();
    let app = App::new(ServerOptions::default())
        .stream("burst", move |_| bursting(BURST, SIZE, failed.clone()));
    let server = framework.start(app);
    let mut response = Request::get("/burst").receive_buffer(4096).send(server.address).await;
    let mut arrived = 0;
    let end = loop {
        match response.event_or_end().await {
            Ok(_) => arrived += 1,
            Err(end) => break end,
        }
        if failures.try_recv().is_ok() {
            // A client that is busy with what it has read: the framework has written as much as it could by then.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    assert_eq!(arrived, BURST);
    assert!(!response.parser().is_mid_event());
    assert_ne!(end, End::Clean);
}

/// How long a stream of any number of events takes to fail, if the framework takes them all.
const TAKEN_WITHIN: Duration = Duration::from_millis(250);

/// The most that a framework takes for a client that reads nothing is what it can lose. How much that is depends on the systems of both
/// ends: it is found by halving.
pub(crate) async fn delivers_all_that_it_took_for_a_client_that_does_not_read_before_it_breaks_off(
    framework: &Framework,
) {
    let (failed, failures) = mpsc::channel();
    let events = Arc::new(AtomicUsize::new(0));
    let number = Arc::clone(&events);
    let app = App::new(ServerOptions::default())
        .stream("burst", move |_| bursting(number.load(SeqCst), 4096, failed.clone()));
    let server = framework.start(app);
    let (mut taken, mut refused) = (1, 4096_usize);
    while taken + 1 < refused {
        let middle = taken.midpoint(refused);
        events.store(middle, SeqCst);
        let mut response = Request::get("/burst").receive_buffer(4096).send(server.address).await;
        if !holds_within(TAKEN_WITHIN, async || failures.try_recv().is_ok()).await {
            refused = middle;
            continue;
        }
        taken = middle;
        // Longer than a stream waits for a framework that has copied what it sends.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut arrived = 0;
        while response.event_or_end().await.is_ok() {
            arrived += 1;
        }
        assert_eq!(arrived, middle);
    }
    assert!(taken > 10, "the systems of both ends hold some");
}

pub(crate) async fn delivers_a_burst_to_a_slow_client_before_it_resets_an_http2_stream(
    framework: &Framework,
) {
    let (failed, failures) = mpsc::channel();
    let app = App::new(ServerOptions::default())
        .stream("burst", move |_| bursting(BURST, SIZE, failed.clone()));
    let server = framework.start(app);
    let connection = Connection::open(server.address).await;
    let mut response = connection.get("/burst", &[]).await;
    for _ in 0..BURST {
        response.next_event().await;
        if failures.try_recv().is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    assert!(!response.parser().is_mid_event());
    assert_eq!(response.end().await, End::Reset);
}
