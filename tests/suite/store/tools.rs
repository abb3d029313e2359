//! The shared part of the requirements.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt;
use sse_core::store::{Bounds, EncodedEvent, PageLimit, Pages, Store, StoredEvent, Topics};
use sse_core::{Position, StoreOptions};

pub(super) use crate::suite::answers::PAGE;
pub(super) use crate::suite::events::{encoded, event, keyed, keyed_once, once};
use crate::suite::store_engine::Engine;
use sse_test_kit::parser::Parser;
use sse_test_kit::waiting::PATIENCE;

/// Each engine is the test's own, so one name will do.
pub(super) const NAME: &str = "events";

/// An event as it was given to a store, and where it is.
pub(super) type Placed = (Position, String);

pub(super) async fn open(engine: &dyn Engine) -> Arc<dyn Store> {
    open_with(engine, StoreOptions::default()).await
}

pub(super) async fn open_with(engine: &dyn Engine, options: StoreOptions) -> Arc<dyn Store> {
    soon("the store is open", engine.open(NAME, options)).await.expect("the engine runs")
}

/// The answer to a call, which comes soon.
pub(super) async fn soon<T>(what: &str, call: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(PATIENCE, call).await;
    answer.unwrap_or_else(|_| panic!("waited for {PATIENCE:?} in vain until {what}"))
}

pub(super) fn text_of(event: &StoredEvent) -> String {
    let mut parsed = Parser::default().feed(&[&event.block[..], b"\n"].concat());
    assert_eq!(parsed.len(), 1, "a block is one event: {:?}", event.block);
    parsed.remove(0).data
}

pub(super) async fn append(store: &dyn Store, text: impl Display) -> Position {
    append_all(store, &[event(text)]).await[0]
}

pub(super) async fn append_all(store: &dyn Store, events: &[EncodedEvent]) -> Vec<Position> {
    let appended = soon("they are stored", store.append(events)).await.expect("stored");
    assert_eq!(appended.positions.len(), events.len(), "a position for each event");
    appended.positions
}

pub(super) async fn bounds(store: &dyn Store) -> Bounds {
    soon("there are bounds", store.bounds()).await.expect("bounds")
}

/// All after this position, by as many pages as it takes.
pub(super) async fn all_after(store: &dyn Store, after: Position) -> Vec<Placed> {
    all_by(store, after, PAGE).await
}

/// The same, by pages of this size.
pub(super) async fn all_by(
    store: &dyn Store,
    mut after: Position,
    limit: PageLimit,
) -> Vec<Placed> {
    let mut all = Vec::new();
    loop {
        let page = soon("a page is there", store.read(after, limit)).await.expect("a page");
        check_order(after, &page.events);
        let Some(last) = page.events.last() else { return all };
        assert!(last.position <= page.bounds.newest, "bounds from after the events were read");
        after = last.position;
        all.extend(page.events.iter().map(|event| (event.position, text_of(event))));
    }
}

pub(super) fn texts(placed: &[Placed]) -> Vec<&str> {
    placed.iter().map(|(_, text)| text.as_str()).collect()
}

#[track_caller]
pub(super) fn check_order(mut after: Position, events: &[StoredEvent]) {
    for event in events {
        assert!(event.position > after, "{} comes after {after}", event.position);
        after = event.position;
    }
}

/// A follower, on a connection of its own.
pub(super) struct Followed {
    store: Arc<dyn Store>,
    pages: Option<Pages>,
    pub(super) after: Position,
    pub(super) events: Vec<Placed>,
    pub(super) topics: Vec<Topics>,
    /// The bounds of the last page.
    pub(super) bounds: Option<Bounds>,
}

impl Followed {
    pub(super) fn new(store: Arc<dyn Store>, after: Position) -> Self {
        Self { store, pages: None, after, events: Vec::new(), topics: Vec::new(), bounds: None }
    }

    /// Waits for the next page. A stream that ends or fails is followed again, as a log does it.
    pub(super) async fn next(&mut self) {
        soon("a page comes to who follows", async {
            loop {
                let Some(pages) = &mut self.pages else {
                    self.pages = self.store.follow(self.after).await.ok();
                    continue;
                };
                match pages.next().await {
                    Some(Ok(page)) => {
                        check_order(self.after, &page.events);
                        self.bounds = Some(page.bounds);
                        for event in &page.events {
                            self.after = event.position;
                            self.events.push((event.position, text_of(event)));
                            self.topics.push(event.topics.clone());
                        }
                        return;
                    }
                    Some(Err(_)) | None => {
                        self.pages = None;
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                }
            }
        })
        .await;
    }

    /// Follows no more, until it waits for the next page.
    pub(super) fn leave(&mut self) {
        self.pages = None;
    }

    /// Waits until this many events have come in all.
    pub(super) async fn until(&mut self, count: usize) -> &[Placed] {
        while self.events.len() < count {
            self.next().await;
        }
        &self.events
    }

    /// Waits until it was told of bounds of which this holds.
    pub(super) async fn until_told(&mut self, what: &str, holds: impl Fn(&Bounds) -> bool) {
        soon(what, async {
            while !self.bounds.as_ref().is_some_and(&holds) {
                self.next().await;
            }
        })
        .await;
    }
}

/// The texts of these numbers.
pub(super) fn numbers(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}
