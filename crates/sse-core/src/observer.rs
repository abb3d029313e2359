//! An observer of logs and streams, for metrics and for the application's own logs.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::Gap;
use crate::panics::caught;

mod delivered;
mod ended;

pub use delivered::{Delivered, FollowerState};
pub use ended::{End, Ended};

/// An observer, which is told of the streams of a feed ([`StreamOptions::observer`](crate::StreamOptions::observer)) or of a log
/// ([`EventLog::observe`](crate::EventLog::observe)). Each method does nothing by default.
///
/// A pair of observers is an observer, too, which calls both.
///
/// The library calls a method on the task of the stream, or of the append, so it must return at once. The library never calls it under one
/// of its own locks. If a method panics, the stream continues, and one error goes to `tracing`.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use std::sync::Arc;
/// use sse_core::{Delivered, Ended, EventLog, Observer};
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
///     fn delivered(&self, delivered: &Delivered<'_>) {
///         self.delivered.fetch_add(delivered.events, Relaxed);
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
#[doc(alias("metrics", "connected", "disconnected"))]
pub trait Observer: Send + Sync + 'static {
    /// Records that a response has begun. The library calls [`ended`](Observer::ended) later, once.
    fn opened(&self) {}

    /// Records that a client cannot resume exactly where it was.
    ///
    /// ```
    /// use sse_core::{EventLog, Gap, Observer};
    ///
    /// struct Printed;
    /// impl Observer for Printed {
    ///     fn gap(&self, gap: &Gap) {
    ///         println!("a client lost events: {} ({})", gap.reason, gap);
    ///     }
    /// }
    /// assert!(EventLog::in_memory(1000).observe(Printed));
    /// ```
    fn gap(&self, gap: &Gap) {
        _ = gap;
    }

    /// Records that a stream has given events to the framework.
    fn delivered(&self, delivered: &Delivered<'_>) {
        _ = delivered;
    }

    /// Records that a stream waits for new events for the first time: what it gives from now on is no [replay](Delivered::is_replay).
    fn live(&self) {}

    /// Records that a stream waits for the store, to read events that are behind those in memory.
    fn behind(&self) {}

    /// Records that a stream that was [`behind`](Observer::behind) has caught up, or is about to end.
    fn caught_up(&self) {}

    /// Records that a response has ended, or was dropped; a 204 ends as soon as it begins.
    fn ended(&self, ended: &Ended) {
        _ = ended;
    }

    /// Records that this process has appended this many events, of so many bytes in all, without their ids.
    /// An event whose idempotency key the log knew is counted, too.
    fn appended(&self, events: usize, bytes: usize) {
        _ = (events, bytes);
    }

    /// Records the time that an append to the store took, with its further attempts, whether it succeeded or not. Not called in memory.
    fn append_took(&self, took: Duration) {
        _ = took;
    }

    /// Records the state of the follower of a log: when the observer is set, and at each change. Not called in memory.
    fn follower(&self, state: FollowerState) {
        _ = state;
    }

    /// Records that the store of a log has begun to fail at a task, such as "following the store of an event log", which is tried again.
    fn store_lost(&self, what: &str, error: &(dyn StdError + 'static)) {
        _ = (what, error);
    }

    /// Records that the store succeeds at this task again.
    fn store_back(&self, what: &str) {
        _ = what;
    }

    /// Records that the store has dropped the events over the limits of the log, as this process requested.
    fn retained(&self) {}
}

/// Implements each method of an observer by calls of the same method of others.
macro_rules! calls {
    ($self:ident => $($other:expr),+) => {
        fn opened(&$self) {
            $($other.opened();)+
        }
        fn gap(&$self, gap: &Gap) {
            $($other.gap(gap);)+
        }
        fn delivered(&$self, delivered: &Delivered<'_>) {
            $($other.delivered(delivered);)+
        }
        fn live(&$self) {
            $($other.live();)+
        }
        fn behind(&$self) {
            $($other.behind();)+
        }
        fn caught_up(&$self) {
            $($other.caught_up();)+
        }
        fn ended(&$self, ended: &Ended) {
            $($other.ended(ended);)+
        }
        fn appended(&$self, events: usize, bytes: usize) {
            $($other.appended(events, bytes);)+
        }
        fn append_took(&$self, took: Duration) {
            $($other.append_took(took);)+
        }
        fn follower(&$self, state: FollowerState) {
            $($other.follower(state);)+
        }
        fn store_lost(&$self, what: &str, error: &(dyn StdError + 'static)) {
            $($other.store_lost(what, error);)+
        }
        fn store_back(&$self, what: &str) {
            $($other.store_back(what);)+
        }
        fn retained(&$self) {
            $($other.retained();)+
        }
    };
}

/// Shares an observer with the application.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    calls!(self => (**self));
}

/// Calls two observers, one after the other.
impl<A: Observer, B: Observer> Observer for (A, B) {
    calls!(self => self.0, self.1);
}

/// An observer, shared by the streams that call it.
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

    /// Calls a method, and logs the first panic.
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
