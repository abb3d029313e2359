//! Another program purges the stream of a log while an append waits for its answer.

use std::sync::Arc;

use futures_util::StreamExt;
use serde_json::{Value, json};
use sse_conformance::engines::Nats;
use sse_core::store::{EncodedEvent, Store};
use sse_core::{Epoch, Position};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::{PAGE, api, append_all, bounds, event, keyed, once, open, open_at, soon};

fn stream(nats: &Nats) -> Value {
    api(nats, "STREAM.INFO.SSE_log", json!({}))
}

/// An epoch begins just before these events are stored. Once they are, something else happens, before the log looks which epoch there is.
/// Returns the epoch of the ids, and that of the log.
async fn appended_while(events: &[EncodedEvent], happens: fn(&Nats)) -> [Epoch; 2] {
    let nats = Arc::new(Nats::start().await);
    let relay = Relay::start(&nats).await;
    let (store, other) = (open_at(&relay.url()).await, open(&nats).await);
    append_all(&store, &[once("known", "before")]).await;
    let before = bounds(&store).await.epoch;
    let server = Arc::clone(&nats);
    let mut steps = 0;
    relay.asked(move |asked| {
        if steps == 0 && asked.starts_with("sse.log.") {
            steps = 1;
            let begun = other.begin_epoch(before);
            block_in_place(|| Handle::current().block_on(begun)).expect("an epoch");
        } else if steps == 1 && asked.starts_with("$JS.API.STREAM.MSG.GET.SSE-META") {
            steps = 2;
            happens(&server);
        }
        Fate::Passes
    });
    let appended = soon(store.append(events)).await.expect("stored");
    relay.asked(|_| Fate::Passes);
    let now = bounds(&store).await;
    assert_ne!(appended.epoch, before);
    let page = soon(store.read(now.floor, PAGE)).await.expect("a page");
    let kept: Vec<_> = page.events.iter().map(|event| event.position).collect();
    for position in &appended.positions {
        assert!(kept.contains(position), "{position} of {kept:?}");
    }
    let again = soon(store.append(events)).await.expect("known or stored");
    for (index, event) in events.iter().enumerate() {
        let is_same = again.positions[index] == appended.positions[index];
        assert_eq!(is_same, event.idempotency_key.is_some(), "{index}");
    }
    [appended.epoch, now.epoch]
}

/// The id would be of the new epoch, which does not have the event.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_purged_before_its_answer_is_stored_again_in_the_new_epoch() {
    let batch = [event("a"), event("b")];
    for events in [&[event("a")][..], &[once("key", "a")], &[keyed("key", "a")], &batch] {
        let [of_ids, of_log] = appended_while(events, |nats| {
            let newest = stream(nats)["state"]["last_seq"].as_u64().expect("a number");
            api(nats, "STREAM.PURGE.SSE_log", json!({ "seq": newest + 1 }));
        })
        .await;
        assert_eq!(of_ids, of_log);
    }
}

/// The batch is kept, and what it repeats is not: that alone is stored again.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_a_batch_repeats_is_stored_again_if_it_is_purged_before_the_answer() {
    let batch = [event("a"), once("known", "before"), once("new", "b")];
    let [of_ids, of_log] = appended_while(&batch, |nats| {
        let newest = stream(nats)["state"]["last_seq"].clone();
        api(nats, "STREAM.PURGE.SSE_log", json!({ "seq": newest }));
    })
    .await;
    assert_eq!(of_ids, of_log);
}

/// Nobody has noticed that the stream is another one: the ids are of the epoch before, as those of its clients.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_stream_is_replaced_before_its_answer_is_stored_in_the_new_one() {
    appended_while(&[event("a")], |nats| {
        let config = stream(nats)["config"].clone();
        api(nats, "STREAM.DELETE.SSE_log", json!({}));
        api(nats, "STREAM.CREATE.SSE_log", config);
        for _ in 0..5 {
            nats.publish("sse.log.e", &[], b"data: another's\n").expect("an answer");
        }
    })
    .await;
}

/// A page and a follower look which epoch there is once they have messages: these may have been removed before it began.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_before_an_epoch_began_is_not_read_in_it() {
    for follows in [false, true] {
        let nats = Arc::new(Nats::start().await);
        let relay = Relay::start(&nats).await;
        let (store, other) = (open_at(&relay.url()).await, open(&nats).await);
        let positions = append_all(&store, &[event("a")]).await;
        let deleted = append_all(&store, &[event("b")]).await;
        append_all(&store, &[event("c")]).await;
        other.delete(deleted[0]).await.expect("deleted"); // a hole makes a follower look
        let before = bounds(&store).await.epoch;
        let pages = soon(store.follow(Position::START)).await.expect("it is followed");
        let server = Arc::clone(&nats);
        let mut has_begun = false;
        relay.asked(move |asked| {
            if !has_begun && asked.starts_with("$JS.API.STREAM.INFO.SSE_log") {
                has_begun = true;
                api(&server, "STREAM.PURGE.SSE_log", json!({}));
                let begun = other.begin_epoch(before);
                block_in_place(|| Handle::current().block_on(begun)).expect("an epoch");
            }
            Fate::Passes
        });
        let page = if follows {
            let mut pages = pages;
            loop {
                let page = soon(pages.next()).await.expect("it goes on").expect("a page");
                if page.bounds.epoch != before {
                    break page;
                }
            }
        } else {
            drop(pages);
            soon(store.read(Position::START, PAGE)).await.expect("a page")
        };
        assert_ne!(page.bounds.epoch, before);
        assert!(page.events.is_empty(), "{:?} of {positions:?}", page.events);
    }
}
