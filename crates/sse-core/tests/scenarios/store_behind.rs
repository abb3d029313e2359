//! Readers whose place is not in the tail: they read pages of the store, until they have caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use sse_core::{EventLog, Follower, Start, StoreOptions};

use crate::support::client::Client;
use crate::support::clock;
use crate::support::poller::settle;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

/// A log of the events from 1 on, of which the newest three are in memory.
async fn log_of(count: usize) -> (ScriptedStore, EventLog, Follower) {
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    let options = StoreOptions::new().tail_events(3);
    let opened = EventLog::open(store.clone(), options.clone(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    log.append_all((1..=count).map(|n| n.to_string())).await.expect("stored");
    drop((log, follower));
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    (store, log, follower)
}

fn oldest(log: &EventLog) -> Client {
    Client::open(log.feed().start_at(Start::Oldest))
}

#[tokio::test(start_paused = true)]
async fn a_reader_far_behind_gets_all_in_order_and_then_what_comes() {
    let (store, log, follower) = log_of(5000).await;
    store.short_pages(7);
    let following = tokio::spawn(follower);
    let mut client = oldest(&log);
    client.read_until(5000).await;
    log.append("5001").await.expect("stored");
    client.read_until(5001).await;
    assert_eq!(client.events(), numbers(1..=5001));
    assert_eq!(log.stats().events, 3, "the tail is as small as before");
    following.abort();
}

/// Returns the id of the first event, once the follower has read what it reads when it begins.
async fn first_id(log: &EventLog) -> String {
    let first = log.read_after(&oldest_id(log).await, 1).await.expect("it is there");
    settle().await;
    first[0].id().expect("an id").to_string()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_clients_that_come_back_at_one_place_are_one_read() {
    let (store, log, follower) = log_of(500).await;
    let following = tokio::spawn(follower);
    let id = first_id(&log).await;
    let before = store.calls(Call::Read);
    let mut clients: Vec<Client> = (0..1000).map(|_| Client::resume(&log, &id)).collect();
    for client in &mut clients {
        client.read_until(499).await;
    }
    assert_eq!(store.calls(Call::Read) - before, 1, "reads");
    following.abort();
}

/// The id before the first event.
async fn oldest_id(log: &EventLog) -> sse_core::EventId {
    let epoch = log.stats().newest;
    let epoch = epoch.as_str().split_once('.').expect("epoch and position").0;
    format!("{epoch}.0").parse().expect("an id")
}

#[tokio::test(start_paused = true)]
async fn clients_at_many_places_are_eight_reads_at_a_time() {
    let (store, log, follower) = log_of(300).await;
    let frames = log.read_after(&oldest_id(&log).await, 300).await.expect("they are there");
    let following = tokio::spawn(follower);
    settle().await; // the follower has read what it reads when it begins
    store.dawdle(|| 5);
    let ids = frames.iter().take(200).filter_map(|frame| frame.id());
    let mut clients: Vec<Client> = ids.map(|id| Client::resume(&log, id.as_str())).collect();
    // Each asks for its page before any is answered.
    for client in &mut clients {
        _ = client.chunk_now().await;
        _ = client.chunk_now().await;
    }
    for (n, client) in clients.iter_mut().enumerate() {
        client.read_until(299 - n).await;
        assert_eq!(client.events(), numbers(n as u64 + 2..=300));
    }
    assert_eq!(store.most_reads_at_once(), 8);
    following.abort();
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_streams_stay_open_and_then_continue_at_their_positions() {
    for fault in [Fault::Fails, Fault::Stalls, Fault::LosesTheAnswer] {
        let (store, log, follower) = log_of(100).await;
        let following = tokio::spawn(follower);
        store.fault(Call::Read, fault);
        let mut client =
            Client::open(log.feed().start_at(Start::Oldest).keep_alive(Duration::from_secs(1)));
        for _ in 0..60 {
            client.chunk().await.expect("it stays open");
        }
        assert!(client.events().is_empty() && client.text().contains(": keep-alive"));
        store.mend(Call::Read);
        client.read_until(100).await;
        assert_eq!(client.events(), numbers(1..=100));
        following.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_trimmed_underneath_a_reader_is_told_of() {
    let (store, log, follower) = log_of(100).await;
    store.short_pages(10);
    let following = tokio::spawn(follower);
    let mut client = oldest(&log);
    client.read_until(10).await;
    store.trim(50);
    client.read_until(61).await;
    let events = client.events();
    let at = events.iter().position(|data| data.starts_with('{')).expect("a reset");
    assert!(events[at].starts_with(r#"{"reason":"too-old""#), "{}", events[at]);
    assert_eq!(events[..at], numbers(1..=at as u64)[..]);
    assert_eq!(events[at + 1..], numbers(51..=100)[..events.len() - at - 1]);
    following.abort();
}

/// Events that the store lost before the follower has seen them could not be told from those that took their place.
#[tokio::test(start_paused = true)]
async fn a_reader_gets_nothing_that_the_follower_has_not_brought() {
    let (store, log, follower) = log_of(100).await;
    let following = tokio::spawn(follower);
    assert_eq!(oldest(&log).read_until(100).await, numbers(1..=100));
    store.fault(Call::Pages, Fault::Stalls);
    log.append_all((101..=103).map(|n| n.to_string())).await.expect("stored");
    let mut client = oldest(&log);
    assert_eq!(client.read_until(100).await, numbers(1..=100));
    assert_eq!(client.read_all().await.len(), 100);
    store.mend(Call::Pages);
    assert_eq!(client.read_until(103).await, numbers(1..=103));
    following.abort();
}

/// A page on its way to a reader was read before the event was deleted: it is read again.
#[tokio::test(start_paused = true)]
async fn a_reader_gets_no_event_that_was_deleted_while_a_page_with_it_was_on_its_way() {
    let (store, log, follower) = log_of(100).await;
    let frames = log.read_after(&oldest_id(&log).await, 100).await.expect("they are there");
    let steps = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&steps);
    store.dawdle(move || now.load(Relaxed));
    let following = tokio::spawn(follower);
    assert_eq!(oldest(&log).read_until(100).await, numbers(1..=100));

    let is_read = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&is_read);
    store.between(move |_| now.store(true, Relaxed));
    steps.store(1000, Relaxed);
    let mut client = oldest(&log);
    while client.chunk_now().await.is_ready() {} // what it waits for is read by the follower
    while !is_read.load(Relaxed) {
        tokio::task::yield_now().await;
    }
    steps.store(0, Relaxed);
    log.delete(frames[49].id().expect("an id")).await.expect("deleted");
    // This read takes longer than the one before.
    steps.store(3000, Relaxed);
    client.read_until(99).await;
    assert_eq!(client.events(), [numbers(1..=49), numbers(51..=100)].concat());
    following.abort();
}

#[tokio::test(start_paused = true)]
async fn the_log_is_not_followed_until_its_follower_runs_which_ends_with_the_log() {
    let (store, log, follower) = log_of(3).await;
    assert!(!log.stats().is_followed);
    let mut client = Client::open(&log);
    assert!(client.read_all().await.is_empty());
    log.append("4").await.expect("stored");
    assert!(client.read_all().await.is_empty(), "nobody brings it");
    let following = tokio::spawn(follower);
    client.read_until(1).await;
    assert!(log.stats().is_followed);
    assert_eq!(store.calls(Call::Follow), 1, "whatever the number of clients");
    drop((client, log));
    tokio::time::timeout(Duration::from_secs(1), following)
        .await
        .expect("it ends")
        .expect("without a panic");
}

/// While a client is there, others get what it has read; pages that nobody can ask for again are not kept.
#[tokio::test(start_paused = true)]
async fn the_pages_that_were_read_are_forgotten_when_the_last_client_leaves() {
    let (store, log, follower) = log_of(500).await;
    let following = tokio::spawn(follower);
    let id = first_id(&log).await;
    let before = store.calls(Call::Read);
    let reads_for_another = async || {
        let mut client = Client::resume(&log, &id);
        client.read_until(499).await;
        (client, store.calls(Call::Read) - before)
    };
    let (stays, reads) = reads_for_another().await;
    assert_eq!(reads, 1);
    for _ in 0..3 {
        let (leaves, reads) = reads_for_another().await;
        assert_eq!(reads, 1, "the page is shared");
        drop(leaves);
    }
    drop(stays);
    assert_eq!(reads_for_another().await.1, 2, "the page was kept for nobody");
    following.abort();
}
