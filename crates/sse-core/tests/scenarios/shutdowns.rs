//! A shutdown ends every stream after whole frames, and says when they have ended.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use sse_core::{Event, EventLog, FeedOnce, Shutdown, StreamContext, StreamResponse, merge};

use crate::support::client::{Client, request};
use crate::support::clock;
use crate::support::script::{Fetch, Script};
#[cfg(target_os = "linux")]
use crate::support::threads;

/// The goodbye that ends this text, in milliseconds.
#[track_caller]
fn goodbye(client: &Client) -> u64 {
    let text = client.text();
    let last = text.lines().last().expect("a last line");
    let millis = last.strip_prefix("retry: ").expect("the goodbye");
    millis.parse().expect("digits")
}

#[tokio::test(start_paused = true)]
async fn each_shutdown_that_a_feed_is_given_ends_its_stream_and_so_does_its_log_s() {
    for which in 0..3 {
        let (log, session, server) = (EventLog::in_memory(1), Shutdown::new(), Shutdown::new());
        let feed = log.feed().shutdown(&session).shutdown(&server);
        let mut client = Client::resume(feed, "0");
        client.read_all().await;
        [log.shutdown(), &session, &server][which].begin();
        client.read_to_end().await;
        goodbye(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_every_stream_whatever_its_events_come_from() {
    let shutdown = Shutdown::new();
    let (context, channel) = StreamContext::channel();
    let hanging = Script::holding([1]);
    hanging.fetch_is(Fetch::Hangs);
    let feeds = [
        FeedOnce::from(EventLog::in_memory(1)),
        FeedOnce::from(Script::default()),
        FeedOnce::from(hanging),
        channel,
        StreamContext::run(|context| async move {
            context.closed().await;
            Ok(())
        }),
    ];
    let mut clients: Vec<_> =
        feeds.map(|feed| Client::resume(feed.shutdown(&shutdown), "0")).into();
    for client in &mut clients {
        client.read_all().await;
    }
    assert_eq!(shutdown.open_streams(), 5);
    assert!(shutdown.drained().now_or_never().is_none());
    let waiting = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { shutdown.drained().await }
    });
    shutdown.begin();
    clock::pass(1).await;
    for (ended, client) in clients.iter_mut().enumerate() {
        assert!(shutdown.drained().now_or_never().is_none());
        client.read_to_end().await;
        goodbye(client);
        assert_eq!(shutdown.open_streams(), 4 - ended, "though the body is not dropped yet");
    }
    shutdown.drained().now_or_never().expect("drained");
    let woken = tokio::time::timeout(Duration::from_secs(1), waiting).await;
    woken.expect("woken by the last").expect("no panic");
    assert!(context.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_counts_a_stream_once_however_often_it_is_given() {
    let log = EventLog::in_memory(1);
    let both = || merge([("a", &log), ("b", &log)]).expect("two names");
    for feed in [log.feed().shutdown(log.shutdown()), both(), both().shutdown(log.shutdown())] {
        let mut client = Client::open(feed);
        assert_eq!(log.shutdown().open_streams(), 1);
        client.read_all().await;
        assert_eq!(log.shutdown().open_streams(), 1);
        drop(client);
        assert_eq!(log.shutdown().open_streams(), 0);
    }
    let mut clients = [Client::open(both()), Client::open(log.feed().shutdown(log.shutdown()))];
    assert_eq!(log.shutdown().open_streams(), 2);
    log.shutdown().begin();
    for client in &mut clients {
        client.read_to_end().await;
        goodbye(client);
    }
    log.shutdown().drained().now_or_never().expect("drained");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_client_is_woken_by_a_shutdown() {
    let log = EventLog::in_memory(1);
    let mut client = Client::open(&log);
    let (begun, drained) = (log.shutdown().clone(), log.shutdown().clone());
    let waiting = tokio::spawn(async move { client.read_to_end().await });
    let drained = tokio::spawn(async move { drained.drained().await });
    let observed = tokio::spawn({
        let begun = begun.clone();
        async move { begun.begun().await }
    });
    clock::pass(100).await;
    assert!(!waiting.is_finished() && !drained.is_finished() && !observed.is_finished());
    begun.begin();
    for task in [drained, observed] {
        let task = tokio::time::timeout(Duration::from_secs(1), task).await;
        task.expect("woken").expect("no panic");
    }
    waiting.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn clients_are_told_to_come_back_at_different_moments_around_the_usual_time() {
    let log = EventLog::in_memory(1);
    log.shutdown().begin();
    let (mut least, mut most) = (u64::MAX, 0);
    for _ in 0..200 {
        let mut client = Client::open(log.feed().retry(Duration::from_secs(10)));
        client.read_to_end().await;
        least = least.min(goodbye(&client));
        most = most.max(goodbye(&client));
    }
    assert!(
        (5000..7000).contains(&least) && (13_000..=15_000).contains(&most),
        "{least} to {most}"
    );
    // Often enough that the time is stretched in some and shortened in others.
    for (retry, longest) in [(Duration::ZERO, 0), (Duration::MAX, 2_147_483_647)].repeat(50) {
        let mut client = Client::open(log.feed().retry(retry));
        client.read_to_end().await;
        assert!(goodbye(&client) <= longest);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_opened_after_the_shutdown_ends_after_its_first_line() {
    let log = EventLog::in_memory(10);
    let first = log.append(Event::new("1")).await.expect("stored");
    log.append(Event::new("2")).await.expect("stored");
    log.shutdown().begin();
    let mut client = Client::resume(&log, first);
    assert_eq!(client.read_to_end().await, [""; 0]);
    assert!(client.text().starts_with(": ok\nretry: "));
    assert_eq!(client.text().matches("retry: ").count(), 2, "at its start and at its end");
    assert_eq!(log.shutdown().open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_server_that_its_adapter_ties_it_to() {
    let log = EventLog::in_memory(10);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let response = StreamResponse::new(&request(), &log, clock::timer());
    let mut client = Client::new(response.body.until(ended.map(drop)));
    client.read_all().await;
    assert!(!client.is_over());
    end.send(()).expect("somebody waits");
    client.read_to_end().await;
    goodbye(&client);
    assert!(!log.shutdown().has_begun());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_tied_to_two_ends_has_the_earlier() {
    for earlier in 0..2 {
        let log = EventLog::in_memory(10);
        let (ends, endings): (Vec<_>, Vec<_>) =
            (0..2).map(|_| tokio::sync::oneshot::channel::<()>()).unzip();
        let body = StreamResponse::new(&request(), &log, clock::timer()).body;
        let body = endings.into_iter().fold(body, |body, end| {
            body.until(async { end.await.expect("the later end is held until the test is over") })
        });
        let mut ends = ends;
        ends.remove(earlier).send(()).expect("somebody waits");
        Client::new(body).read_to_end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_begins_the_shutdown_it_was_given_to() {
    let shutdown = Shutdown::new();
    let begun = shutdown.begin_after(clock::pass(1000));
    assert!(!shutdown.has_begun());
    tokio::time::timeout(Duration::from_secs(2), begun).await.expect("ready with the signal");
    assert!(shutdown.has_begun());
}

/// The tests that begin threads which keep the time: one of them counts these.
static KEEPING_TIME: Mutex<()> = Mutex::new(());

/// In real time, which a thread keeps.
#[test]
fn the_grace_begins_with_the_shutdown() {
    let _turn = KEEPING_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (shutdown, grace) = (Shutdown::new(), Duration::from_millis(100));
    assert!(shutdown.grace_over(Duration::ZERO).now_or_never().is_none());
    let begun = Instant::now();
    shutdown.begin();
    block_on(futures_util::future::join(
        shutdown.grace_over(grace),
        shutdown.grace_over(grace / 2),
    ));
    assert!(begun.elapsed() >= grace);
    block_on(shutdown.grace_over(Duration::ZERO));

    // It is over for a later caller, too: a grace that began when it is asked for would never be over.
    let long_over = shutdown.grace_over(grace).now_or_never();
    assert!(long_over.is_some(), "the grace began with the shutdown");
}

/// A loop over `select!` does this: it drops the futures that were not ready.
#[cfg(target_os = "linux")]
#[test]
fn a_grace_that_is_asked_for_again_and_again_costs_one_thread() {
    let _turn = KEEPING_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let shutdown = Shutdown::new();
    shutdown.begin();
    let before = threads::named("sse-shutdown");
    for _ in 0..200 {
        assert!(shutdown.grace_over(Duration::from_secs(2)).now_or_never().is_none());
    }
    // A thread has its name once it runs.
    let begun = Instant::now();
    while threads::named("sse-shutdown").is_subset(&before) {
        assert!(begun.elapsed() < Duration::from_secs(1), "no thread keeps the time");
        std::thread::yield_now();
    }
    let after = threads::named("sse-shutdown");
    assert_eq!(after.difference(&before).count(), 1, "{after:?}, and before {before:?}");
}

fn block_on<F: Future>(future: F) -> F::Output {
    let bounded = async { tokio::time::timeout(Duration::from_secs(5), future).await };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(bounded).expect("within 5 s")
}
