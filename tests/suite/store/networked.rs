//! A server that goes away, comes back, is slow, or refuses what is written.

use std::time::{Duration, Instant};

use sse_core::{Event, EventLog, Start, StoreOptions};
use sse_test_kit::client::Client;

use super::process::Process;
use super::tools::{NAME, numbers, open_with, soon};
use crate::suite::store_engine::Networked;
use sse_test_kit::eventually::{eventually, eventually_asked};
use sse_test_kit::waiting::PATIENCE;

/// The time within which all goes on once the server is back.
const SOON: Duration = Duration::from_secs(2);

/// Adds an event, for as long as that is refused.
async fn append_at_last(log: &EventLog, text: usize) {
    let text = text.to_string();
    let event = || Event::from(text.as_str()).idempotency_key(&text).expect("a key");
    eventually_asked(PATIENCE, "it is stored at last", async || log.append(event()).await.is_ok())
        .await;
}

fn tries_no_longer_than_a_second() -> StoreOptions {
    StoreOptions::new().store_timeout(Duration::from_secs(1))
}

/// Streams stay open, and have what was appended within 2 s of its return; nothing is lost or repeated.
pub async fn goes_on_soon_after_a_restart(engine: &dyn Networked) {
    let options = tries_no_longer_than_a_second().tail_events(5);
    let processes =
        [Process::with(engine, options.clone()).await, Process::with(engine, options).await];
    let ids = processes[0].append_all(0..20).await;
    let feed = |n: usize| processes[n].log.feed().keep_alive(Duration::from_millis(100));
    let mut clients = [0, 1].map(|n| Client::open(feed(n).start_at(Start::Oldest)));
    for client in &mut clients {
        client.read_until(20).await;
    }
    for round in 0..3 {
        let next = 20 + round;
        engine.stop().await;
        let refused = processes[0].log.append("while it is down");
        let refused = tokio::time::timeout(2 * PATIENCE, refused).await;
        let refused = refused.expect("an answer in time").expect_err("nobody is there");
        assert!(refused.is_store(), "{refused}");
        // A client behind the tail waits for its events.
        let mut behind = Client::resume(feed(1), &ids[0]);
        behind.read_for(Duration::from_millis(300)).await;
        for client in &mut clients {
            let before = client.parser.comments().len();
            client.read_for(Duration::from_millis(300)).await;
            assert!(client.parser.comments().len() > before, "it is kept alive");
        }
        engine.start().await;
        let back = Instant::now();
        append_at_last(&processes[0].log, next).await;
        for client in &mut clients {
            client.read_until_within(next + 1, SOON).await;
        }
        assert!(back.elapsed() <= SOON, "{:?} after its return", back.elapsed());
        assert_eq!(behind.read_until(next).await, numbers(1..next + 1));
    }
    for client in &clients {
        assert_eq!(client.events(), numbers(0..23), "each once, in order");
    }
}

/// A server that answers nothing for 10 s: nobody is sent away, and an append says that its outcome is unknown.
pub async fn waits_out_a_pause(engine: &dyn Networked) {
    let process = Process::with(engine, tries_no_longer_than_a_second()).await;
    process.append_all(0..10).await;
    let feed = process.log.feed().keep_alive(Duration::from_millis(500));
    let mut client = Client::open(feed.start_at(Start::Oldest));
    client.read_until(10).await;

    engine.pause();
    let begun = Instant::now();
    let unanswered = process
        .log
        .append(Event::new("10").idempotency_key("10").expect("a key"))
        .await
        .expect_err("no answer");
    assert!(unanswered.is_outcome_unknown(), "{unanswered}");
    assert!(begun.elapsed() < PATIENCE, "no longer than it may take");
    let before = client.parser.comments().len();
    client.read_for(Duration::from_secs(10).saturating_sub(begun.elapsed())).await;
    let comments = client.parser.comments().len() - before;
    assert!(comments >= 5, "{comments} comments");
    engine.resume();

    let back = Instant::now();
    append_at_last(&process.log, 10).await;
    append_at_last(&process.log, 11).await;
    assert_eq!(client.read_until_within(12, SOON).await, numbers(0..12));
    assert!(back.elapsed() <= SOON, "{:?} after its return", back.elapsed());
}

/// An error says so, streams stay open, and what was acknowledged is there.
pub async fn says_so_if_writes_are_refused(engine: &dyn Networked) {
    let process = Process::with(engine, tries_no_longer_than_a_second()).await;
    let mut client = Client::open(process.log.feed().start_at(Start::Oldest));
    for round in 0..3 {
        append_at_last(&process.log, round).await;
        engine.refuse_writes().await;
        for _ in 0..3 {
            let refused = soon("it is refused", process.log.append("refused")).await;
            let refused = refused.expect_err("it takes nothing");
            assert!(refused.is_store() && !refused.is_outcome_unknown(), "{refused:?}");
        }
        client.read_until(round + 1).await;
        client.read_for(Duration::from_millis(100)).await;
        engine.allow_writes().await;
    }
    append_at_last(&process.log, 3).await;
    assert_eq!(client.read_until(4).await, numbers(0..4));
}

/// With an error, in bounded time.
pub async fn does_not_open_if_the_engine_is_down(engine: &dyn Networked) {
    engine.stop().await;
    let begun = Instant::now();
    let opening = async {
        let store = engine.open(NAME, tries_no_longer_than_a_second()).await?;
        Process::over(store, tries_no_longer_than_a_second()).await
    };
    let opened = tokio::time::timeout(4 * PATIENCE, opening).await.expect("an answer in time");
    let refused = opened.err().expect("nobody is there");
    assert!(refused.is_store(), "{refused:?}");
    assert!(begun.elapsed() < 2 * PATIENCE, "{:?}", begun.elapsed());
}

/// It waits as long as `store_wait` says, both to be opened and to append.
pub async fn waits_for_it_if_the_options_say_so(engine: &dyn Networked) {
    let wait = Duration::from_secs(10);
    let options = tries_no_longer_than_a_second().store_wait(wait);
    engine.stop().await;
    let opening = async {
        let store = engine.open(NAME, options.clone()).await?;
        Process::over(store, options).await
    };
    let starting = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        engine.start().await;
    };
    let both = async { futures_util::join!(opening, starting) };
    let (process, ()) = tokio::time::timeout(2 * wait, both).await.expect("in time");
    let process = process.expect("it came in time");
    process.append("first").await;

    engine.stop().await;
    let appending =
        process.log.append(Event::new("second").idempotency_key("second").expect("a key"));
    let starting = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        engine.start().await;
    };
    let both = async { futures_util::join!(appending, starting) };
    let (appended, ()) = tokio::time::timeout(2 * wait, both).await.expect("in time");
    appended.expect("it came in time");
    let mut client = Client::open(process.log.feed().start_at(Start::Oldest));
    assert_eq!(client.read_until(2).await, ["first", "second"]);
}

/// One process follows it, whatever the number of clients.
pub async fn is_followed_once_for_all_clients(engine: &dyn Networked) {
    let store = open_with(engine, StoreOptions::default()).await;
    let process = Process::over(store, StoreOptions::default()).await.expect("it runs");
    let log = &process.log;
    eventually(PATIENCE, "it is followed", || log.stats().is_followed).await;
    let mut clients: Vec<_> = (0..200).map(|_| Client::open(log)).collect();
    process.append_all(0..50).await;
    for client in &mut clients {
        assert_eq!(client.read_until(50).await, numbers(0..50));
    }
}
