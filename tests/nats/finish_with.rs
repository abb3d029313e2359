//! A log that ends with its last events, whose process is killed before the end.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use serde_json::json;
use sse_conformance::engines::Nats;
use sse_core::store::{EncodedEvent, Pages, Store, StoreError, StoredEvent};
use sse_core::{Position, StoreOptions};
use sse_log_nats::{EngineOptions, NatsStore, open_store};
use tokio::sync::Notify;

use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::{api, append_all, bounds, event, once, open, soon, store, texts, told, url};

/// The number of requests of a whole call that change something: the record, two claims of keys, the events, the configuration, the record again,
/// the configuration again, the last message to it, and the configuration again.
const CHANGES: usize = 9;

/// A log in which a process was killed while it finished it.
struct Killed<'a> {
    nats: &'a Nats,
    engine: EngineOptions,
    /// Another process, which has used the log before.
    other: NatsStore,
    /// Follows the log since then.
    pages: Pages,
    /// True if the server has got the last events.
    is_stored: bool,
    /// The requests that change something, and reached the server.
    changes: Vec<String>,
}

fn last() -> [EncodedEvent; 2] {
    [once("a", "two"), once("b", "three")]
}

impl<'a> Killed<'a> {
    /// After so many requests that change something, nothing more of the process reaches the server.
    async fn after(nats: &'a Nats, changes: usize, prefix: String) -> Self {
        let relay = Relay::start(nats).await;
        let engine = EngineOptions::new().prefix(&prefix);
        let killed = store(&relay.url(), engine.clone(), StoreOptions::default()).await;
        let other = store(&url(nats), engine.clone(), StoreOptions::default()).await;
        // The first append of a process counts the events, and may write the record.
        append_all(&killed, &[event("one")]).await;
        bounds(&other).await;
        let pages = other.follow(Position::START).await.expect("it runs");
        let (dead, arrived) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
        let (begun, arriving) = (Arc::clone(&dead), Arc::clone(&arrived));
        relay.asked(move |subject| {
            let is_change = subject.starts_with("$JS.API.STREAM.UPDATE.")
                || subject.starts_with(&format!("{prefix}.log."))
                || subject == format!("{prefix}-meta.log");
            let mut arrived = arriving.lock().expect("no panic");
            if is_change && arrived.len() == changes {
                begun.notify_one();
                return Fate::IsLost;
            }
            arrived.extend(is_change.then(|| subject.to_owned()));
            Fate::Passes
        });
        let last = last();
        tokio::select! {
            done = killed.finish_with(&last) => assert!(changes == CHANGES && done.is_ok(), "{changes}: {done:?}"),
            () = dead.notified() => assert!(changes < CHANGES, "there are more requests: {:?}", arrived.lock()),
        }
        let changes = arrived.lock().expect("no panic").clone();
        let is_stored = changes.iter().any(|subject| subject.contains(".m.batch.last."));
        Self { nats, engine, other, pages, is_stored, changes }
    }

    /// Another process, which comes now.
    async fn newcomer(&self) -> NatsStore {
        store(&url(self.nats), self.engine.clone(), StoreOptions::default()).await
    }

