//! Several logs as one stream.

use sse_core::{Error, Event, EventLog, EventType, OnGap, Start, StreamResponse, merge};

use crate::support::client::{Client, request_after};
use crate::support::clock;

async fn append(log: &EventLog, text: &str) {
    log.append(text).await.expect("stored");
}

fn two() -> (EventLog, EventLog) {
    (EventLog::in_memory(100), EventLog::in_memory(100))
}

#[tokio::test(start_paused = true)]
async fn one_id_resumes_each_log() {
    let (a, b) = two();
    let feed = || merge([("a", &a), ("b", &b)]).expect("two names");
    let mut client = Client::open(feed());
    assert!(client.read_all().await.is_empty());
    append(&a, "a1").await;
    append(&b, "b1").await;
    append(&b, "b2").await;
    let mut events = client.read_all().await;
    events.sort();
    assert_eq!(events, ["a1", "b1", "b2"]);
    append(&a, "a2").await;
    append(&b, "b3").await;
    let mut events = Client::resume(feed(), client.last_event_id()).read_all().await;
    events.sort();
    assert_eq!(events, ["a2", "b3"]);
}

#[tokio::test(start_paused = true)]
async fn a_cut_anywhere_loses_and_repeats_nothing() {
    let (a, b) = two();
    let feed = || merge([("a", &a), ("b", &b)]).expect("two names").start_at(Start::Oldest);
    for n in 1..=20 {
        append(&a, &format!("a{n:02}")).await;
        append(&b, &format!("b{n:02}")).await;
    }
    let mut whole = Client::open(feed());
    whole.read_all().await;
    let expected: Vec<String> =
        ["a", "b"].iter().flat_map(|l| (1..=20).map(move |n| format!("{l}{n:02}"))).collect();
    for cut in 0..whole.parsed().len() {
        let seen = &whole.parsed()[..=cut];
        let rest = Client::resume(feed(), &seen[cut].last_event_id).read_all().await;
        let mut all: Vec<String> =
            seen.iter().map(|event| event.data.clone()).chain(rest).collect();
        all.sort();
        assert_eq!(all, expected, "cut after {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_has_a_gap_resets_alone_and_says_which() {
    let (a, b) = two();
    append(&a, "a1").await;
    append(&b, "b1").await;
    let mut client =
        Client::open(merge([("a", &a), ("b", &b)]).expect("two").start_at(Start::Oldest));
    client.read_all().await;
    append(&a, "a2").await;
    let anew = EventLog::in_memory(100);
    append(&anew, "b1 of another life").await;
    let mut back =
        Client::resume(merge([("a", &a), ("b", &anew)]).expect("two"), client.last_event_id());
    let mut events = back.read_all().await;
    events.sort();
    assert_eq!(events[..2], ["a2", "b1 of another life"]);
    assert!(events[2].starts_with(r#"{"reason":"other-epoch","#), "{}", events[2]);
    assert!(events[2].ends_with(r#","log":"b"}"#), "{}", events[2]);
    assert_eq!(events.len(), 3);
    // Once told, it is told no more.
    append(&anew, "b2").await;
    let rest = Client::resume(merge([("a", &a), ("b", &anew)]).expect("two"), back.last_event_id())
        .read_all()
        .await;
    assert_eq!(rest, ["b2"]);
}

#[tokio::test(start_paused = true)]
async fn a_gap_that_was_not_told_yet_is_told_after_the_next_cut() {
    let (a, b) = two();
    append(&a, "a1").await;
    append(&b, "b1").await;
    let strange =
        |a, b| Client::resume(merge([("a", a), ("b", b)]).expect("two"), "what no merge gives");
    let mut client = strange(&a, &b);
    // The client gets both resets. If it is cut off after the first, it gets the second when it comes back.
    client.read_until(1).await;
    let first = client.parsed()[0].clone();
    assert!(first.data.contains(r#""log":"a""#), "{first:?}");
    let mut back =
        Client::resume(merge([("a", &a), ("b", &b)]).expect("two"), &first.last_event_id);
    let mut events = back.read_all().await;
    events.sort();
    assert_eq!(events[..2], ["a1", "b1"]);
    assert!(events[2].contains(r#""log":"b""#) && events.len() == 3, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn the_positions_in_the_others_are_kept_if_a_log_is_added_or_left_out() {
    let (a, b) = two();
    let c = EventLog::in_memory(100);
    let mut client = Client::open(merge([("a", &a), ("b", &b)]).expect("two"));
    client.read_all().await;
    append(&a, "a1").await;
    append(&b, "b1").await;
    client.read_all().await;
    append(&a, "a2").await;
    append(&b, "b2").await;
    append(&c, "c1").await;
    let feed = merge([("c", &c), ("b", &b)]).expect("two").start_at(Start::Oldest);
    let mut events = Client::resume(feed, client.last_event_id()).read_all().await;
    events.sort();
    assert_eq!(events, ["b2", "c1"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_all_its_logs_are_finished() -> Result<(), Error> {
    let (a, b) = two();
    let feed = || merge([("a", &a), ("b", &b)]).expect("two names");
    let mut client = Client::open(feed());
    client.read_all().await;
    append(&a, "a1").await;
    a.finish().await?;
    assert_eq!(client.read_all().await, ["a1"]);
    assert!(!client.is_over());
    append(&b, "b1").await;
    b.finish().await?;
    assert_eq!(client.read_to_end().await, ["a1", "b1"]);
    let response =
        StreamResponse::new(&request_after(client.last_event_id()), feed(), clock::timer());
    assert_eq!(response.status, 204);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_shutdown_of_any_of_its_logs() {
    let (a, b) = two();
    let mut client = Client::open(merge([("a", &a), ("b", &b)]).expect("two names"));
    client.read_all().await;
    b.shutdown().begin();
    client.read_to_end().await;
    assert_eq!(client.text().matches("retry: ").count(), 2, "at its start and at its end");
    b.shutdown().drained().await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_in_one_log_refuses_the_merge_if_the_feed_says_stop() {
    let (a, b) = two();
    let mut client = Client::open(merge([("a", &a), ("b", &b)]).expect("two"));
    client.read_all().await;
    append(&a, "a1").await;
    client.read_all().await;
    let feed = merge([("a", &a), ("b", &EventLog::in_memory(1))]).expect("two").on_gap(OnGap::Stop);
    let response =
        StreamResponse::new(&request_after(client.last_event_id()), feed, clock::timer());
    assert_eq!(response.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_first_visit_gets_its_position_if_the_feed_has_a_position_event() {
    let (a, b) = two();
    append(&a, "before").await;
    let feed = || {
        merge([("a", &a), ("b", &b)]).expect("two").position_event(EventType::from_static("begun"))
    };
    let mut client = Client::open(feed());
    client.read_all().await;
    assert_eq!(client.parsed()[0].event_type, "begun");
    append(&a, "a1").await;
    append(&b, "b1").await;
    let mut events = Client::resume(feed(), client.last_event_id()).read_all().await;
    events.sort();
    assert_eq!(events, ["a1", "b1"]);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_an_id_line_is_taken_for_one() {
    let (a, b) = two();
    let mut client = Client::open(merge([("a", &a), ("b", &b)]).expect("two"));
    client.read_all().await;
    let text = "id: 1\n\nid: k3b9.1\n";
    a.append(Event::new(text).comment("id: 2")).await.expect("stored");
    assert_eq!(client.read_all().await, [text]);
}

#[test]
fn what_could_not_be_resumed_is_refused_when_it_is_built() {
    let log = EventLog::in_memory(1);
    let refused = |names: &[&str]| {
        let error = merge(names.iter().map(|name| (*name, &log))).map(drop).expect_err("refused");
        assert!(error.is_invalid_merge());
        error.to_string()
    };
    assert!(refused(&[]).contains("there is no log"));
    assert!(refused(&["a", "a"]).contains(r#"two logs are called "a""#));
    for name in ["", "a.b", "a b", "ä", "abcdefghijklmnopqrstuvwxyz0123456"] {
        assert!(refused(&[name]).contains("cannot name a log"));
    }
    assert!(
        refused(&["a", "b", "c", "d", "e", "f"]).contains("150 bytes long, and 128 are allowed")
    );
    assert!(merge(["a", "b", "c", "d", "e"].map(|name| (name, &log))).is_ok());
    assert!(merge(["prices1", "prices2", "prices3", "prices4"].map(|name| (name, &log))).is_ok());
}
