//! A shutdown that ends streams one after another over a window, and the event of a goodbye.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use sse_core::{
    EventLog, EventType, Feed, FeedOnce, Limits, Shutdown, Start, StreamContext, merge,
};
use tokio::time::Instant;

use crate::support::client::Client;
use crate::support::clock;
use crate::support::script::Script;

const WINDOW: Duration = Duration::from_secs(20);

/// Reads to the end, in a task. Returns how long the stream was open, and how often it said when to come back.
fn ends(feed: impl Into<FeedOnce>) -> tokio::task::JoinHandle<(Duration, usize)> {
    let mut client = Client::open(feed.into().keep_alive(Duration::from_secs(4)));
    let begun = Instant::now();
    tokio::spawn(async move {
        client.read_to_end().await;
        (begun.elapsed(), client.text().matches("retry: ").count())
    })
}

#[tokio::test(start_paused = true)]
async fn streams_end_at_moments_of_their_own_within_the_window() {
    let log = EventLog::in_memory(1);
    let both = merge([("a", &log)]).expect("a name");
    let source = Feed::from(Script::default()).shutdown(log.shutdown());
    let feeds = [log.feed(), both, source];
    let streams: Vec<_> = feeds.iter().cycle().take(300).map(|feed| ends(feed.clone())).collect();
    clock::pass(1).await;
    log.shutdown().drain(WINDOW);
    let begun = tokio::spawn({
        let shutdown = log.shutdown().clone();
        async move { shutdown.begun().await }
    });
    let mut tenths = [0; 10];
    for stream in streams {
        let (after, goodbyes) = stream.await.expect("no panic");
        assert_eq!(goodbyes, 2, "at its start and at its end");
        assert!(after <= WINDOW + Duration::from_millis(10), "{after:?}");
        tenths[(after.as_millis() * 10 / WINDOW.as_millis()).min(9) as usize] += 1;
    }
    assert!(tenths.iter().all(|ended| *ended > 10), "{tenths:?}");
    let begun = tokio::time::timeout(Duration::from_secs(1), begun).await;
    begun.expect("once no stream is open").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_opened_meanwhile_ends_at_once() {
    let log = EventLog::in_memory(1);
    let first = ends(&log);
    clock::pass(1).await;
    log.shutdown().drain(WINDOW);
    for _ in 0..10 {
        let mut late = Client::open(&log);
        late.read_to_end().await;
        assert_eq!(late.text().matches("retry: ").count(), 2, "at its start and at its end");
    }
    assert!(!log.shutdown().has_begun(), "the first is still open");
    first.await.expect("no panic");
    assert!(log.shutdown().has_begun());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_cannot_resume_may_finish_first() {
    let shutdown = Shutdown::new();
    let feed = || {
        let feed = StreamContext::run(|context| async move {
            clock::pass(19_000).await;
            Ok(context.send_event("done").await?)
        });
        feed.shutdown(&shutdown).keep_alive(Duration::from_secs(4))
    };
    let mut clients: Vec<_> = (0..20).map(|_| Client::open(feed().finish_first())).collect();
    let mut others: Vec<_> = (0..20).map(|_| Client::open(feed())).collect();
    for client in clients.iter_mut().chain(&mut others) {
        client.chunk().await;
    }
    shutdown.drain(WINDOW);
    let read = |mut client: Client| async move {
        client.read_to_end().await;
        usize::from(client.events() == ["done"])
    };
    let (clients, others) = tokio::join!(
        futures_util::future::join_all(clients.into_iter().map(read)),
        futures_util::future::join_all(others.into_iter().map(read)),
    );
    assert_eq!(clients.iter().sum::<usize>(), 20);
    assert!(others.iter().sum::<usize>() < 10);
}

#[tokio::test(start_paused = true)]
async fn to_begin_ends_the_window_and_a_worker_goes_on_until_then() {
    let log = EventLog::in_memory(10);
    let mut worker = log.follow_after(Start::Live);
    let stream = ends(&log);
    clock::pass(1).await;
    log.shutdown().drain(WINDOW);
    assert!(worker.next().now_or_never().is_none());
    log.append("one").await.expect("stored");
    assert!(worker.next().await.is_some());
    assert!(worker.next().now_or_never().is_none());
    log.shutdown().begin();
    assert!(worker.next().await.is_none());
    let (after, _) = stream.await.expect("no panic");
    assert!(after < Duration::from_millis(10), "{after:?}");
}

/// In real time, which a thread keeps: a stream that nobody polls ends at the end of the window.
#[test]
fn the_window_ends_though_a_client_stalls() {
    let log = EventLog::in_memory(1);
    let stalled = Client::open(&log);
    let begun = std::time::Instant::now();
    log.shutdown().drain(Duration::from_millis(100));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let waiting =
        async { tokio::time::timeout(Duration::from_secs(5), log.shutdown().begun()).await };
    runtime.expect("a runtime").block_on(waiting).expect("within 5 s");
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert_eq!(log.shutdown().open_streams(), 1);
    drop(stalled);
}

#[tokio::test(start_paused = true)]
async fn each_end_that_the_server_sets_is_told_by_the_event_of_the_goodbye() {
    let log = EventLog::in_memory(1);
    let feed = || log.feed().goodbye_event(EventType::from_static("goodbye"));
    let refused = Client::open(feed().limits(&Limits::new().process(0)));
    let expired = Client::open(feed().longest_life(Duration::from_secs(3)));
    let shut = Client::open(feed());
    for (number, mut client) in [refused, expired, shut].into_iter().enumerate() {
        if number == 2 {
            log.shutdown().begin();
        }
        client.read_to_end().await;
        let [goodbye] = client.parsed() else { panic!("one event: {}", client.text()) };
        assert_eq!((goodbye.event_type.as_str(), goodbye.last_event_id.as_str()), ("goodbye", ""));
        let millis = client.parser.reconnection_time().expect("it is in the same block");
        assert_eq!(goodbye.data, format!(r#"{{"retry":{millis}}}"#));
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_for_good_is_no_goodbye() {
    let log = EventLog::in_memory(1);
    let feed = log.feed().goodbye_event(EventType::from_static("goodbye"));
    let mut client = Client::open(feed);
    client.read_all().await;
    log.finish().await.expect("nothing fails in memory");
    assert_eq!(client.read_to_end().await, [""; 0]);
}
