//! The follower, which brings a store's events into a process, when the store goes away, stalls, or has lost something.

use std::time::Duration;

use sse_core::{EventLog, Start, StoreOptions};
use tokio::task::JoinHandle;

use crate::support::client::Client;
use crate::support::clock::{self, pass};
use crate::support::poller::append;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Cut, Fault, Positions, ScriptedStore};

const BOTH: [Positions; 2] = [Positions::Dense, Positions::Sparse];

fn store(positions: Positions) -> ScriptedStore {
    ScriptedStore::on(clock::timer(), positions)
}

/// A process over this store, which looks every second whether all is there.
async fn process(store: &ScriptedStore) -> (EventLog, JoinHandle<()>) {
    let options = StoreOptions::new().store_check(Duration::from_secs(1));
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    (log, tokio::spawn(follower))
}

async fn append_all(log: &EventLog, events: std::ops::RangeInclusive<u64>) {
    for event in events {
        append(log, &event.to_string()).await;
    }
}

/// A client that has seen all there is.
async fn client(log: &EventLog, seen: usize) -> Client {
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_until(seen).await;
    client
}

/// Returns the place of the `reset` with this reason.
#[track_caller]
fn reset(client: &Client, reason: &str) -> usize {
    let resets = client.parsed().iter().enumerate().filter(|(_, e)| e.event_type == "reset");
    let resets: Vec<_> = resets.collect();
    assert_eq!(resets.len(), 1, "{:?}", client.events());
    assert!(resets[0].1.data.contains(reason), "{:?}", resets[0]);
    resets[0].0
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_opened_again_and_no_event_is_lost_with_it() {
    let store = store(Positions::Sparse);
    let (log, _following) = process(&store).await;
    let mut client = client(&log, 0).await;
    for (round, cut) in (0..20).zip([Cut::Ends, Cut::Fails].into_iter().cycle()) {
        append_all(&log, round * 5 + 1..=round * 5 + 3).await;
        store.cut(cut);
        append_all(&log, round * 5 + 4..=round * 5 + 5).await;
        pass(500).await;
        assert_eq!(client.read_all().await, numbers(1..=round * 5 + 5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_stalls_begins_again_within_three_seconds() {
    let store = store(Positions::Dense);
    let (log, _following) = process(&store).await;
    let mut client = client(&log, 0).await;
    store.fault(Call::Pages, Fault::Stalls);
    append_all(&log, 1..=3).await;
    pass(3000).await;
    assert!(store.calls(Call::Follow) >= 2, "it waits for what never comes");
    assert!(store.calls(Call::Follow) <= 4, "{} times is in haste", store.calls(Call::Follow));
    assert!(client.read_all().await.is_empty());
    store.mend(Call::Pages);
    assert_eq!(client.read_until(3).await, numbers(1..=3));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_asked_again_without_haste() {
    let store = store(Positions::Dense);
    let (log, _following) = process(&store).await;
    let mut client = client(&log, 0).await;
    pass(1).await;
    store.go_down();
    let before = store.calls(Call::Follow);
    pass(60_000).await;
    let calls = store.calls(Call::Follow) - before;
    assert!((40..200).contains(&calls), "{calls} times in a minute");
    store.come_back();
    append(&log, "1").await;
    pass(1000).await;
    assert_eq!(client.read_all().await.last().map(String::as_str), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_moved_back_is_told_to_every_stream_of_every_process() {
    for positions in BOTH {
        let store = store(positions);
        let processes = [process(&store).await, process(&store).await];
        append_all(&processes[0].0, 1..=3).await;
        let replica = store.replica();
        append_all(&processes[0].0, 4..=5).await;
        let mut clients = [client(&processes[0].0, 5).await, client(&processes[1].0, 5).await];
        let before = store.now().epoch;
        store.fail_over_to(&replica);
        pass(1500).await;
        let epoch = store.now().epoch;
        assert_ne!(epoch, before, "the ids of those that are lost must not name others");
        append(&processes[1].0, "4'").await;
        for client in &mut clients {
            client.read_until(10).await;
            let at = reset(client, "other-epoch");
            assert_eq!(at, 5);
            assert_eq!(client.events()[6..], ["1", "2", "3", "4'"]);
            assert!(client.last_event_id().starts_with(epoch.as_str()));
        }
        pass(5000).await;
        assert_eq!(store.now().epoch, epoch, "of two who notice one begins it");
    }
}

/// The number of new events equals that of the lost ones: the newest is another one.
#[tokio::test(start_paused = true)]
async fn a_past_that_is_another_one_is_told_of_though_it_is_as_long() {
    for (positions, more) in [(BOTH[0], 0), (BOTH[1], 0), (BOTH[0], 7), (BOTH[1], 7)] {
        let store = store(positions);
        let (log, _following) = process(&store).await;
        append_all(&log, 1..=3).await;
        let replica = store.replica();
        append_all(&log, 4..=5).await;
        let mut client = client(&log, 5).await;
        store.fail_over_to(&replica);
        // Before the follower comes back.
        for n in 4..=5 + more {
            append(&log, &format!("{n}'")).await;
        }
        client.read_until(11 + more).await;
        assert_eq!(reset(&client, "other-epoch"), 5);
        assert_eq!(client.events()[6..10], ["1", "2", "3", "4'"], "{positions:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn clients_get_a_reset_if_the_store_was_created_again() {
    let store = store(Positions::Dense);
    let (log, _following) = process(&store).await;
    append_all(&log, 1..=3).await;
    let mut client = client(&log, 3).await;
    store.recreate();
    append(&log, "first").await;
    client.read_until(5).await;
    assert_eq!(reset(&client, "other-epoch"), 3);
    assert_eq!(client.events()[4], "first");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_store_has_lost_is_told_of() {
    let store = store(Positions::Dense);
    let (log, _following) = process(&store).await;
    append_all(&log, 1..=3).await;
    let mut before_the_end = client(&log, 3).await;
    let replica = store.replica();
    log.finish().await.expect("finished");
    assert_eq!(before_the_end.read_to_end().await, numbers(1..=3));
    store.fail_over_to(&replica);
    pass(1500).await;
    append(&log, "4").await;
    let mut late = Client::resume(&log, before_the_end.last_event_id());
    late.read_until(5).await;
    assert_eq!(reset(&late, "other-epoch"), 0);
    assert_eq!(late.events()[1..], numbers(1..=4));
}

/// The follower of one process stalls while another appends, deletes the newest and finishes.
#[tokio::test(start_paused = true)]
async fn streams_end_with_the_log_though_its_newest_event_never_came() {
    let store = store(Positions::Sparse);
    let (other, _their_follower) = process(&store).await;
    append(&other, "1").await;
    let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    let mut waiting = Client::open(log.feed().start_at(Start::Oldest));
    let newest = other.append("2").await.expect("stored");
    other.delete(&newest).await.expect("deleted");
    other.finish().await.expect("finished");
    let _following = tokio::spawn(follower);
    assert_eq!(waiting.read_to_end().await, ["1"]);
    tokio::time::timeout(Duration::from_secs(5), async {
        while !log.stats().is_finished {
            pass(10).await;
        }
    })
    .await
    .expect("it is known to be finished");
}

/// It was deleted before the follower brings it: nobody gets it, though a page with it is on its way.
#[tokio::test(start_paused = true)]
async fn an_event_that_was_deleted_before_it_came_does_not_come() {
    let store = store(Positions::Dense);
    let (log, _following) = process(&store).await;
    let mut client = client(&log, 0).await;
    pass(1).await;
    // Each page takes long to arrive.
    store.dawdle(|| 50);
    let deleted = log.append("to be deleted").await.expect("stored");
    log.delete(&deleted).await.expect("deleted");
    store.dawdle(|| 0);
    append(&log, "kept").await;
    pass(3000).await;
    assert_eq!(client.read_all().await, ["kept"]);
    assert!(log.get(&deleted).await.expect_err("it is gone").is_gap());
}

/// The store has lost events, and its follower does not know it yet: what a reader behind the tail is missing is not passed over.
#[tokio::test(start_paused = true)]
async fn a_reader_behind_the_tail_waits_if_the_store_has_lost_the_events_that_it_needs() {
    let store = store(Positions::Dense);
    let (other, _their_follower) = process(&store).await;
    append_all(&other, 1..=50).await;
    let replica = store.replica();
    append_all(&other, 51..=100).await;
    drop(other);
    let options = StoreOptions::new().tail_events(3);
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    let _following = tokio::spawn(follower);
    pass(100).await;
    store.short_pages(10);
    let mut client = client(&log, 10).await;
    store.fault(Call::Bounds, Fault::Stalls);
    store.fail_over_to(&replica);
    let seen = client.read_all().await;
    assert_eq!(seen, numbers(1..=seen.len() as u64), "what is lost was passed over");
    store.mend(Call::Bounds);
    client.read_until(seen.len() + 51).await;
    assert_eq!(reset(&client, "other-epoch"), seen.len());
    assert_eq!(client.events()[seen.len() + 1..], numbers(1..=50));
}
