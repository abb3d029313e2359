//! What keeps the events of a log outside of the process: the trait that a backend implements, and what it speaks of.
//!
//! An application does not call a [`Store`]: it opens an [`EventLog`](crate::EventLog) over one, and whoever wrote the store gives it a
//! function for that.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::Stream;

use crate::{Epoch, Position};

mod check;
pub(crate) mod error;
mod event;
mod name;
mod page;

pub use error::StoreError;
pub(crate) use event::checked;
pub use event::{Appended, EncodedEvent, StoredEvent};
pub use name::{InvalidLogName, LogName};
pub use page::{Bounds, Page, PageLimit, Retention};

/// Pages, as they come about.
pub type Pages = Pin<Box<dyn Stream<Item = Result<Page, StoreError>> + Send>>;

/// What a backend does for a log: it keeps events in one order, for many processes.
///
/// # What it owes
///
/// The log can keep its promises if these hold. The conformance suite has a test of the same name for each.
///
/// - **Order.** Every reader, in every process, gets the events in the same order, by ascending positions. A position is never given
///   twice within an epoch, and no event ever becomes visible before one that was visible already.
/// - **Appended means stored.** Once `append` has returned, the event outlives whatever the engine promises to outlive. All events
///   of one call are stored, or none is.
/// - **An error says what is known.** [`StoreError::Failed`] only where nothing was stored; where that is not known,
///   [`StoreError::OutcomeUnknown`].
/// - **Idempotent.** An event whose idempotency key was stored within the window that the store was opened with is not stored again, while no
///   more than [`StoreOptions::events`](crate::StoreOptions::events) further keys came; the answer is the position of the first, also if that was
///   trimmed, deleted or superseded, and if the log is finished: a call of which all keys are known is no call that adds anything. A new
///   epoch forgets them.
/// - **Nothing is skipped.** `read` and `follow` give every event after a position, and what is no longer kept shows in the bounds: those of a
///   page were true after its events had been read. So a trim in between is seen: the `floor` is above the position.
/// - **Followers are told.** `follow` gives new events as they come, and a page without events when the bounds have changed otherwise:
///   finished, an event deleted, a new epoch.
/// - **No wait without bound.** Each call ends, at the latest in an error, a few seconds after the engine has gone. (The log itself gives
///   up after [`StoreOptions::store_timeout`](crate::StoreOptions::store_timeout).) Dropping a future or a stream frees all it held.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores these events one right after the other; all of them, or none.
    ///
    /// An event with a [`key`](EncodedEvent::key) takes the place of the one with this key: that one need not be given any more, and its
    /// absence is no gap.
    ///
    /// # Errors
    ///
    /// [`StoreError::Finished`] once the log is finished; else as the trait says.
    ///
    /// # Cancel safety
    ///
    /// Dropped halfway, the outcome is unknown.
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError>;

    /// What there is at this moment.
    async fn bounds(&self) -> Result<Bounds, StoreError>;

    /// The events after this position, oldest first: at least one where there is any, and no more than the limit allows. (One event is
    /// given whatever its size.) A short page does not mean that there is nothing after it.
    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError>;

    /// Returns the position before the newest events that fit into this limit, or [`Bounds::floor`] if all events fit.
    ///
    /// After this position there are just `limit.events` events, or fewer if their blocks have more than `limit.bytes` bytes: then as
    /// many of the newest events as fit, and the newest event whatever its size. A store may count up to 256 bytes an event beside the block.
    /// If `limit.events` is 0 the answer is [`Bounds::newest`]. The call must cost what the limit allows, not what the log keeps.
    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError>;

    /// The events after this position, and then those to come. The stream ends, or gives an error, when it cannot go on; it is then
    /// followed anew from where it was.
    async fn follow(&self, after: Position) -> Result<Pages, StoreError>;

    /// Drops the oldest events that are over these limits; the newest is kept.
    ///
    /// Each process calls it once when it has opened the log, and then at most every 10 s if something was appended meanwhile; with an
    /// age, also every tenth of the age (1 s to 10 s) while anything older than the newest event is kept. Nothing else waits for it. When
    /// it returns nothing is over the limits, whatever there was: it is not called again otherwise. A call is given up after
    /// [`StoreOptions::store_timeout`](crate::StoreOptions::store_timeout), and one that has failed is tried again 20 ms to 1 s later, so that
    /// it must not begin from the start each time. An engine that drops by itself has nothing to do here.
    async fn retain(&self, retention: &Retention) -> Result<(), StoreError>;

    /// Says that the newest event is the last, for good. A second time changes nothing.
    async fn finish(&self) -> Result<(), StoreError>;

    /// Forgets the event at this position, whose absence is no gap. Where there is none nothing changes. It is counted in
    /// [`Bounds::deletions`] before any read misses it.
    async fn delete(&self, event: Position) -> Result<(), StoreError>;

    /// Compare and set: begins a new epoch if it is this one still. The answer is the epoch there is then, whoever began it.
    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError>;

    /// Whether events that `append` has stored are in `bounds` and `read` when it returns, and not only a little later, as where events
    /// of a transaction that began before them may still come. If they are not there then, events are lost, and a new epoch begins.
    fn shows_at_once(&self) -> bool {
        true
    }

    /// What the log is called: warnings name it.
    fn name(&self) -> &str {
        "a store without a name"
    }

    /// The largest position it can ever give: [`merge`](crate::merge) reckons with the length of its text. Engines that number their
    /// events by one say `Position::from(u64::MAX)`.
    fn largest_position(&self) -> Position {
        Position::MAX
    }
}

/// A store that is shared is one, too.
#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        (**self).append(events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        (**self).bounds().await
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        (**self).read(after, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        (**self).before_last(limit).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        (**self).follow(after).await
    }

    async fn retain(&self, retention: &Retention) -> Result<(), StoreError> {
        (**self).retain(retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        (**self).finish().await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        (**self).delete(event).await
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        (**self).begin_epoch(instead_of).await
    }

    fn shows_at_once(&self) -> bool {
        (**self).shows_at_once()
    }

    fn name(&self) -> &str {
        (**self).name()
    }

    fn largest_position(&self) -> Position {
        (**self).largest_position()
    }
}
