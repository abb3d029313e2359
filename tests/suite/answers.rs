//! The results of a store's calls, for the tests of one engine.

use std::iter::successors;
use std::time::Duration;

use futures_util::StreamExt;
use sse_core::Position;
use sse_core::store::Store;
use tokio::time::timeout;

use crate::suite::events::event;

/// The answer to a call.
///
/// # Panics
///
/// If there is none within 20 s.
pub async fn soon<T>(call: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), call).await.expect("an answer within 20 s")
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
    let appended = soon(store.append(&[event("an event")])).await.expect("stored").positions[0];
    let mut followed = Position::START;
    while followed < appended {
        let page = soon(pages.next()).await.expect("it goes on").expect("a page");
        followed = page.events.last().map_or(followed, |event| event.position);
    }
    assert_eq!(followed, appended);
}
