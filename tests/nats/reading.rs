//! The events that a reader gets if the stream has other messages, and if some are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use sse_conformance::engines::Nats;
use sse_core::Position;
use sse_core::store::{PageLimit, Store};
use tokio::time::timeout;

use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::{PAGE, append_all, bounds, event, flood, once, open, open_at, texts};

/// Returns the number of requests whose subject begins like this.
pub(crate) fn count(relay: &Relay, subject: &'static str) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    relay.asked(move |asked| {
        counted.fetch_add(asked.starts_with(subject).into(), SeqCst);
        Fate::Passes
    });
    asked
}

/// Else a log could not be opened any more for all the notes at its end.
#[tokio::test]
async fn a_run_of_notes_is_passed_over_at_once() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    flood(&nats, "sse.log.m.note", "x", 5000).await;
    let reads = count(&relay, "$JS.API.CONSUMER.CREATE.");
    let limit = PageLimit { events: 1, ..PAGE };
    let page = store.read(Position::START, limit).await.expect("a page");
    assert_eq!(page.events, []);
    let one = append_all(&store, &[event("one")]).await;
    let page = store.read(Position::START, limit).await.expect("a page");
    assert_eq!(page.events[0].position, one[0]);
    assert!(reads.load(SeqCst) <= 4, "{reads:?}");
}

#[tokio::test]
async fn a_message_that_is_lost_on_its_way_is_noticed() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    for number in 1..=20 {
        append_all(&store, &[event(number)]).await;
    }
    for lost in [1, 2, 10, 19] {
        let mut is_lost = false;
        relay.delivered(move |sequence| {
            is_lost || std::mem::replace(&mut is_lost, sequence == lost) || sequence != lost
        });
        store.read(Position::START, PAGE).await.expect_err("one is missing");
        assert_eq!(texts(&store).await.len(), 20);
    }
}

/// The next page has the rest.
#[tokio::test]
async fn a_page_whose_end_is_lost_is_given_as_far_as_it_came() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    for number in 1..=20 {
        append_all(&store, &[event(number)]).await;
    }
    relay.delivered(|sequence| sequence < 3);
    let page = store.read(Position::START, PAGE).await.expect("a page");
    assert_eq!(page.events.len(), 2);
    relay.delivered(|_| true);
    assert_eq!(texts(&store).await.len(), 20);
}

/// The server does not say so where messages take just the bytes that were asked for.
#[tokio::test]
async fn a_page_comes_at_once_however_many_bytes_it_may_have() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    for number in 0..9 {
        append_all(&store, &[event(number)]).await;
    }
    for bytes in 1..600 {
        let limit = PageLimit { bytes, ..PAGE };
        let page = timeout(Duration::from_millis(400), store.read(Position::START, limit)).await;
        assert!(page.is_ok_and(|page| !page.expect("a page").events.is_empty()), "{bytes} bytes");
    }
}

/// A server of a cluster does this that follows another. The log takes an empty page for the end.
#[tokio::test]
async fn a_server_that_lags_behind_is_waited_for() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    append_all(&store, &[event("one")]).await;
    let mut lags = 3;
    relay.asked(move |asked| {
        if !asked.starts_with("$JS.API.CONSUMER.CREATE.") || lags == 0 {
            return Fate::Passes;
        }
        lags -= 1;
        Fate::IsAnswered(r#"{"name":"behind","num_pending":0}"#)
    });
    assert_eq!(texts(&store).await, ["one"]);
}

/// It costs six requests, and those once, whatever there is before it.
#[tokio::test]
async fn the_oldest_event_is_found_behind_notes() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    flood(&nats, "sse.log.m.note", "x", 500).await;
    let asked = count(&relay, "$JS.API.STREAM.MSG.GET.SSE_log");
    for _ in 0..5 {
        assert_eq!(bounds(&store).await.oldest, None);
    }
    assert!(asked.load(SeqCst) <= 6, "{asked:?}");
    let batch = append_all(&store, &["one", "two"].map(event)).await;
    append_all(&store, &[event("three")]).await;
    for _ in 0..5 {
        assert_eq!(bounds(&store).await.oldest, Some(batch[0]));
    }
    assert!(asked.load(SeqCst) <= 12, "{asked:?}");
}

#[tokio::test]
async fn the_keys_of_a_batch_are_claimed_together() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    append_all(&store, &(0..500).map(|n| once(n, n)).collect::<Vec<_>>()).await;
    let most = relay.most_waiting();
    // And what the engine asks.
    assert!((10..=66).contains(&most), "{most}");
}
