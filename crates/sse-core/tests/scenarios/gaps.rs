//! A client that cannot resume exactly where it was is told so, or gets what was chosen instead.

use serde_json::Value;
use sse_core::{Event, EventLog, Feed, OnGap, StreamRequest, StreamResponse};

use crate::support::client::{Client, request_after};
use crate::support::clock;
use crate::support::script::{Fetch, Script, numbers};

/// A log of the events 1 to 9 that keeps the last three, and the epoch of its ids.
async fn log() -> (EventLog, String) {
    let log = EventLog::in_memory(3);
    append(&log, 1..=9).await;
    let newest = log.stats().newest.to_string();
    let (epoch, _) = newest.split_once('.').expect("epoch and position");
    (log, epoch.to_owned())
}

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        log.append(Event::new(number.to_string())).await.expect("stored");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_at_the_edge_of_what_is_kept_resumes_exactly() {
    let (log, epoch) = log().await;
    let mut client = Client::resume(&log, format!("{epoch}.6"));
    assert_eq!(client.read_all().await, numbers(7..=9));
    let mut client = Client::resume(&log, format!("{epoch}.9"));
    assert_eq!(client.read_all().await, numbers([]));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_resume_a_log_is_told_why_then_gets_all_that_is_kept() {
    let (log, epoch) = log().await;
    for (id, reason) in [
        (format!("{epoch}.5"), "too-old"),
        (format!("{epoch}.10"), "ahead-of-head"),
        (format!("{epoch}.18446744073709551615"), "ahead-of-head"),
        ("another.7".to_owned(), "other-epoch"),
        ("nonsense".to_owned(), "unknown"),
        (format!("_a.{epoch}.7"), "unknown"), // the feed was a merge
        (format!("{epoch}.07"), "unknown"),
        ("x".repeat(129), "unknown"),
        ("\u{e9}".to_owned(), "unknown"),
    ] {
        let mut client = Client::resume(&log, &id);
        client.read_all().await;
        let reset = &client.parsed()[0];
        assert_eq!(reset.event_type, "reset", "{id}");
        let said: Value = serde_json::from_str(&reset.data).expect("JSON");
        assert_eq!(said["reason"], reason, "{id}");
        assert_eq!(said["oldest"], format!("{epoch}.7"));
        assert_eq!(said["newest"], format!("{epoch}.9"));
        assert_eq!(client.events()[1..], numbers(7..=9));

        // Cut off right after the reset, it comes back with the reset's id.
        let mut again = Client::resume(&log, &reset.last_event_id);
        assert_eq!(again.read_all().await, numbers(7..=9));
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_log_tells_of_a_gap_and_its_id_is_known_again() {
    let log = EventLog::in_memory(3);
    let mut client = Client::resume(&log, "another.7");
    client.read_all().await;
    assert_eq!(client.parsed()[0].data, r#"{"reason":"other-epoch","oldest":null,"newest":null}"#);
    let mut again = Client::resume(&log, client.last_event_id());
    append(&log, 1..=2).await;
    assert_eq!(again.read_all().await, numbers(1..=2));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_falls_behind_what_is_kept_is_told_and_goes_on_with_what_is_kept() {
    let (log, epoch) = log().await;
    let mut client = Client::resume(&log, format!("{epoch}.8"));
    assert_eq!(client.read_all().await, numbers([9]));
    append(&log, 10..=20).await;
    client.read_all().await;
    assert!(client.parsed()[1].data.contains("too-old"));
    assert_eq!(client.events()[2..], numbers(18..=20));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_on_live_is_not_told_of_the_gap() {
    let (log, _) = log().await;
    let mut client = Client::resume(log.feed().on_gap(OnGap::Live), "nonsense");
    assert_eq!(client.read_all().await, numbers([]));
    append(&log, [10]).await;
    assert_eq!(client.read_all().await, numbers([10]));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_to_stop_gets_204_and_no_body() {
    let (log, _) = log().await;
    let response = StreamResponse::new(
        &request_after("nonsense"),
        log.feed().on_gap(OnGap::Stop),
        clock::timer(),
    );
    assert_eq!(response.status, 204);
    assert_eq!(response.headers.get("content-type"), None);
    assert_eq!(Client::new(response.body).read_to_end().await, numbers([]));
    assert_eq!((log.stats().open_streams, log.shutdown().open_streams()), (0, 0));

    // An id that no source can be asked for stops at once, too.
    let feed = Feed::from(Script::default()).on_gap(OnGap::Stop);
    let response = StreamResponse::new(&request_after("\u{e9}"), feed, clock::timer());
    assert_eq!(response.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_to_stop_when_it_falls_behind_gets_the_end_and_then_204() {
    let (log, _) = log().await;
    let feed = || log.feed().on_gap(OnGap::Stop);
    let mut client = Client::open(feed());
    append(&log, [10]).await;
    client.read_until(1).await;
    append(&log, 11..=20).await;
    assert_eq!(client.read_to_end().await, numbers([10]));
    let again = request_after(client.last_event_id());
    assert_eq!(StreamResponse::new(&again, feed(), clock::timer()).status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_tell_what_was_missed_resets_its_client_and_goes_on_live() {
    for id in ["2", "\u{e9}"] {
        let script = Script::holding(1..=5);
        script.fetch_is(Fetch::TellsOfAGap);
        script.after_fetch(|script| script.publish(6));
        let mut client = Client::resume(script.clone(), id);
        client.read_all().await;
        script.publish(7);
        client.read_all().await;
        let reset = &client.parsed()[0];
        assert_eq!((reset.event_type.as_str(), reset.last_event_id.as_str()), ("reset", ""));
        assert_eq!(reset.data, r#"{"reason":"unknown","oldest":null,"newest":null}"#);
        let expected = if id == "2" { 6..=7 } else { 7..=7 };
        assert_eq!(client.events()[1..], numbers(expected), "{id}");
    }
}

/// A source that counts from 1 again after a restart does this: its ids name other events than before.
#[tokio::test(start_paused = true)]
async fn after_a_gap_the_last_event_id_is_an_id_as_any_other() {
    let script = Script::default();
    script.fetch_is(Fetch::TellsOfAGap);
    let mut client = Client::resume(script.clone(), "2");
    client.read_all().await;
    (1..=3).for_each(|number| script.publish(number));
    client.read_all().await;
    assert_eq!(client.events()[1..], numbers(1..=3));
}

#[tokio::test(start_paused = true)]
async fn a_gap_of_a_source_goes_on_live_or_ends_as_chosen() {
    let script = Script::holding(1..=5);
    script.fetch_is(Fetch::TellsOfAGap);
    let mut client = Client::resume(Feed::from(script.clone()).on_gap(OnGap::Live), "2");
    client.read_all().await;
    script.publish(6);
    assert_eq!(client.read_all().await, numbers([6]));

    let mut client = Client::resume(Feed::from(script.clone()).on_gap(OnGap::Stop), "2");
    assert_eq!(client.read_to_end().await, numbers([]));
}

#[tokio::test(start_paused = true)]
async fn two_last_event_ids_that_differ_are_a_gap() {
    let (log, epoch) = log().await;
    let ids = [format!("{epoch}.7"), format!("{epoch}.8")];
    let headers = ids.iter().map(|id| ("last-event-id", id.as_bytes()));
    let mut client = Client::with(&StreamRequest::new("GET", None, headers), &log);
    client.read_all().await;
    assert_eq!(client.parsed()[0].event_type, "reset");
}

#[tokio::test]
async fn reading_in_the_process_fails_if_events_are_missing() {
    let log = EventLog::in_memory(3);
    let ids = log.append_all((1..=6).map(|n| Event::new(n.to_string()))).await.expect("stored");
    for gone in &ids[..2] {
        assert!(log.read_after(gone, 10).await.expect_err("events are missing").is_gap());
    }
    let read = log.read_after(&ids[2], 2).await.expect("nothing is missing");
    assert_eq!(read.iter().map(|frame| frame.id()).collect::<Vec<_>>(), [ids.get(3), ids.get(4)]);
    assert!(log.read_after(&ids[5], 10).await.expect("it is the newest").is_empty());
    let unknown = sse_core::EventId::from_static("nonsense");
    assert!(log.read_after(&unknown, 10).await.expect_err("none has it").is_gap());
}
