//! The results of a store's calls, for the tests of one engine.

use std::fmt::Display;
use std::iter::successors;
use std::time::Duration;

use futures_util::StreamExt;
use sse_core::Position;
use sse_core::store::{Bounds, EncodedEvent, PageLimit, Store};
use tokio::time::timeout;

use crate::suite::events::event;
use sse_test_kit::eventually::eventually_asked;

/// How long the tests of one engine wait for anything.
pub const IN_TIME: Duration = Duration::from_secs(20);

/// The answer to a call.
///
/// # Panics
///
/// If there is none within 20 s.
pub async fn soon<T>(call: impl Future<Output = T>) -> T {
    timeout(IN_TIME, call).await.expect("an answer within 20 s")
}

/// Waits until a condition holds that has to be asked for.
///
/// # Panics
///
/// If it does not within 20 s.
pub async fn until(what: &str, condition: impl AsyncFnMut() -> bool) {
    eventually_asked(IN_TIME, what, condition).await;
}

/// A page as a log asks for it.
pub const PAGE: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

/// Appends an event with this text, and returns where it is.
///
/// # Panics
///
/// If it is not stored within 20 s.
pub async fn append(store: &dyn Store, text: impl Display) -> Position {
    append_all(store, &[event(text)]).await[0]
}

/// Appends these events, and returns where they are.
///
/// # Panics
///
/// If they are not stored within 20 s, or there is not one position for each.
pub async fn append_all(store: &dyn Store, events: &[EncodedEvent]) -> Vec<Position> {
    let appended = soon(store.append(events)).await.expect("stored");
    assert_eq!(appended.positions.len(), events.len(), "a position for each event");
    appended.positions
}

/// What the store says of the log.
///
/// # Panics
///
/// If it says nothing within 20 s.
pub async fn bounds(store: &dyn Store) -> Bounds {
    soon(store.bounds()).await.expect("bounds")
}

/// The data of all events, in their order.
///
/// # Panics
///
/// If the store does not answer within 20 s.
pub async fn texts(store: &dyn Store) -> Vec<String> {
    let (mut texts, mut after) = (Vec::new(), Position::START);
    loop {
        let page = soon(store.read(after, PAGE)).await.expect("a page");
        let Some(last) = page.events.last() else { return texts };
        after = last.position;
        texts.extend(page.events.iter().map(|event| text(&event.block)));
    }
}

/// The data of an event that has nothing else.
///
/// # Panics
///
/// If it has something else.
pub fn text(block: &[u8]) -> String {
    let text = String::from_utf8(block.to_vec()).expect("UTF-8");
    text.strip_prefix("data: ").expect("data alone").trim_end().to_owned()
}

/// An error with its causes, as a person reads it.
pub fn told(error: &dyn std::error::Error) -> String {
    let causes = successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Checks that a follower gets the events that are appended.
///
/// # Panics
///
/// If that is not so.
pub async fn gives_followers_what_is_appended(store: &dyn Store) {
    let mut pages = soon(store.follow(Position::START)).await.expect("followed");
    let appended = append(store, "an event").await;
    let mut followed = Position::START;
    while followed < appended {
        let page = soon(pages.next()).await.expect("it goes on").expect("a page");
        followed = page.events.last().map_or(followed, |event| event.position);
    }
    assert_eq!(followed, appended);
}
