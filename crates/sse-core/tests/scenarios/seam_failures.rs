//! Every failure ends the response after whole frames, is reported once, and loses nothing.

use std::error::Error as _;

use sse_core::Feed;

use crate::support::client::Client;
use crate::support::report::Reports;
use crate::support::script::{Fetch, Script, numbers};

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_subscribed_to_ends_the_response() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    script.refuse_to_stream();
    let mut client = Client::resume(reports.of(script.clone()).no_retry(), "1");
    assert_eq!(client.read_to_end().await, numbers([]));
    assert_eq!(client.text(), ": ok\n", "the answer had begun");
    check(&reports, "subscribing", "no more subscribers");
    assert_eq!(script.calls(), ["stream"], "what was missed could not be joined to anything");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_fails_ends_the_response_and_the_client_asks_again() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    script.fetch_is(Fetch::Fails);
    let mut client = Client::resume(reports.of(script.clone()), "1");
    script.after_fetch(|script| script.publish(4));
    assert_eq!(client.read_to_end().await, numbers([]));
    check(&reports, "fetching what was missed", "the database is gone");
    assert_eq!(script.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_fails_ends_the_response_after_the_events_it_gave() {
    let (script, reports) = (Script::holding(1..=5), Reports::default());
    script.fetch_is(Fetch::FailsAfter(2));
    script.after_fetch(|script| script.publish(6));
    let mut client = Client::resume(reports.of(script.clone()), "1");
    assert_eq!(client.read_to_end().await, numbers(2..=3));
    check(&reports, "replaying what was missed", "the database is gone");
    assert_eq!(client.last_event_id(), "3", "from there it resumes");
}

#[tokio::test(start_paused = true)]
async fn a_live_stream_that_fails_ends_the_response_after_the_events_it_gave() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    let mut client = Client::resume(reports.of(script.clone()), "1");
    client.read_until(2).await;
    script.publish(4);
    script.send(|| Err("lagged".into()));
    script.publish(5);
    assert_eq!(client.read_to_end().await, numbers(2..=4), "5 comes after a loss");
    check(&reports, "streaming", "lagged");
    assert_eq!(script.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_live_stream_that_fails_during_the_fetch_ends_the_response_after_the_replay() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    script.after_fetch(|script| {
        script.publish(4);
        script.send(|| Err("lagged".into()));
        script.publish(5);
    });
    let mut client = Client::resume(reports.of(script.clone()), "1");
    assert_eq!(client.read_to_end().await, numbers(2..=4));
    check(&reports, "streaming", "lagged");
}

/// A closed broadcast channel does this: each call fails at once.
#[tokio::test(start_paused = true)]
async fn a_live_stream_that_fails_again_and_again_is_reported_as_what_it_is() {
    let (script, reports) = (Script::holding(1..=3), Reports::default());
    script.after_fetch(|script| (0..20).for_each(|_| script.send(|| Err("closed".into()))));
    let feed = reports.of(Feed::from(script).buffered_events(10));
    let mut client = Client::resume(feed, "1");
    assert_eq!(client.read_to_end().await, numbers(2..=3));
    check(&reports, "streaming", "closed");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_is_dropped_with_its_client() {
    let script = Script::holding(1..=3);
    script.fetch_is(Fetch::Hangs);
    let mut client = Client::resume(Feed::from(script.clone()), "1");
    assert_eq!(client.read_all().await, numbers([]));
    assert_eq!(script.subscribers(), 1);
    drop(client);
    assert_eq!(script.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_live_stream_that_ends_ends_the_response() {
    let (script, reports) = (Script::default(), Reports::default());
    let mut client = Client::open(reports.of(script.clone()));
    client.read_all().await;
    script.publish(1);
    script.hang_up();
    assert_eq!(client.read_to_end().await, numbers([1]));
    assert!(reports.is_empty());
}

/// The only error says what was being done, and keeps the application's own error.
#[track_caller]
fn check(reports: &Reports, during: &str, cause: &str) {
    let error = reports.only();
    assert!(error.is_source() && error.to_string().ends_with(during), "{error}");
    assert_eq!(error.source().expect("the application's").to_string(), cause);
}
