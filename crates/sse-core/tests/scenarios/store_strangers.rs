//! Ids, and epochs, that a process does not know.

use std::time::Duration;

use sse_core::{EventLog, OnGap, Start, StoreOptions};

use crate::support::clock;
use crate::support::poller::{Poller, append, one_step, settle};
use crate::support::scripted_store::{Positions, ScriptedStore};

/// Ids of another epoch, one at each turn, and nobody gets any event any more.
#[tokio::test(start_paused = true)]
async fn ids_that_nobody_knows_delay_nobody() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = EventLog::open(store.clone(), StoreOptions::default(), clock::timer())
        .await
        .expect("it works");
    let running = tokio::spawn(follower);
    settle().await;
    store.dawdle(|| 3);
    let mut client = Poller::new(&log, None);
    client.all();
    let clients = log.clone();
    // There is one for each step of the scheduler: one within each round trip is enough.
    let attack = tokio::spawn(async move {
        let mut strangers = std::collections::VecDeque::new();
        for n in 1..=3000 {
            strangers.push_back(Poller::new(&clients, Some(&format!("{n:012}.1"))));
            if strangers.len() > 50 {
                strangers.pop_front();
            }
            one_step().await;
        }
        (client.all(), client)
    });
    append(&log, "hello").await;
    let (during, mut client) = attack.await.expect("it works");
    settle().await;
    assert_eq!(client.all(), ["hello"], "once the attack is over");
    assert_eq!(during, ["hello"], "while it goes on");
    running.abort();
}

/// A client that waits for the newest few, and stalls, has everybody after it begin where it would have begun.
#[tokio::test(start_paused = true)]
async fn a_client_that_stalls_does_not_decide_the_start_of_others() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let options = StoreOptions::new().tail_events(1);
    let (log, follower) =
        EventLog::open(store.clone(), options, clock::timer()).await.expect("it works");
    let running = tokio::spawn(follower);
    for n in 1..=10 {
        append(&log, &format!("{n}")).await;
    }
    settle().await;
    let feed = || log.feed().start_at(Start::Last(2));
    let mut stalled = Poller::new(feed(), None);
    while stalled.chunk() {} // it waits; the answer comes, and it is not polled again
    settle().await;
    for n in 11..=100 {
        append(&log, &format!("{n}")).await;
    }
    settle().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut fresh = Poller::new(feed(), None);
    for _ in 0..5 {
        fresh.all();
        settle().await;
    }
    assert_eq!(fresh.data(), ["99", "100"], "2 s later as well");
    running.abort();
}

/// `new_epoch` where the store is of an epoch that the follower has not seen yet.
#[tokio::test(start_paused = true)]
async fn a_new_epoch_is_begun_though_the_store_was_restored_unseen() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, _follower) = EventLog::open(store.clone(), StoreOptions::default(), clock::timer())
        .await
        .expect("it works");
    append(&log, "1").await;
    let backup = store.replica();
    let (other, _f2) = EventLog::open(store.clone(), StoreOptions::default(), clock::timer())
        .await
        .expect("it works");
    other.new_epoch().await.expect("it works");
    drop((log, other));
    let (log, _follower) = EventLog::open(store.clone(), StoreOptions::default(), clock::timer())
        .await
        .expect("it works");
    store.fail_over_to(&backup); // restored
    let before = store.now().epoch;
    log.new_epoch().await.expect("it works");
    assert_ne!(store.now().epoch, before, "it said that it began another life");
}

/// A backup of an earlier epoch is restored under a running process: its ids name other events.
#[tokio::test(start_paused = true)]
async fn an_epoch_that_comes_back_is_a_gap() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = EventLog::open(store.clone(), StoreOptions::default(), clock::timer())
        .await
        .expect("it works");
    let running = tokio::spawn(follower);
    append(&log, "1").await;
    let backup = store.replica();
    append(&log, "2").await;
    let offline = append(&log, "3").await; // a client that was there, and is offline for a while
    settle().await;
    log.new_epoch().await.expect("it works");
    append(&log, "4").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    store.fail_over_to(&backup);
    tokio::time::sleep(Duration::from_secs(5)).await;
    for text in ["2'", "3'", "4'"] {
        append(&log, text).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut back = Poller::new(&log, Some(&offline));
    for _ in 0..5 {
        back.all();
        settle().await;
    }
    assert!(back.data()[0].contains("reason"), "2' and 3' are lost in silence: {:?}", back.data());
    running.abort();
}

/// `OnGap::Stop` over a store: ids of an epoch that it does not know.
#[tokio::test(start_paused = true)]
async fn a_gap_that_ends_the_stream_is_204_the_second_time() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) =
        EventLog::open(store, StoreOptions::default(), clock::timer()).await.expect("it works");
    let running = tokio::spawn(follower);
    append(&log, "1").await;
    settle().await;
    let mut refused = 0;
    for n in (0..65).cycle().take(650) {
        let mut client = Poller::new(log.feed().on_gap(OnGap::Stop), Some(&format!("other.{n}")));
        refused += usize::from(client.status == 204);
        client.all();
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.all();
        assert!(client.is_over());
    }
    assert_eq!(refused, 649, "all but the first");
    running.abort();
}

/// Any client can ask for what comes next, before anybody has been given it.
#[tokio::test(start_paused = true)]
async fn an_id_that_was_asked_for_too_early_is_known_once_it_is_given() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let open =
        async || EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    let (a, mut following) = open().await.expect("it works");
    let (b, follower) = open().await.expect("it works");
    tokio::spawn(follower);
    for n in 1..=5 {
        append(&b, &n.to_string()).await;
    }
    let mut follow_a = async |millis| {
        drop(tokio::time::timeout(Duration::from_millis(millis), &mut following).await);
    };
    follow_a(100).await;
    let epoch = a.epoch();
    let mut attack: Vec<_> =
        (6..=200).map(|n| Poller::new(&a, Some(&format!("{epoch}.{n}")))).collect();
    attack.iter_mut().for_each(|client| drop(client.all()));
    follow_a(100).await;
    for client in &mut attack {
        assert!(client.all().iter().any(|data| data.contains("ahead-of-head")));
    }
    // Its reader goes to the process that has not followed to it.
    let six = append(&b, "6").await;
    let on_gaps = [OnGap::Stop, OnGap::Reset, OnGap::Live];
    let mut clients = on_gaps.map(|gap| Poller::new(a.feed().on_gap(gap), Some(&six)));
    append(&b, "7").await;
    clients.iter_mut().for_each(|client| drop(client.all()));
    follow_a(2000).await;
    for client in &mut clients {
        assert_eq!((client.status, client.all()), (200, vec!["7".to_owned()]));
    }
    let found = a.get(&six.parse().expect("an id")).await.expect("it is there by now");
    assert_eq!(found.to_event().data.as_deref(), Some("6"));
}
