//! Several logs as one stream, when one of them ends or has a gap.

use sse_core::{BoxError, EventLog, Feed, OnGap, Snapshot, Start, merge};

use crate::support::poller::{Poller, append};

/// A crafted id (or one from when a log was over a store with two numbers) panics the body: `id_at`'s expect.
#[tokio::test(start_paused = true)]
async fn an_id_that_no_merge_gives_makes_none_that_is_too_long() {
    let names = ["aaaaaa", "bbbbbb", "cccccc", "dddddd"];
    let logs: Vec<(&str, EventLog)> = names.iter().map(|n| (*n, EventLog::in_memory(10))).collect();
    let feed = || merge(logs.iter().map(|(n, l)| (n, l))).expect("it works");
    let mut honest = Poller::new(feed().position_event("hello".parse().expect("it works")), None);
    honest.all();
    let id = honest.id();
    let parts: Vec<&str> = id.split('.').collect();
    let crafted: Vec<String> = parts[2..]
        .chunks(2)
        .map(|part| format!("{}.{}LygHa16AHYF-LygHa16AHYF", part[0], &part[1][..11]))
        .collect();
    let crafted = format!("_{}", crafted.join("."));
    assert!(crafted.len() <= 128);
    for (_, log) in &logs {
        log.append_all((0..100).map(|n| n.to_string())).await.expect("it works");
    }
    let mut client = Poller::new(feed(), Some(&crafted));
    client.all();
    assert_eq!(
        client.data().iter().filter(|data| data.contains("reason")).count(),
        3,
        "three resets"
    );
}

/// A log that finished while the client was there is replayed whole when it comes back.
#[tokio::test(start_paused = true)]
async fn a_log_that_finished_is_not_repeated() {
    let (a, b) = (EventLog::in_memory(10), EventLog::in_memory(10));
    let feed = || merge([("a", &a), ("b", &b)]).expect("it works").start_at(Start::Oldest);
    append(&b, "b1").await;
    let mut client = Poller::new(feed(), None);
    assert_eq!(client.all(), ["b1"]);
    b.finish().await.expect("it works");
    client.all();
    append(&a, "a1").await;
    assert_eq!(client.all(), ["b1", "a1"]);
    append(&a, "a2").await;
    let mut back = Poller::new(feed(), Some(&client.id()));
    assert_eq!(back.all(), ["a2"]);
}

/// The same with a client that came with an id.
#[tokio::test(start_paused = true)]
async fn a_log_that_finished_is_not_repeated_to_who_resumed() {
    let (a, b) = (EventLog::in_memory(10), EventLog::in_memory(10));
    let feed = || merge([("a", &a), ("b", &b)]).expect("it works");
    let mut first = Poller::new(feed(), None);
    first.all();
    append(&b, "b1").await;
    first.all();
    append(&b, "b2").await;
    let mut client = Poller::new(feed(), Some(&first.id()));
    assert_eq!(client.all(), ["b2"]);
    b.finish().await.expect("it works");
    client.all();
    append(&a, "a1").await;
    assert_eq!(client.all(), ["b2", "a1"]);
    let mut back = Poller::new(feed(), Some(&client.id()));
    assert_eq!(back.all(), [""; 0]);
}

/// A gap found in mid-stream, with a snapshot pending: another log's id forgets that the client was ever in this one.
#[tokio::test(start_paused = true)]
async fn a_gap_whose_snapshot_was_still_to_come_is_told_again() {
    let (a, b) = (EventLog::in_memory(2), EventLog::in_memory(10));
    let pending = OnGap::snapshot(|_| std::future::pending::<Result<Snapshot, BoxError>>());
    let feed = || merge([("a", &a), ("b", &b)]).expect("it works");
    let mut client = Poller::new(feed().on_gap(pending), None);
    append(&a, "a0").await;
    assert_eq!(client.all(), ["a0"]);
    for n in 1..=5 {
        append(&a, &format!("a{n}")).await;
    }
    client.all(); // the reset without an id; the snapshot is being made
    append(&b, "b1").await;
    client.all();
    assert_eq!(client.data().last().expect("it works"), "b1");
    // It is cut off here.
    let mut back = Poller::new(feed(), Some(&client.id()));
    let got = back.all();
    assert!(
        got.iter().any(|data| data.contains("too-old")),
        "a1 to a5 are lost in silence: {got:?}"
    );
}

/// `OnGap::Stop`, mid-stream: the other log's event carries an id without the log that has the gap.
#[tokio::test(start_paused = true)]
async fn a_gap_that_ends_the_stream_is_refused_when_the_client_comes_back() {
    for names in [["a", "b"], ["b", "a"]] {
        let (a, b) = (EventLog::in_memory(2), EventLog::in_memory(10));
        let log = |name: &str| if name == "a" { a.clone() } else { b.clone() };
        let feed =
            || merge(names.map(|name| (name, log(name)))).expect("it works").on_gap(OnGap::Stop);
        let mut client = Poller::new(feed(), None);
        append(&a, "a0").await;
        client.all();
        append(&b, "b0").await;
        client.all();
        for n in 1..=5 {
            append(&a, &format!("a{n}")).await;
        }
        append(&b, "b1").await;
        client.all();
        assert!(client.is_over());
        let back = Poller::new(feed(), Some(&client.id()));
        assert_eq!(back.status, 204, "it goes on, without a1 to a5; last id {:?}", client.id());
    }
}

/// A merge with an opening event tells of it where the stream does not begin live.
#[tokio::test(start_paused = true)]
async fn the_opening_event_is_for_those_who_begin_live() {
    let a = EventLog::in_memory(10);
    append(&a, "1").await;
    let feed =
        |of: Feed| of.start_at(Start::Oldest).position_event("hello".parse().expect("it works"));
    let one = Poller::new(feed(a.feed()), None).all();
    let merged = Poller::new(feed(merge([("a", &a)]).expect("it works")), None).all();
    assert_eq!(one, merged);
}
