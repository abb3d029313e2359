//! The shared part of the tests.

use futures_util::StreamExt;
use sse_conformance::engines::Postgres;
pub(crate) use sse_conformance::suite::answers::{PAGE, append, bounds, soon, text, texts, told};
pub(crate) use sse_conformance::suite::events::{event, keyed, keyed_once, once};
use sse_core::store::{EncodedEvent, Pages, Store, TopicFilter, Topics};
use sse_core::{Position, StoreOptions, Topic};
use sse_log_postgres::{Engine, EngineOptions, Ordering, PostgresStore, connect_with};
use tokio_postgres::{Client, NoTls};

/// A server as a process of an application uses it.
pub(crate) trait Processes {
    /// Returns the engine of another process.
    async fn shared(&self, options: EngineOptions) -> Engine;

    /// The store of this name, with connections of its own.
    async fn store(&self, name: &str, options: EngineOptions) -> PostgresStore {
        let store = self.shared(options).await.store(name, StoreOptions::default()).await;
        store.expect("a name")
    }
}

impl Processes for Postgres {
    async fn shared(&self, options: EngineOptions) -> Engine {
        connect_with(self.config(), NoTls, options).await.expect("a runtime")
    }
}

pub(crate) async fn open(postgres: &Postgres) -> PostgresStore {
    open_ordered(postgres, Ordering::ByTransaction).await
}

/// Opened once it is used.
pub(crate) async fn open_ordered(postgres: &Postgres, ordering: Ordering) -> PostgresStore {
    let store = postgres.store("log", EngineOptions::new().ordering(ordering)).await;
    bounds(&store).await;
    store
}

/// A connection of the application's own.
pub(crate) async fn client(postgres: &Postgres) -> Client {
    postgres.client().await.expect("it runs").0
}

pub(crate) async fn execute(postgres: &Postgres, sql: &str) {
    client(postgres).await.batch_execute(sql).await.expect(sql);
}

/// Begins a transaction that has an id from now on.
pub(crate) async fn begin(client: &Client) {
    client.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.expect("begun");
}

/// The next so many events of one who follows.
pub(crate) async fn take(pages: &mut Pages, count: usize) -> Vec<(Position, String)> {
    let mut events = Vec::new();
    while events.len() < count {
        let page = soon(pages.next()).await.expect("it goes on").expect("a page");
        events.extend(page.events.iter().map(|event| (event.position, text(&event.block))));
    }
    assert!(events.is_sorted_by(|a, b| a.0 < b.0), "in order: {events:?}");
    events
}

pub(crate) fn topic(text: impl AsRef<str>) -> Topic {
    Topic::try_from(text.as_ref()).expect("a topic")
}

/// The event with these topics.
pub(crate) fn of_topics<T: AsRef<str>>(
    event: EncodedEvent,
    topics: impl IntoIterator<Item = T>,
) -> EncodedEvent {
    let mut event = event;
    event.topics = Topics::new(topics.into_iter().map(topic)).expect("eight at most");
    event
}

/// The data of all events of these topics, and not of those without.
pub(crate) async fn read_by<T: AsRef<str>>(
    store: &dyn Store,
    topics: impl IntoIterator<Item = T>,
) -> Vec<String> {
    let filter = TopicFilter::new(topics.into_iter().map(topic), false);
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let read = soon(store.read_topics(after, &filter, PAGE)).await.expect("a page");
        all.extend(read.page.events.iter().map(|event| text(&event.block)));
        // It is the same position if there is no later event.
        if read.upto <= after || read.upto >= read.page.bounds.newest {
            return all;
        }
        after = read.upto;
    }
}
