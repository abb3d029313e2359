//! The memory for a client of a source is bounded. If a bound is passed the response ends, and nothing is lost.

use std::time::Duration;

use sse_core::{Event, Feed};

use crate::support::client::Client;
use crate::support::report::Reports;
use crate::support::script::{Script, numbers};

#[tokio::test(start_paused = true)]
async fn as_much_as_is_kept_may_be_published_during_a_fetch() {
    let script = Script::holding(1..=3);
    script.after_fetch(|script| (4..=6).for_each(|number| script.publish(number)));
    let mut client = Client::resume(Feed::from(script.clone()).buffered_events(3), "1");
    assert_eq!(client.read_all().await, numbers(2..=6));
    assert!(!client.is_over());
}

#[tokio::test(start_paused = true)]
async fn when_more_is_published_the_replay_is_delivered_and_then_the_response_ends() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    script.after_fetch(|script| (4..=7).for_each(|number| script.publish(number)));
    let feed = reports.of(Feed::from(script.clone()).buffered_events(3));
    let mut client = Client::resume(feed, "1");
    assert_eq!(client.read_to_end().await, numbers(2..=3));
    let error = reports.only();
    assert!(error.is_overflow() && !error.is_source(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn after_an_overflow_the_client_comes_back_and_has_lost_nothing() {
    let script = Script::holding(1..=3);
    let mut next = 4;
    // Each fetch is overtaken by more than is kept.
    script.after_fetch(move |script| {
        (next..next + 5).for_each(|number| script.publish(number));
        next += 5;
    });
    let (mut seen, mut last) = (Vec::new(), "1".to_owned());
    for _ in 0..4 {
        let mut client = Client::resume(Feed::from(script.clone()).buffered_events(2), &last);
        // Published after the overflow: not to be let through, since others before it are missing.
        client.chunk().await;
        seen.extend(client.read_to_end().await);
        client.last_event_id().clone_into(&mut last);
    }
    assert_eq!(seen, numbers(2..=18));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_during_a_fetch_is_bounded_in_bytes_too() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    let large = "x".repeat(400_000);
    script.after_fetch(move |script| {
        for _ in 0..3 {
            script.send(|| Ok(Event::new(large.as_str()).into()));
        }
    });
    let mut client = Client::resume(reports.of(script.clone()), "1");
    assert_eq!(client.read_to_end().await, numbers(2..=3));
    assert!(reports.only().is_overflow());
}

#[tokio::test(start_paused = true)]
async fn a_replay_as_long_as_the_ids_remembered_goes_on_live() {
    let script = Script::holding(1..=5);
    let mut client = Client::resume(Feed::from(script.clone()).remembered_ids(4), "1");
    assert_eq!(client.read_all().await, numbers(2..=5));
    (2..=5).for_each(|number| script.notify(number));
    script.publish(6);
    assert_eq!(client.read_all().await, numbers(2..=6));
}

/// A notification that comes late is not repeated, for as long as the source was said to be late.
#[tokio::test(start_paused = true)]
async fn the_ids_of_a_replay_are_remembered_for_as_long_as_notifications_may_be_late() {
    let (minute, day) = (Duration::from_secs(60), Duration::from_secs(24 * 3600));
    for (late, after, is_repeated) in [
        (None, minute - Duration::from_secs(1), false),
        (None, minute + Duration::from_secs(1), true),
        (Some(day), day - minute, false),
        (Some(day), day + minute, true),
        (Some(Duration::MAX), 365 * day, false),
    ] {
        let script = Script::holding(1..=5);
        let feed = Feed::from(script.clone());
        let feed = late.map_or(feed.clone(), |late| feed.late_notifications(late));
        let mut client = Client::resume(feed, "1");
        assert_eq!(client.read_all().await, numbers(2..=5));
        tokio::time::advance(after).await;
        client.read_all().await;
        (2..=5).for_each(|number| script.notify(number));
        script.publish(6);
        let repeated = (2..=5).filter(|_| is_repeated);
        let expected = numbers((2..=5).chain(repeated).chain([6]));
        assert_eq!(client.read_all().await, expected, "{late:?}, after {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_replay_longer_than_the_ids_remembered_the_client_comes_back_for_the_rest() {
    let (script, reports) = (Script::holding(1..=5), Reports::default());
    script.after_fetch(|script| script.publish(6));
    let feed = reports.of(Feed::from(script.clone()).remembered_ids(3));
    let mut client = Client::resume(feed, "1");
    assert_eq!(client.read_to_end().await, numbers(2..=5));
    assert!(reports.is_empty(), "nothing went wrong");

    script.after_fetch(|_| {});
    let feed = Feed::from(script.clone()).remembered_ids(3);
    let mut client = Client::resume(feed, client.last_event_id());
    script.publish(7);
    assert_eq!(client.read_all().await, numbers(6..=7));
    assert!(!client.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_live_stream_that_ends_during_the_fetch_ends_the_response_after_what_it_gave() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    script.after_fetch(|script| {
        script.publish(4);
        script.hang_up();
    });
    let mut client = Client::resume(reports.of(script), "1");
    assert_eq!(client.read_to_end().await, numbers(2..=4));
    assert!(reports.is_empty(), "an end is no error");
}
