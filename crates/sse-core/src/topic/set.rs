mod lists;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use slab::Slab;

use crate::sync::wakers::wake_all;
use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::{InvalidTopic, Start, Topic};

/// The topics that some streams ask for. It can change while they are open.
///
/// A clone is the same set: a change concerns all streams that were made with it, such as those of one user's tabs. A stream that has ended
/// costs the set nothing.
///
/// ```
/// use sse_core::{EventLog, Start, TopicSet};
///
/// let log = EventLog::in_memory(1000);
/// let mine = TopicSet::new(["user/7"])?;
/// let feed = log.topics(&mine)?;
///
/// // The user joins a room. All open streams get its events from now on, and so does each later one.
/// mine.add("room/42", Start::Live)?;
/// assert_eq!(mine.len(), 2);
/// mine.remove("room/42");
/// assert!(!mine.contains("room/42"));
/// # drop(feed);
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TopicSet(Arc<Shared>);

struct Shared {
    /// The number of changes. A stream compares it with the number that it has seen.
    changes: AtomicU64,
    set: Mutex<Set>,
}

#[derive(Default)]
struct Set {
    /// In order: most sets have one or a few, for which a tree would take half a kilobyte.
    topics: Vec<(Topic, Added)>,
    /// The open streams: the log of each, and the key of the stream there.
    streams: Slab<(Arc<dyn Follows>, usize)>,
}

/// A log, as a set notifies it of a change.
pub(crate) trait Follows: Send + Sync {
    /// Records where a stream is at the moment of a change of its topics. Returns its waker if it waits.
    fn topics_change(&self, stream: usize) -> Option<Waker>;
}

impl Set {
    /// Returns the index of a topic, or the one at which it would be.
    fn find(&self, topic: &str) -> Result<usize, usize> {
        self.topics.binary_search_by(|(known, _)| known.as_str().cmp(topic))
    }
}

/// The change that added a topic, and the number of its newest events that open streams get.
#[derive(Debug, Clone, Copy)]
struct Added {
    change: u64,
    last: usize,
}

/// A topic of a set, as a stream takes it over.
pub(crate) struct Wanted {
    pub(crate) topic: Topic,
    /// The number of its newest events that the stream gets if the topic is new to it.
    pub(crate) last: usize,
}

impl TopicSet {
    /// The largest number of topics of a set: 1000.
    ///
    /// ```
    /// use sse_core::TopicSet;
    ///
    /// let all: Vec<_> = (0..=TopicSet::MAX).map(|number| format!("room/{number}")).collect();
    /// assert!(TopicSet::new(&all[..TopicSet::MAX]).is_ok());
    /// assert!(TopicSet::new(&all).is_err());
    /// ```
    pub const MAX: usize = 1000;

