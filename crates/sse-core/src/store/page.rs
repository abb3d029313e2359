use std::time::Duration;

use crate::store::StoredEvent;
use crate::{Epoch, Position};

/// Some events of a log, in order, and its bounds once they had been read.
///
/// ```
#[doc = include_str!("in_examples.txt")]
/// use sse_core::store::{Page, PageLimit, Store};
/// use sse_core::{NewEvent, Position};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let store = VecStore::new();
/// store.append(&[NewEvent::from("hello").encode(1024)?]).await?;
/// let page: Page = store.read(Position::START, PageLimit::of_events(10)).await?;
/// assert_eq!(page.events.last().unwrap().position, page.bounds.newest);
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "stores make it: one that lacks a new part must not compile"
)]
pub struct Page {
    /// The bounds after the events had been read.
    pub bounds: Bounds,
    /// The events, oldest first.
    pub events: Vec<StoredEvent>,
}

/// The bounds of the events that a store keeps at a moment.
///
/// ```
/// use sse_core::{Epoch, Position, store::Bounds};
///
/// let (epoch, start) = (Epoch::random()?, Position::START);
/// let bounds = Bounds { epoch, floor: start, oldest: None, newest: start, is_finished: false, deletions: 0 };
/// assert!(bounds.oldest.is_none_or(|oldest| bounds.floor < oldest));
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "stores make it: one that lacks a new part must not compile"
)]
pub struct Bounds {
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The lowest position after which nothing has been dropped: a client at this position can resume. It is below every event that is kept,
    /// and never decreases.
    pub floor: Position,
    /// The oldest event that is kept.
    pub oldest: Option<Position>,
    /// The position of the newest event there ever was in this epoch, kept or not; before the first event, a position that is not above it.
    pub newest: Position,
    /// True if the newest event is the last.
    pub is_finished: bool,
    /// The number of events deleted in this epoch, or a larger number that grows by at least one with each. When it grows, the log reads
    /// again the events that it has in memory. If it falls within an epoch, the store has lost data.
    pub deletions: u64,
}

/// The limit of the size of a page.
///
/// ```
/// use sse_core::store::PageLimit;
///
/// let limit = PageLimit { bytes: 64 * 1024, ..PageLimit::of_events(100) };
/// assert_eq!((limit.events, limit.bytes), (100, 65_536));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "stores make it: one that lacks a new part must not compile"
)]
pub struct PageLimit {
    /// The largest number of events.
    pub events: usize,
    /// The largest number of bytes of all blocks. The first event is returned whatever its size.
    pub bytes: usize,
}

impl PageLimit {
    /// Returns the limit of this many events, whatever their size.
    ///
    /// ```
    /// assert_eq!(sse_core::store::PageLimit::of_events(100).bytes, usize::MAX);
    /// ```
    pub const fn of_events(events: usize) -> Self {
        Self { events, bytes: usize::MAX }
    }
}

/// The limits of the events that a log keeps. The newest event is kept whatever its size and age.
///
/// ```
/// use sse_core::StoreOptions;
/// use sse_core::store::Retention;
///
/// let retention: Retention = StoreOptions::new().events(50).retention();
/// assert_eq!((retention.events, retention.age), (50, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "stores make it: one that lacks a new part must not compile"
)]
pub struct Retention {
    /// The largest number of events.
    pub events: usize,
    /// The largest number of bytes of all blocks.
    pub bytes: usize,
    /// The time for which events are kept; `None` for no limit.
    pub age: Option<Duration>,
}
