use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

use crate::store::Page;
use crate::{Position, Topic};

/// The events that a stream of topics gets: those that have one of these topics and, unless the log requires topics, those that have none.
///
/// A clone is cheap.
///
/// ```
/// use sse_core::{Topic, store::TopicFilter};
///
/// let [a, b] = ["room/42", "user/7"].map(Topic::from_static);
/// let filter = TopicFilter::new([a.clone()], true);
/// assert!(filter.takes(&[a, b.clone()]) && !filter.takes(&[b]));
/// assert!(filter.takes(&[]), "an event without topics is for everybody");
/// ```
#[derive(Debug, Clone)]
pub struct TopicFilter(Arc<Filter>);

#[derive(Debug, PartialEq, Eq)]
struct Filter {
    /// The hash of the rest: a set may have a thousand topics, and is looked up under the lock of the log.
    hash: u64,
    /// In order, each once.
    topics: Vec<Topic>,
    takes_those_without: bool,
}

impl TopicFilter {
    /// Returns the filter of these topics. `takes_those_without` is true if events that have no topic pass, too.
    ///
    /// ```
    /// use sse_core::{Topic, store::TopicFilter};
    ///
    /// let filter = TopicFilter::new(["b", "a", "b"].map(Topic::from_static), false);
    /// assert_eq!(filter.topics(), ["a", "b"].map(Topic::from_static));
    /// assert!(!filter.takes(&[]));
    /// ```
    pub fn new(topics: impl IntoIterator<Item = Topic>, takes_those_without: bool) -> Self {
        static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut topics: Vec<_> = topics.into_iter().collect();
        topics.sort_unstable();
        topics.dedup();
        let hash = HASHES.hash_one((&topics, takes_those_without));
        Self(Arc::new(Filter { hash, topics, takes_those_without }))
    }

    /// Returns the topics, in order and each once: at most [`TopicSet::MAX`](crate::TopicSet::MAX) if the log asks.
    ///
    /// ```
    /// use sse_core::{Topic, store::TopicFilter};
    ///
    /// assert!(TopicFilter::new([], true).topics().is_empty());
    /// ```
    pub fn topics(&self) -> &[Topic] {
        &self.0.topics
    }

    /// Returns true if events that have no topic pass.
    ///
    /// ```
    /// assert!(sse_core::store::TopicFilter::new([], true).takes_those_without());
    /// ```
    pub fn takes_those_without(&self) -> bool {
        self.0.takes_those_without
    }

    /// Returns true if an event with these topics passes.
    ///
    /// ```
    /// use sse_core::{Topic, store::TopicFilter};
    ///
    /// let filter = TopicFilter::new([Topic::from_static("user/7")], false);
    /// assert!(!filter.takes(&[Topic::from_static("user/8")]));
    /// ```
    pub fn takes(&self, topics: &[Topic]) -> bool {
        match topics {
            [] => self.0.takes_those_without,
            topics => topics.iter().any(|topic| self.0.topics.binary_search(topic).is_ok()),
        }
    }

    /// Returns the events of a page that pass. The page was read after this position. A page without events looks no further: its bounds may be
    /// from after an event that came while it was read.
    ///
    /// ```
    #[doc = include_str!("in_examples.txt")]
    /// # use sse_core::{Event, NewEvent, Position, Topic, store::{PageLimit, Store, TopicFilter}};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let store = VecStore::new();
    /// store.append(&[NewEvent::from("to everybody").encode(1024)?]).await?;
    /// let page = store.read(Position::START, PageLimit::of_events(10)).await?;
    /// let newest = page.bounds.newest;
    /// let none = TopicFilter::new([Topic::from_static("user/7")], false).of_page(Position::START, page);
    /// assert!(none.page.events.is_empty());
    /// assert_eq!(none.upto, newest);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    pub fn of_page(&self, after: Position, mut page: Page) -> TopicPage {
        let last = page.events.last().map(|event| event.position);
        page.events.retain(|event| self.takes(&event.topics));
        TopicPage { upto: last.unwrap_or(after), page }
    }
}

impl PartialEq for TopicFilter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for TopicFilter {}

impl Hash for TopicFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

/// Some events of a log that pass a filter, and how far the store has looked.
///
/// ```
#[doc = include_str!("in_examples.txt")]
/// # use sse_core::{Event, NewEvent, Position, Topic, store::{PageLimit, Store, TopicFilter, TopicPage}};
/// # futures_util::future::FutureExt::now_or_never(async {
/// let store = VecStore::new();
/// store.append(&[NewEvent::from(Event::new("hi")).topic("room/42")?.encode(1024)?]).await?;
/// let filter = TopicFilter::new([Topic::from_static("room/42")], true);
/// let read: TopicPage = store.read_topics(Position::START, &filter, PageLimit::of_events(10)).await?;
/// assert_eq!(read.page.events.len(), 1);
/// assert_eq!(read.upto, read.page.bounds.newest);
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "stores make it: one that lacks a new part must not compile"
)]
pub struct TopicPage {
    /// The events, oldest first, and the bounds after they had been read.
    pub page: Page,
    /// The position up to which the page has every event that passes: at least that of its last event, and above the position after which it was
    /// read. If the store has no event at all after that position, it is that position.
    pub upto: Position,
}
