// Longer than other files: its methods are few, and each has its example.

//! Limits on the number of open streams.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::limits::load::Load;
use crate::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) mod load;

/// Limits on the streams that are open in this process. A stream over a limit gets status 200, its first lines, a time after which it may come
/// back, and the end: no status that would stop an `EventSource` for good. The more streams are refused, the longer is that time: up to 100
/// times the feed's [`retry`](crate::Feed::retry).
///
/// Pass it to feeds ([`Feed::limits`](crate::Feed::limits)). A clone counts the same streams, and may have other limits.
///
/// ```
/// use sse_core::{EventLog, Limits, StreamRequest, StreamResponse, Timer};
/// # futures_util::future::FutureExt::now_or_never(async {
/// # let request = StreamRequest::new("GET", None, []);
/// # let timer = || Timer::new(std::time::Instant::now, |_| std::future::pending());
///
/// let limits = Limits::new().process(20_000).each_principal(1);
/// let log = EventLog::in_memory(1000);
/// let feed = log.feed().limits(&limits);
///
/// let first = StreamResponse::new(&request, feed.clone().principal("user/7"), timer());
/// let second = StreamResponse::new(&request, feed.clone().principal("user/7"), timer());
/// let other = StreamResponse::new(&request, feed.principal("user/8"), timer());
/// assert_eq!(limits.open_streams(), 2);
/// assert_eq!(second.text().await.matches("retry: ").count(), 2, "at its start and at its end");
/// # drop((first, other));
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Limits {
    most: Most,
    counts: Arc<Mutex<Counts>>,
}

/// The limit that a stream has met.
///
/// ```
/// use sse_core::{End, Limit};
///
/// let end = End::Limited(Limit::Principal);
/// assert!(matches!(end, End::Limited(limit) if limit == Limit::Principal));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::process`].
    Process,
    /// [`Limits::each_log`].
    Log,
    /// [`Limits::each_topic`].
    Topic,
    /// [`Limits::each_principal`].
    Principal,
}

/// The largest numbers of open streams.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    process: usize,
    pub(crate) log: usize,
    pub(crate) topic: usize,
    principal: usize,
}

#[derive(Default)]
struct Counts {
    open: usize,
    /// The principals that have open streams.
    principals: HashMap<Arc<str>, Principal>,
    load: Load,
}

#[derive(Default)]
struct Principal {
    open: usize,
    load: Load,
}

impl Limits {
    /// Returns limits that let all streams in.
    ///
    /// ```
    /// assert_eq!(sse_core::Limits::new().open_streams(), 0);
    /// ```
    pub fn new() -> Self {
        let none = usize::MAX;
        let most = Most { process: none, log: none, topic: none, principal: none };
        Self { most, counts: Arc::default() }
    }

    /// Sets the largest number of streams that are open with these limits. If all feeds of a process have them, it is that of the process.
    ///
    /// ```
    /// # use sse_core::{EventLog, Limits, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let full = Limits::new().process(0);
    /// let feed = EventLog::in_memory(1000).feed().limits(&full);
    /// assert!(StreamResponse::new(&request, feed, timer).text().await.starts_with(": ok\nretry: "));
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn process(mut self, streams: usize) -> Self {
        self.most.process = streams;
        self
    }

