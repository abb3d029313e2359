//! The shared part of the tests.

use std::fmt::Display;

use futures_util::StreamExt;
use sse_conformance::stores::Postgres;
pub(crate) use sse_conformance::suite::answers::{soon, told};
pub(crate) use sse_conformance::suite::events::{event, keyed, keyed_once, once};
use sse_core::Position;
use sse_core::store::{Bounds, PageLimit, Pages, Store};
use sse_log_postgres::{EngineOptions, Ordering, PostgresStore};
use tokio_postgres::Client;

pub(crate) const PAGE: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

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

pub(crate) async fn append(store: &PostgresStore, text: impl Display) -> Position {
    soon(store.append(&[event(text)])).await.expect("stored").positions[0]
}

pub(crate) async fn bounds(store: &PostgresStore) -> Bounds {
    soon(store.bounds()).await.expect("bounds")
}

/// The data of all events, in their order.
pub(crate) async fn texts(store: &PostgresStore) -> Vec<String> {
    let page = soon(store.read(Position::START, PAGE)).await.expect("a page");
    page.events.iter().map(|event| text(&event.block)).collect()
}

pub(crate) fn text(block: &[u8]) -> String {
    let text = String::from_utf8(block.to_vec()).expect("UTF-8");
    text.strip_prefix("data: ").expect("data alone").trim_end().to_owned()
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
