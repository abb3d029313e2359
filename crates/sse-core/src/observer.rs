//! What happens to logs and streams, for metrics and for logs of one's own.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::panics::caught;
use crate::{EventId, Gap};

/// What is told of the streams of a feed ([`StreamOptions::observer`](crate::StreamOptions::observer)) or of a log
/// ([`EventLog::observe`](crate::EventLog::observe)). Each method does nothing by default.
///
/// A method is called on the task of the stream, or of the append: it must return at once. It is never called under a lock of this library.
/// If it panics, the stream goes on, and one error goes to `tracing`.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use std::sync::Arc;
/// use sse_core::{Ended, EventLog, Observer};
///
/// #[derive(Default)]
/// struct Metrics {
///     open: AtomicUsize,
///     delivered: AtomicUsize,
/// }
///
/// impl Observer for Metrics {
///     fn opened(&self) {
///         self.open.fetch_add(1, Relaxed);
///     }
///     fn delivered(&self, events: usize, _bytes: usize) {
///         self.delivered.fetch_add(events, Relaxed);
///     }
///     fn ended(&self, _: &Ended) {
///         self.open.fetch_sub(1, Relaxed);
///     }
/// }
///
/// let metrics = Arc::new(Metrics::default());
/// let log = EventLog::in_memory(1000);
/// log.observe(metrics.clone());
/// # use sse_core::{Start, StreamRequest, StreamResponse, Timer};
/// # futures_util::future::FutureExt::now_or_never(async {
/// log.append_all(["one", "two"]).await?;
/// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
/// # let feed = log.feed().start_at(Start::Oldest);
/// let response = StreamResponse::new(&StreamRequest::new("GET", None, []), feed, timer);
/// response.text().await;
/// assert_eq!((metrics.open.load(Relaxed), metrics.delivered.load(Relaxed)), (0, 2));
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A response has begun. [`ended`](Observer::ended) follows, once.
    fn opened(&self) {}

    /// A client cannot resume exactly where it was.
    fn gap(&self, gap: &Gap) {
        _ = gap;
    }

    /// A stream has given this many events to the framework, of so many bytes in all.
    fn delivered(&self, events: usize, bytes: usize) {
        _ = (events, bytes);
    }

    /// A response has ended, or was dropped; a 204 ends as soon as it begins.
    fn ended(&self, ended: &Ended) {
        _ = ended;
    }

    /// This process has appended this many events, of so many bytes in all, without their ids.
    fn appended(&self, events: usize, bytes: usize) {
        _ = (events, bytes);
    }

    /// The store of a log has begun to fail at something, such as "following the store of an event log", which is tried again.
    fn store_lost(&self, what: &str, error: &(dyn StdError + 'static)) {
        _ = (what, error);
    }

    /// The store does this again.
    fn store_back(&self, what: &str) {
        _ = what;
    }

    /// The store was asked to drop what is over the limits of the log, and has done so.
    fn retained(&self) {}
}

/// Shared with the application.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn opened(&self) {
        (**self).opened();
    }
    fn gap(&self, gap: &Gap) {
        (**self).gap(gap);
    }
    fn delivered(&self, events: usize, bytes: usize) {
        (**self).delivered(events, bytes);
    }
    fn ended(&self, ended: &Ended) {
        (**self).ended(ended);
    }
    fn appended(&self, events: usize, bytes: usize) {
        (**self).appended(events, bytes);
    }
    fn store_lost(&self, what: &str, error: &(dyn StdError + 'static)) {
        (**self).store_lost(what, error);
    }
    fn store_back(&self, what: &str) {
        (**self).store_back(what);
    }
    fn retained(&self) {
        (**self).retained();
    }
}

/// Why a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// There is nothing more: the log is finished, the source or the closure of a context has ended.
    Finished,
    /// The client could not resume, and [`OnGap::Stop`](crate::OnGap::Stop) was chosen.
    Gap,
    /// A [`Shutdown`](crate::Shutdown), or the future of [`EventStream::until`](crate::EventStream::until).
    Shutdown,
    /// The client polls, and has what was there.
    Polled,
    /// An error, of which [`StreamOptions::on_error`](crate::StreamOptions::on_error) was told.
    Failed,
    /// A bound of a source's replay was reached: the client comes back for the rest.
    Full,
    /// The framework dropped the body: the client left, or was cut off.
    Left,
}

/// What a stream was.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ended {
    /// Why it ended.
    pub end: End,
    /// How long it was open.
    pub lasted: Duration,
    /// The number of events that it gave.
    pub events: u64,
    /// The bytes of these events, with their ids.
    pub bytes: u64,
    /// The last id that it gave, if any.
    pub last_event_id: Option<EventId>,
}

impl Ended {
    pub(crate) fn new(end: End) -> Self {
        Self { end, lasted: Duration::ZERO, events: 0, bytes: 0, last_event_id: None }
    }
}

/// An observer as it is called.
#[derive(Clone)]
pub(crate) struct Observing(Arc<Called<dyn Observer>>);

struct Called<O: ?Sized> {
    has_panicked: AtomicBool,
    observer: O,
}

impl Observing {
    pub(crate) fn new(observer: impl Observer) -> Self {
        Self(Arc::new(Called { has_panicked: AtomicBool::new(false), observer }))
    }

    /// Calls a method. The first panic of all is said.
    pub(crate) fn tell(&self, call: impl FnOnce(&dyn Observer)) {
        let Called { has_panicked, observer } = &*self.0;
        if let Err(error) = caught(|| call(observer))
            && !has_panicked.swap(true, Ordering::Relaxed)
        {
            tracing::error!(
                error = &*error as &dyn StdError,
                "an observer of event streams panicked"
            );
        }
    }
}

impl fmt::Debug for Observing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observing")
    }
}