    /// Sets the largest number of streams of each log. It counts all streams of the log in this process, also those of feeds without limits.
    ///
    /// ```
    /// # use sse_core::{EventLog, Limits, StreamRequest, StreamResponse, Timer};
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), || Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let feed = log.feed().limits(&Limits::new().each_log(1));
    /// let _open = StreamResponse::new(&request, feed.clone(), timer());
    /// let _refused = StreamResponse::new(&request, feed, timer());
    /// assert_eq!(log.stats().open_streams, 1);
    /// ```
    #[must_use]
    pub fn each_log(mut self, streams: usize) -> Self {
        self.most.log = streams;
        self
    }

    /// Sets the largest number of streams of each topic of a log. A stream that asks for many topics is refused if one of them is full. A topic
    /// that is added to the [`TopicSet`](crate::TopicSet) of an open stream does not end it.
    ///
    /// ```
    /// # use sse_core::{EventLog, Limits, StreamRequest, StreamResponse, Timer};
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), || Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let limits = Limits::new().each_topic(1);
    /// let one = StreamResponse::new(&request, log.topics(["room/42"])?.limits(&limits), timer());
    /// let many = StreamResponse::new(&request, log.topics(["user/7", "room/42"])?.limits(&limits), timer());
    /// assert_eq!(log.stats().open_streams, 1);
    /// # drop((one, many));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    #[must_use]
    pub fn each_topic(mut self, streams: usize) -> Self {
        self.most.topic = streams;
        self
    }

    /// Sets the largest number of streams of each principal: a key that the application gives ([`Feed::principal`](crate::Feed::principal)), such as
    /// a user, a tenant or an address. Set it above what honest pages need: each tab has a stream, and one that has left may be counted
    /// until the next write to it.
    ///
    /// ```
    /// # use sse_core::{EventLog, Limits, StreamRequest, StreamResponse, Timer};
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), || Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let limits = Limits::new().each_principal(6);
    /// let feed = EventLog::in_memory(1000).feed().limits(&limits);
    /// let open = StreamResponse::new(&request, feed.principal("user/7"), timer());
    /// assert_eq!(limits.open_streams_of("user/7"), 1);
    /// # drop(open);
    /// ```
    #[must_use]
    pub fn each_principal(mut self, streams: usize) -> Self {
        self.most.principal = streams;
        self
    }

    /// Returns the number of streams that are open with these limits.
    ///
    /// ```
    /// let limits = sse_core::Limits::new().process(100);
    /// assert_eq!(limits.clone().open_streams(), 0);
    /// ```
    pub fn open_streams(&self) -> usize {
        self.lock().open
    }

    /// Returns the number of streams that are open for a principal.
    ///
    /// ```
    /// assert_eq!(sse_core::Limits::new().open_streams_of("user/7"), 0);
    /// ```
    pub fn open_streams_of(&self, principal: &str) -> usize {
        self.lock().principals.get(principal).map_or(0, |principal| principal.open)
    }

    pub(crate) fn most(&self) -> Most {
        self.most
    }

    /// Counts a stream, or says which limit it has met.
    pub(crate) fn admit(&self, principal: Option<&Arc<str>>) -> Result<Admitted, Limit> {
        let mut counts = self.lock();
        if counts.open >= self.most.process {
            return Err(Limit::Process);
        }
        if let Some(key) = principal {
            let open = counts.principals.get(key).map_or(0, |principal| principal.open);
            if open >= self.most.principal {
                return Err(Limit::Principal);
            }
            counts.principals.entry(Arc::clone(key)).or_default().open += 1;
        }
        counts.open += 1;
        Ok(Admitted { counts: Arc::clone(&self.counts), principal: principal.cloned() })
    }

    /// Notes that a stream was refused. Returns the number by which its reconnection time is to be multiplied.
    pub(crate) fn refuse(&self, limit: Limit, principal: Option<&Arc<str>>, now: Instant) -> f64 {
        let mut counts = self.lock();
        let (load, most) = match (limit, principal) {
            // The load of one must not delay the others.
            (Limit::Principal, Some(key)) => match counts.principals.get_mut(key) {
                Some(principal) => (&mut principal.load, self.most.principal),
                None => return 1.0,
            },
            (Limit::Log, _) => (&mut counts.load, self.most.log),
            (Limit::Topic, _) => (&mut counts.load, self.most.topic),
            (Limit::Process | Limit::Principal, _) => (&mut counts.load, self.most.process),
        };
        load.refuse(now, most)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("most", &self.most).finish_non_exhaustive()
    }
}

/// A stream that is counted until this is dropped.
pub(crate) struct Admitted {
    counts: Arc<Mutex<Counts>>,
    principal: Option<Arc<str>>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.open -= 1;
        if let Some(key) = &self.principal
            && let Some(principal) = counts.principals.get_mut(key)
        {
            principal.open -= 1;
            if principal.open == 0 {
                counts.principals.remove(key);
            }
        }
    }
}
