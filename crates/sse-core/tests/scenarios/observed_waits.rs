//! An observer is notified of what a stream waits for; and so is each of a pair of observers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sse_core::{
    Delivered, Ended, EventLog, Feed, FollowerState, Observer, Start, StoreOptions, StreamContext,
};

use crate::support::client::Client;
use crate::support::clock;
use crate::support::poller::settle;
use crate::support::script::Script;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

/// Keeps what it is told, each as a word.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, word: impl Into<String>) {
        self.0.lock().expect("not poisoned").push(word.into());
    }

    /// Returns the notes since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("not poisoned"))
    }
}

impl Observer for Notes {
    fn opened(&self) {
        self.add("opened");
    }
    fn delivered(&self, delivered: &Delivered<'_>) {
        let what = if delivered.is_replay { "replayed" } else { "new" };
        self.add(format!("{what} {}", delivered.events));
    }
    fn live(&self) {
        self.add("live");
    }
    fn behind(&self) {
        self.add("behind");
    }
    fn caught_up(&self) {
        self.add("caught up");
    }
    fn ended(&self, ended: &Ended) {
        self.add(format!("ended {} of {}", ended.replayed, ended.events));
    }
    fn append_took(&self, took: Duration) {
        self.add(format!("took {} ms", took.as_millis()));
    }
    fn follower(&self, state: FollowerState) {
        self.add(format!("{state:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_live_once_it_has_what_there_was() {
    let (log, notes) = (EventLog::in_memory(10), Notes::default());
    log.append_all(["one", "two"]).await.expect("in memory");
    let mut client = Client::open(log.feed().start_at(Start::Oldest).observer(notes.clone()));
    assert_eq!(notes.take(), ["opened"]);
    client.read_all().await;
    assert_eq!(notes.take(), ["replayed 2", "live"]);
    log.append("three").await.expect("in memory");
    client.read_all().await;
    assert_eq!(notes.take(), ["new 1"]);
    drop(client);
    assert_eq!(notes.take(), ["ended 2 of 3"]);

    let source = Feed::from(Script::holding(1..=3)).observer(notes.clone());
    let mut client = Client::resume(source, "1");
    client.read_all().await;
    drop(client);
    assert_eq!(notes.take(), ["opened", "replayed 2", "live", "ended 2 of 2"]);
    let (_context, feed) = StreamContext::channel();
    drop(Client::open(feed.observer(notes.clone())));
    assert_eq!(notes.take(), ["opened", "live", "ended 0 of 0"], "it has nothing to replay");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_for_older_events_of_a_store_is_behind_until_it_has_them() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let options = StoreOptions::new().tail_events(3);
    let opened = EventLog::open(store.clone(), options.clone(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    log.append_all((1..=9).map(|n| n.to_string())).await.expect("stored");
    drop((log, follower));
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    let (notes, streams) = (Notes::default(), Notes::default());
    assert!(log.observe(notes.clone()));
    assert_eq!(notes.take(), ["Stopped"]);
    let following = tokio::spawn(follower);
    settle().await;
    assert_eq!(notes.take(), ["Running"], "once");

    let feed = || log.feed().start_at(Start::Oldest).observer(streams.clone());
    store.fault(Call::Read, Fault::Stalls);
    let (mut waits, mut leaves) = (Client::open(feed()), Client::open(feed()));
    waits.read_all().await;
    leaves.read_all().await;
    assert_eq!(streams.take(), ["opened", "opened", "behind", "behind"]);
    drop(leaves);
    assert_eq!(streams.take(), ["caught up", "ended 0 of 0"]);
    store.mend(Call::Read);
    waits.read_until(9).await;
    waits.read_all().await;
    let told = streams.take();
    assert!(told.iter().take(told.len() - 2).all(|told| told.starts_with("replayed")), "{told:?}");
    assert!(told.ends_with(&["live".into(), "caught up".into()]), "{told:?}");

    following.abort();
    settle().await;
    assert_eq!(notes.take(), ["Stopped"]);
}

#[tokio::test(start_paused = true)]
async fn both_of_a_pair_of_observers_are_told() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let opened = EventLog::open(store, StoreOptions::default(), clock::timer()).await;
    let (log, _follower) = opened.expect("the store is up");
    let (one, other) = (Notes::default(), Notes::default());
    assert!(log.observe((one.clone(), Arc::new(other.clone()))));
    log.append("hello").await.expect("stored");
    let told = one.take();
    assert_eq!(told, ["Stopped", "took 0 ms"]);
    assert_eq!(other.take(), told);
}