    /// Returns a set of these topics. If there is none, its streams get only the events without a topic.
    ///
    /// ```
    /// let mine = sse_core::TopicSet::new(["user/7", "room/42", "user/7"])?;
    /// assert_eq!(mine.len(), 2);
    /// # Ok::<(), sse_core::InvalidTopic>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidTopic`] if a text cannot be a topic, or if there are more than [`MAX`](TopicSet::MAX).
    pub fn new<I>(topics: I) -> Result<Self, InvalidTopic>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let (changes, set) = (AtomicU64::new(0), Mutex::new(Set::default()));
        let set = Self(Arc::new(Shared { changes, set }));
        for topic in topics {
            set.insert(Topic::try_from(topic.as_ref())?, 0)?;
        }
        Ok(set)
    }

    /// Adds a topic. Open streams get its events after their position: a stream that waits gets those that are appended after the call, and a
    /// stream that has events to read also those that were appended after the first of these. With [`Start::Last`] they get that many of its newest events
    /// first, without ids: at most 1000, and as many as are in memory. Every other start means the present
    /// position. If the set has the topic already, nothing changes.
    ///
    /// ```
    /// # use sse_core::{Start, TopicSet};
    /// let mine = TopicSet::new(["user/7"])?;
    /// mine.add("room/42", Start::Last(20))?;
    /// assert!(mine.contains("room/42"));
    /// # Ok::<(), sse_core::InvalidTopic>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidTopic`] if the text cannot be a topic, or if the set has [`MAX`](TopicSet::MAX) topics already.
    pub fn add(&self, topic: impl AsRef<str>, start: Start) -> Result<(), InvalidTopic> {
        let last = if let Start::Last(count) = start { count.min(1000) } else { 0 };
        self.insert(Topic::try_from(topic.as_ref())?, last)
    }

    /// Removes a topic. Its streams get none of its events any more, not even those that they have not read yet; what a stream has given to the
    /// framework still goes out. If the set does not have the topic, nothing changes.
    ///
    /// ```
    /// let mine = sse_core::TopicSet::new(["user/7", "room/42"])?;
    /// mine.remove("room/42");
    /// assert_eq!(mine.len(), 1);
    /// # Ok::<(), sse_core::InvalidTopic>(())
    /// ```
    pub fn remove(&self, topic: impl AsRef<str>) {
        let mut set = self.lock();
        if let Ok(at) = set.find(topic.as_ref()) {
            set.topics.remove(at);
            self.changed(set);
        }
    }

    /// Returns true if the set has this topic.
    ///
    /// ```
    /// let mine = sse_core::TopicSet::new(["user/7"])?;
    /// assert!(mine.contains("user/7") && !mine.contains("user/8"));
    /// # Ok::<(), sse_core::InvalidTopic>(())
    /// ```
    pub fn contains(&self, topic: impl AsRef<str>) -> bool {
        self.lock().find(topic.as_ref()).is_ok()
    }

    /// Returns the number of topics.
    ///
    /// ```
    /// assert_eq!(sse_core::TopicSet::new(["user/7"])?.len(), 1);
    /// # Ok::<(), sse_core::InvalidTopic>(())
    /// ```
    pub fn len(&self) -> usize {
        self.lock().topics.len()
    }

    /// Returns true if the set has no topic: its streams get only the events without a topic.
    ///
    /// ```
    /// assert!(sse_core::TopicSet::new([""; 0])?.is_empty());
    /// # Ok::<(), sse_core::InvalidTopic>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, topic: Topic, last: usize) -> Result<(), InvalidTopic> {
        let mut set = self.lock();
        let Err(at) = set.find(topic.as_ref()) else { return Ok(()) };
        if set.topics.len() == Self::MAX {
            return Err(InvalidTopic::new("a stream asks for at most 1000 topics", None));
        }
        let change = self.changes() + 1;
        set.topics.insert(at, (topic, Added { change, last }));
        self.changed(set);
        Ok(())
    }

    /// Counts a change, notifies the logs of the streams, and wakes those that wait. It counts first: a stream that begins to wait later sees it.
    fn changed(&self, set: MutexGuard<'_, Set>) {
        self.0.changes.fetch_add(1, Ordering::Release);
        let streams = set.streams.iter();
        let woken: Vec<_> =
            streams.filter_map(|(_, (log, stream))| log.topics_change(*stream)).collect();
        drop(set);
        wake_all(woken);
    }

    /// Returns the number of changes so far.
    pub(crate) fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// Returns the topics, and the number of changes up to now. Those that were added after `seen` changes come with their newest events.
    pub(crate) fn wanted(&self, seen: u64) -> (u64, Vec<Wanted>) {
        let set = self.lock();
        let wanted = set.topics.iter().map(|(topic, added)| Wanted {
            topic: topic.clone(),
            last: if added.change > seen { added.last } else { 0 },
        });
        (self.changes(), wanted.collect())
    }

    /// Adds a stream, which has this key in its log. Returns its key here.
    pub(crate) fn enter(&self, log: Arc<dyn Follows>, stream: usize) -> usize {
        self.lock().streams.insert((log, stream))
    }

    /// Removes a stream.
    pub(crate) fn leave(&self, key: usize) {
        let removed = self.lock().streams.remove(key);
        drop(removed);
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        self.0.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TopicSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().topics.iter().map(|(topic, _)| topic)).finish()
    }
}
