//! Replay, then live, of a source: each event once, in order, whatever happens while the two are joined.

use futures_util::stream;
use sse_core::{BoxError, Event, EventId, Feed, Frames, source};
use tokio::sync::broadcast;

use crate::support::client::Client;
use crate::support::script::{Fetch, Script, event, numbers};

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_gets_what_it_missed_and_then_what_happens() {
    let script = Script::holding(1..=5);
    let mut client = Client::resume(script.clone(), "2");
    assert_eq!(client.read_all().await, numbers(3..=5));
    script.publish(6);
    script.publish(7);
    assert_eq!(client.read_all().await, numbers(3..=7));
    assert_eq!(client.last_event_id(), "7");
}

#[tokio::test(start_paused = true)]
async fn a_client_on_its_first_visit_gets_what_happens_and_nothing_of_before() {
    let script = Script::holding(1..=5);
    let mut client = Client::open(script.clone());
    assert_eq!(client.read_all().await, numbers([]));
    script.publish(6);
    assert_eq!(client.read_all().await, numbers([6]));
    assert_eq!(script.calls(), ["stream"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_is_subscribed_to_before_it_is_asked_what_was_missed() {
    let script = Script::holding(1..=5);
    Client::resume(script.clone(), "2").read_all().await;
    assert_eq!(script.calls(), ["stream", "fetch"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_published_while_subscribing_arrives_once() {
    let script = Script::holding(1..=2);
    script.in_stream(|script| script.publish(3));
    let mut client = Client::resume(script.clone(), "2");
    assert_eq!(client.read_all().await, numbers([3]));
}

#[tokio::test(start_paused = true)]
async fn an_event_published_before_the_fetch_looks_arrives_once() {
    let script = Script::holding(1..=2);
    script.before_fetch(|script| script.publish(3));
    let mut client = Client::resume(script.clone(), "1");
    assert_eq!(client.read_all().await, numbers(2..=3));
    script.publish(4);
    assert_eq!(client.read_all().await, numbers(2..=4));
}

#[tokio::test(start_paused = true)]
async fn an_event_published_after_the_fetch_has_looked_arrives_once_and_after_the_replay() {
    let script = Script::holding(1..=3);
    script.after_fetch(|script| script.publish(4));
    let mut client = Client::resume(script.clone(), "1");
    assert_eq!(client.read_all().await, numbers(2..=4));
    script.publish(5);
    assert_eq!(client.read_all().await, numbers(2..=5));
}

#[tokio::test(start_paused = true)]
async fn notifications_that_come_after_the_replay_repeat_nothing() {
    let script = Script::holding(1..=2);
    script.before_fetch(|script| (3..=5).for_each(|number| script.store(number)));
    let mut client = Client::resume(script.clone(), "2");
    assert_eq!(client.read_all().await, numbers(3..=5));
    // However late: the client has read on, and been idle, in between.
    for number in 3..=5 {
        script.notify(number);
        assert_eq!(client.read_all().await, numbers(3..=5));
    }
    script.publish(6);
    assert_eq!(client.read_all().await, numbers(3..=6));
}

#[tokio::test(start_paused = true)]
async fn a_late_notification_of_the_last_event_seen_repeats_nothing() {
    let script = Script::holding(1..=2);
    let mut client = Client::resume(script.clone(), "2");
    script.after_fetch(|script| script.notify(2));
    assert_eq!(client.read_all().await, numbers([]));
    script.notify(2);
    script.publish(3);
    assert_eq!(client.read_all().await, numbers([3]));
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_begins_with_the_last_event_seen_repeats_nothing() {
    let script = Script::holding(1..=4);
    script.fetch_is(Fetch::BeginsWithTheLast);
    let mut client = Client::resume(script.clone(), "2");
    assert_eq!(client.read_all().await, numbers(3..=4));
}

#[tokio::test(start_paused = true)]
async fn events_without_an_id_pass_each_time() {
    let script = Script::holding(1..=2);
    let mut client = Client::resume(script.clone(), "1");
    assert_eq!(client.read_all().await, numbers([2]));
    for _ in 0..2 {
        script.send(|| Ok(sse_core::Event::new("tick").into()));
    }
    assert_eq!(client.read_all().await, ["2", "tick", "tick"]);
    assert_eq!(client.last_event_id(), "2");
}

#[tokio::test(start_paused = true)]
async fn a_replay_goes_out_in_few_writes() {
    let script = Script::holding(1..=1000);
    let mut client = Client::resume(script.clone(), "0");
    assert_eq!(client.read_all().await, numbers(1..=1000));
    assert_eq!(client.chunks.len(), 2, "the first line, and all the rest");
    for number in 1001..=1100 {
        script.publish(number);
    }
    client.read_until(1100).await;
    assert_eq!(client.chunks.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_written_at_once_is_bounded() {
    let script = Script::default();
    let mut client = Client::open(script.clone());
    client.read_all().await;
    let large = "x".repeat(10_000);
    for _ in 0..100 {
        script.send(|| Ok(sse_core::Event::new(large.as_str()).into()));
    }
    client.read_until(100).await;
    let largest = client.chunks.iter().map(|chunk| chunk.len()).max();
    assert!(largest.is_some_and(|largest| (50 << 10..=64 << 10).contains(&largest)), "{largest:?}");
}

/// A broadcast channel of little room loses the events that are not taken in time.
#[tokio::test(start_paused = true)]
async fn what_is_published_is_taken_while_a_fetch_and_a_replay_take_their_time() {
    let (to, _) = broadcast::channel(2);
    let publish = |to: &broadcast::Sender<u64>, number| drop(to.send(number));
    let missed = {
        let to = to.clone();
        move |_| {
            let to = to.clone();
            async move {
                for number in 4..=9 {
                    publish(&to, number);
                    tokio::task::yield_now().await;
                }
                let rows = stream::unfold((to, 2), move |(to, number)| async move {
                    publish(&to, number + 8);
                    tokio::task::yield_now().await;
                    (number <= 7).then(|| (Ok::<_, BoxError>(event(number)), (to, number + 1)))
                });
                Ok(Frames::new(rows))
            }
        }
    };
    let live = move || {
        let from = to.subscribe();
        std::future::ready(Ok(stream::unfold(from, |mut from| async move {
            let number = from.recv().await;
            Some((number.map(event).map_err(BoxError::from), from))
        })))
    };
    let mut client = Client::resume(source(missed, live), "1");
    assert_eq!(client.read_all().await, numbers(2..=16));
    assert!(!client.is_over());
}

/// The empty id makes a client forget its own. It names no event, so any number may have it.
#[tokio::test(start_paused = true)]
async fn events_with_the_empty_id_are_delivered_each() {
    let nameless = |text: &str| Event::new(text).id(EventId::from_static(""));
    let fetch = move |_| async move { Ok(vec![nameless("missed")]) };
    let live = move || async move {
        let events = ["live", "and live"].map(|text| Ok::<_, BoxError>(nameless(text)));
        Ok(stream::iter(events))
    };
    let mut client = Client::resume(Feed::from(source(fetch, live)), "7");
    assert_eq!(client.read_to_end().await, ["missed", "live", "and live"]);
}
