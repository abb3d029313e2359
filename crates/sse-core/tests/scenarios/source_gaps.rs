//! A gap of a source, while more is published.

use sse_core::{EventId, Feed, OnGap, Replay, Snapshot, Source, source};

use crate::support::client::Client;
use crate::support::script::{Fetch, Script};

/// A source with a gap: three events are published before its fetch has an answer.
fn with_a_gap() -> Script {
    let script = Script::holding(1..=4);
    script.fetch_is(Fetch::TellsOfAGap);
    script.before_fetch(|script| (5..=7).for_each(|number| script.publish(number)));
    script
}

#[tokio::test(start_paused = true)]
async fn a_client_with_a_gap_goes_on_with_what_was_published_meanwhile() {
    let script = with_a_gap();
    let mut client = Client::resume(script.clone(), "1");
    assert_eq!(client.read_all().await[1..], ["5", "6", "7"]);
    script.publish(8);
    assert_eq!(client.read_all().await[1..], ["5", "6", "7", "8"]);
}

/// It has no id to come back with: it would be told of the same gap for as long as the source is as busy.
#[tokio::test(start_paused = true)]
async fn a_client_with_a_gap_goes_on_though_more_was_published_than_is_buffered() {
    for on_gap in [OnGap::Reset, OnGap::Live] {
        let script = with_a_gap();
        let feed = Feed::from(script.clone()).on_gap(on_gap).buffered_events(2);
        let mut client = Client::resume(feed, "1");
        client.read_all().await;
        script.publish(8);
        let events = client.read_all().await;
        assert_eq!(events.last().map(String::as_str), Some("8"), "ended: {}", client.is_over());
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_are_in_a_snapshot_do_not_come_after_it() {
    let script = Script::holding(1..=4);
    let (fetched, streamed, published) = (script.clone(), script.clone(), script.clone());
    let fetch = move |id: EventId| {
        let script = fetched.clone();
        async move { if id.as_str() == "1" { Ok(Replay::Gap) } else { script.fetch(&id).await } }
    };
    let stream = move || {
        let script = streamed.clone();
        async move { script.stream().await }
    };
    let feed = Feed::from(source(fetch, stream)).on_gap(OnGap::snapshot(move |_| {
        (5..=7).for_each(|number| published.publish(number));
        let at = EventId::from_static("6");
        let events = vec!["the state as of 6".into()];
        std::future::ready(Ok(Snapshot { events, at }))
    }));
    let mut client = Client::resume(feed, "1");
    assert_eq!(client.read_all().await[1..], ["the state as of 6", "7"]);
}