    /// Finished with the events once each; or as if the process had never tried.
    async fn check(&self, expected: &[&str]) {
        let store = self.newcomer().await;
        assert_eq!(bounds(&store).await.is_finished, self.is_stored);
        if !self.is_stored {
            assert_eq!(texts(&store).await, expected);
        }
        // A process that tries again gets the answer that was lost.
        let again = soon(store.finish_with(&last())).await.expect("finished");
        assert!(bounds(&store).await.is_finished);
        let texts = texts(&store).await;
        let of_last = texts.iter().filter(|text| ["two", "three"].contains(&text.as_str()));
        assert_eq!(of_last.collect::<Vec<_>>(), ["two", "three"], "once each");
        assert_eq!(soon(store.append(&last())).await.expect("they are known"), again);
        let more = store.append(&[event("more")]).await;
        assert!(matches!(more, Err(StoreError::Finished)), "{more:?}");
        if self.is_stored {
            assert_eq!(texts, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_opens_the_log_finishes_it_if_its_last_events_are_stored() {
    let nats = Nats::start().await;
    for changes in 0..=CHANGES {
        let killed = Killed::after(&nats, changes, format!("open{changes}")).await;
        let log = open_store(killed.newcomer().await).await.expect("it runs");
        assert_eq!(log.stats().is_finished, killed.is_stored, "after {changes} changes");
        drop(log);
        let expected = ["one", "two", "three"];
        killed.check(if killed.is_stored { &expected } else { &expected[..1] }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_appends_for_the_first_time_finishes_the_log_instead() {
    let nats = Nats::start().await;
    for changes in 0..=CHANGES {
        let killed = Killed::after(&nats, changes, format!("append{changes}")).await;
        let appended = soon(killed.newcomer().await.append(&[event("more")])).await;
        match killed.is_stored {
            true => {
                assert!(matches!(appended, Err(StoreError::Finished)), "{appended:?}");
                killed.check(&["one", "two", "three"]).await;
            }
            false => {
                appended.expect("the log goes on");
                killed.check(&["one", "more"]).await;
            }
        }
    }
}

/// It gives the process that has stored them a moment. An event that another process appends in it is acknowledged: it stays, and comes before the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_follows_the_log_finishes_it_and_delivers_what_came_in_between() {
    let nats = Nats::start().await;
    for changes in 0..=CHANGES {
        let mut killed = Killed::after(&nats, changes, format!("follow{changes}")).await;
        let between = killed.other.append(&[event("between")]).await;
        let mut expected = vec!["one"];
        expected.extend(killed.is_stored.then_some(["two", "three"]).into_iter().flatten());
        expected.extend(between.is_ok().then_some("between"));
        let mut followed: Vec<StoredEvent> = Vec::new();
        soon(async {
            let mut is_over = false;
            while followed.len() < expected.len() || is_over != killed.is_stored {
                let page = killed.pages.next().await.expect("it goes on").expect("a page");
                followed.extend(page.events);
                is_over = page.bounds.is_finished;
            }
        })
        .await;
        let blocks: Vec<_> = expected.iter().map(|text| format!("data: {text}\n")).collect();
        assert!(
            followed.iter().map(|event| &event.block[..]).eq(blocks.iter().map(String::as_bytes))
        );
        killed.check(&expected).await;
    }
}

/// The message with the last events says that the log is to be finished, and goes with the last of them.
#[tokio::test]
async fn a_process_that_deletes_the_last_events_finishes_the_log_first() {
    let nats = Nats::start().await;
    let killed = Killed::after(&nats, 4, "delete".into()).await;
    assert!(killed.is_stored, "{:?}", killed.changes);
    let page = killed.other.read(Position::START, crate::tools::PAGE).await.expect("a page");
    for event in &page.events[1..] {
        killed.newcomer().await.delete(event.position).await.expect("deleted");
    }
    let store = killed.newcomer().await;
    assert!(bounds(&store).await.is_finished);
    assert_eq!(texts(&store).await, ["one"]);
}

#[tokio::test]
async fn last_events_that_are_too_large_are_refused_before_anything_is_stored() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let text = "x".repeat(3 << 20);
    let (large, keyed, other) = (event(&text), once("a", &text), once("b", &text));
    for events in [[large.clone(), large], [keyed, other]] {
        let failed = soon(store.finish_with(&events[..])).await.expect_err("it is too large");
        assert!(matches!(failed, StoreError::Failed(_)), "{failed:?}");
        assert!(told(&failed).contains("max_payload"), "{failed:?}");
    }
    let info = api(&nats, "STREAM.INFO.SSE_log", json!({}));
    assert_eq!(info["state"]["last_seq"], 0, "no key is claimed, either");
    assert!(!bounds(&store).await.is_finished);
    append_all(&store, &[event("it goes on")]).await;
}
