// Longer than other files: it is mostly what a store promises, method by method.

//! The trait that a backend implements to keep the events of a log outside of the process, and the types of its methods.
//!
//! An application does not call a [`Store`]: it opens an [`EventLog`](crate::EventLog) over one, with a function of the store's own crate.
//
// Longer than other files, so that a trait and its whole contract can be read in one file.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Epoch, Position};

mod backwards;
mod check;
pub(crate) mod error;
mod event;
mod filter;
mod name;
mod page;
mod pages;
mod shared;
mod topics;

pub use error::StoreError;
pub use event::{Appended, EncodedEvent, StoredEvent};
pub(crate) use event::{MAX_KEY_LEN, checked};
pub use filter::{TopicFilter, TopicPage};
pub use name::{InvalidLogName, LogName};
pub use page::{Bounds, Page, PageLimit, Retention};
pub use pages::Pages;
pub use topics::Topics;

pub use crate::view::View;

/// A backend of a log: it keeps events in one order, for many processes.
///
/// In the examples `VecStore` is a store that keeps its events in a vector.
///
/// ```
#[doc = include_str!("store/in_examples.txt")]
/// use sse_core::store::{PageLimit, Store};
/// use sse_core::{NewEvent, Position};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let store = VecStore::new();
/// let appended = store.append(&[NewEvent::from("hello").encode(1024)?]).await?;
/// let page = store.read(Position::START, PageLimit::of_events(10)).await?;
/// assert_eq!(page.events[0].position, appended.positions[0]);
/// assert_eq!(page.events[0].block, "data: hello\n");
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
///
/// # Contract
///
/// The log can keep its promises if these hold. The conformance suite has a test of the same name for each.
///
/// - **Order.** Every reader, in every process, gets the events in the same order, by ascending positions. A position is never given
///   twice within an epoch, and no event ever becomes visible before one that was visible already.
/// - **Appended means stored.** Once `append` has returned, the event survives every failure that the engine promises to survive. All
///   events of one call are stored, or none is.
/// - **An error says what is known.** [`StoreError::Failed`] only if nothing was stored; if that is not known,
///   [`StoreError::OutcomeUnknown`].
/// - **Idempotent.** An event whose idempotency key was stored within the window with which the store was opened is not stored again, while no
///   more than [`StoreOptions::events`](crate::StoreOptions::events) further keys came. `append` then returns the position of the first event,
///   also if that event was trimmed, deleted or superseded. If the log is finished, a call whose keys are all known still succeeds, because
///   it adds nothing. A new epoch forgets the keys.
/// - **Nothing is skipped.** `read` and `follow` give every event after a position. The bounds show which events are no longer kept: those of
///   a page were true after its events had been read. So a trim in between is seen: the `floor` is above the position.
/// - **Followers are told.** `follow` gives new events as they come, and a page without events when the bounds have changed otherwise:
///   the log was finished, an event was deleted, an epoch began.
/// - **No wait without bound.** Each call ends, at the latest in an error, a few seconds after the engine has gone. (The log itself stops
///   waiting after [`StoreOptions::store_timeout`](crate::StoreOptions::store_timeout).) Dropping a future or a stream frees all it held.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores these events one right after the other; all of them, or none.
    ///
    /// An event with a [`key`](EncodedEvent::key) replaces the older event with this key: `read` and `follow` need not give the older one
    /// any more, and its absence is no gap.
    ///
    /// # Errors
    ///
    /// - [`StoreError::Finished`] if the log is finished.
    /// - [`StoreError::Failed`] if nothing was stored.
    /// - [`StoreError::OutcomeUnknown`] if it is not known whether the events were stored.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the outcome is unknown.
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError>;

    /// Returns the bounds at this moment.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{NewEvent, store::Store};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// let appended = store.append(&[NewEvent::from("hello").encode(1024)?]).await?;
    /// assert_eq!(store.bounds().await?.newest, appended.positions[0]);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    async fn bounds(&self) -> Result<Bounds, StoreError>;

    /// Returns the events after this position, oldest first: at least one if there is any, and no more than the limit allows. (The first
    /// event is returned whatever its size.) After a short page there may be more events.
    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError>;

    /// Returns the events after this position that pass a filter, oldest first, and how far the store has looked: [`TopicPage::upto`] is above
    /// `after` unless there is no later event. The first event is returned whatever its size. The log calls it for streams of topics that are
    /// behind the events in memory, so the cost of a call should depend on the events that pass, not on those between them.
    ///
    /// Default: it reads one page of the log, and returns the events that pass.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{NewEvent, Position, Topic, store::{PageLimit, Store, TopicFilter}};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// for topic in ["user/7", "user/8"] {
    ///     store.append(&[NewEvent::from("hello").topic(topic)?.encode(1024)?]).await?;
    /// }
    /// let filter = TopicFilter::new([Topic::from_static("user/7")], true);
    /// let read = store.read_topics(Position::START, &filter, PageLimit::of_events(10)).await?;
    /// assert_eq!(read.page.events.len(), 1);
    /// assert_eq!(read.upto, read.page.bounds.newest);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    async fn read_topics(
        &self,
        after: Position,
        filter: &TopicFilter,
        limit: PageLimit,
    ) -> Result<TopicPage, StoreError> {
        Ok(filter.of_page(after, self.read(after, limit).await?))
    }

    /// Returns the events before this position, newest first: those that pass the filter, if there is one. If the store has any, it returns at
    /// least one, and no more than the limit allows; the first whatever its size. The bounds are of a moment after the events had been read.
    ///
    /// Default: it reads forwards from a position before, and from further back until it has enough.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{NewEvent, Position, store::{PageLimit, Store}};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// let [one, two] = ["one", "two"].map(|text| NewEvent::from(text).encode(1024));
    /// let appended = store.append(&[one?, two?]).await?;
    /// let page = store.read_before(Position::MAX, None, PageLimit::of_events(10)).await?;
    /// assert_eq!(page.events[0].position, appended.positions[1]);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    async fn read_before(
        &self,
        before: Position,
        filter: Option<&TopicFilter>,
        limit: PageLimit,
    ) -> Result<Page, StoreError> {
        backwards::read_before(self, before, filter, limit).await
    }

    /// Returns the position before the newest events that fit into this limit, or [`Bounds::floor`] if all events fit.
    ///
    /// After this position there are exactly `limit.events` events, or fewer if their blocks have more than `limit.bytes` bytes: then as
    /// many of the newest events as fit, and the newest event whatever its size. A store may count up to 256 bytes an event beside the block.
    /// If `limit.events` is 0 it returns [`Bounds::newest`]. The cost of a call must depend on the limit, not on the number of events kept.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{NewEvent, Position, store::{PageLimit, Store}};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// let [one, two] = ["one", "two"].map(|text| NewEvent::from(text).encode(1024));
    /// let appended = store.append(&[one?, two?]).await?;
    /// assert_eq!(store.before_last(PageLimit::of_events(1)).await?, appended.positions[0]);
    /// assert_eq!(store.before_last(PageLimit::of_events(9)).await?, Position::START);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError>;

    /// Returns the position before the oldest event that was stored within this time and is kept; if there is none, [`Bounds::newest`]. Streams
    /// begin there with [`Start::Since`](crate::Start::Since). The log calls it only if [`keeps_times`](Store::keeps_times) is true.
    ///
    /// It counts ages by the clock of the store, as [`retain`](Store::retain) does. An event that is exactly as old counts as stored within the time. If
    /// the order of the times differs from that of the positions, or if they are not exact, return a lower position: a client may get some older
    /// events, and must not miss any. The cost of a call must not depend on the number of older events.
    ///
    /// Default: an error.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use std::time::Duration;
    /// # use sse_core::store::Store;
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let refused = VecStore::new().before_since(Duration::from_secs(60)).await;
    /// assert!(format!("{:?}", refused.unwrap_err()).contains("keeps no times"));
    /// # }).unwrap();
    /// ```
    async fn before_since(&self, age: Duration) -> Result<Position, StoreError> {
        _ = age;
        Err(StoreError::failed("the store keeps no times of events"))
    }

    /// Returns the events after this position, and then new events as they come. The stream ends, or gives an error, when it cannot
    /// continue; the log then calls `follow` again from the last position.
    async fn follow(&self, after: Position) -> Result<Pages, StoreError>;

    /// Drops the oldest events that are over these limits, except the newest event. Returns the time after which the oldest event is too old;
    /// `None` if no event can become too old, because there is no age, or because only the newest event is kept. If the store does not know,
    /// it returns [`Duration::ZERO`].
    ///
    /// Each process calls it once when it has opened the log, and then at most every 10 s if something was appended meanwhile (with an age,
    /// every tenth of the age, 1 s to 10 s); and after the time that it has returned, or 5 minutes if that is longer. Nothing else waits for
    /// it. When it returns, it must have dropped every event over the limits, because the log does not call it again otherwise. The log drops a call after
    /// [`StoreOptions::store_timeout`](crate::StoreOptions::store_timeout), and tries a failed call again 20 ms to 1 s later, so a call must
    /// not begin from the start each time. If the engine drops events by itself, do nothing here.
    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError>;

    /// Marks the newest event as the last, for good. A second call changes nothing.
    async fn finish(&self) -> Result<(), StoreError>;

    /// Stores these events as [`append`](Store::append) does, and finishes the log: the newest of them is the last. The log calls it for
    /// [`EventLog::finish_with`](crate::EventLog::finish_with), with at least one event. If all of them are known by their idempotency keys, it
    /// returns their positions, and the log is finished after the call.
    ///
    /// A store should do both in one step, so that no crash can leave the log open with its last event.
    ///
    /// Default: it appends, and then finishes. If the process ends in between, the events are stored and the log stays open. Other processes
    /// can append in between. If finishing fails, the outcome is unknown.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{NewEvent, store::{Store, StoreError}};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// let [last, more] = ["last", "more"].map(|text| NewEvent::from(text).encode(1024));
    /// store.finish_with(&[last?]).await?;
    /// assert!(store.bounds().await?.is_finished);
    /// assert!(matches!(store.append(&[more?]).await, Err(StoreError::Finished)));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`append`](Store::append).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the outcome is unknown.
    async fn finish_with(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        let appended = self.append(events).await?;
        self.finish().await.map_err(|error| match error {
            StoreError::Failed(error) => StoreError::OutcomeUnknown(error),
            error => error,
        })?;
        Ok(appended)
    }

    /// Deletes the event at this position; its absence is no gap. If there is no event, nothing changes. The store counts the deletion in
    /// [`Bounds::deletions`] before any read misses the event.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{NewEvent, store::Store};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// let appended = store.append(&[NewEvent::from("hello").encode(1024)?]).await?;
    /// store.delete(appended.positions[0]).await?;
    /// assert_eq!(store.bounds().await?.deletions, 1);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    async fn delete(&self, event: Position) -> Result<(), StoreError>;

    /// Begins a new epoch if the epoch is still `current` (compare and set). Returns the epoch after the call, whichever process began it.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::store::Store;
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// let old = store.bounds().await?.epoch;
    /// let new = store.begin_epoch(old).await?;
    /// assert_ne!(new, old);
    /// assert_eq!(store.begin_epoch(old).await?, new, "another process was faster");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    async fn begin_epoch(&self, current: Epoch) -> Result<Epoch, StoreError>;

    /// Returns true if `bounds` and `read` show an event as soon as `append` has returned. Return false if they show it a little later, for
    /// example because events of a transaction that began before may still come. If it is true and they do not show the event, the log takes
    /// it for lost, and begins a new epoch.
    ///
    /// Default: true.
    fn shows_at_once(&self) -> bool {
        true
    }

    /// Returns true if the store keeps the [topics](EncodedEvent::topics) of events. If not, the log refuses events with topics.
    ///
    /// Default: false.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::store::Store;
    /// assert!(!VecStore::new().keeps_topics());
    /// ```
    fn keeps_topics(&self) -> bool {
        false
    }

    /// Returns true if the store knows when each event was stored, so that [`before_since`](Store::before_since) can be called. If not, the log
    /// refuses streams that begin with [`Start::Since`](crate::Start::Since).
    ///
    /// Default: false.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::store::Store;
    /// assert!(!VecStore::new().keeps_times());
    /// ```
    fn keeps_times(&self) -> bool {
        false
    }

    /// Returns the name of the log, for warnings and errors.
    fn name(&self) -> &str {
        "a store without a name"
    }

    /// Returns the address of the server or the path of the file, for errors, without a user and a password. Default: an empty text.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::store::Store;
    /// assert_eq!(VecStore::new().address(), "");
    /// ```
    fn address(&self) -> String {
        String::new()
    }

    /// Returns the largest position that the store can ever give: [`merge`](crate::merge) needs the length of its text. If the engine numbers
    /// its events with one number, return `Position::from(u64::MAX)`.
    ///
    /// Default: [`Position::MAX`].
    fn largest_position(&self) -> Position {
        Position::MAX
    }
}
