//! The shared part of the scenarios of losses.

use sse_core::store::EncodedEvent;
use sse_core::{EventLog, NewEvent, Start, StoreOptions};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::client::Client;
use super::clock::{self, pass};
use super::scripted_store::{Positions, ScriptedStore};

pub(crate) const BOTH: [Positions; 2] = [Positions::Dense, Positions::Sparse];

pub(crate) fn event(text: &str) -> EncodedEvent {
    NewEvent::from(text).encode(1000).expect("a small event")
}

pub(crate) fn keyed(key: &str, text: &str) -> EncodedEvent {
    let event = NewEvent::from(text).key(key).expect("a short key");
    event.encode(1000).expect("a small event")
}

pub(crate) fn store(positions: Positions) -> ScriptedStore {
    ScriptedStore::on(clock::timer(), positions)
}

/// A process over this store, with the defaults.
pub(crate) async fn process(store: &ScriptedStore) -> (EventLog, JoinHandle<()>) {
    let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    (log, tokio::spawn(follower))
}

/// A client that has seen all there is.
pub(crate) async fn client(log: &EventLog, seen: usize) -> Client {
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_until(seen).await;
    client
}

/// Returns the milliseconds until a client is told of something; at most so many seconds.
pub(crate) async fn told_within(client: &mut Client, seconds: u64) -> u128 {
    let (begun, before) = (Instant::now(), client.events().len());
    while client.events().len() == before {
        assert!(begun.elapsed().as_secs() <= seconds, "told of nothing: {:?}", client.events());
        pass(10).await;
        client.read_all().await;
    }
    let told = &client.parsed()[before];
    assert_eq!(told.event_type, "reset", "{told:?}");
    assert!(told.data.contains("other-epoch"), "{told:?}");
    begun.elapsed().as_millis()
}
