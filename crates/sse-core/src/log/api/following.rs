//! The events of a log for code of the application, by the reader that a client has.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use crate::feed::options::StreamOptions;
use crate::log::handle::EventLog;
use crate::log::reader::{Gaps, Reader};
use crate::log::selection::Selection;
use crate::shutdown::OpenStream;
use crate::{Error, EventId, Frame, Gap, InvalidTopic, LastEventId, Start, TopicSet};

/// What [`EventLog::follow_after`] gives.
///
/// ```
/// use futures_util::StreamExt;
/// use sse_core::{EventLog, Followed, Start};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1);
/// let first = log.append("one").await?;
/// log.append_all(["two", "three"]).await?;
/// let mut events = log.follow_after(Start::After(first));
/// let Some(Ok(Followed::Gap(gap))) = events.next().await else { panic!("`two` was dropped") };
/// assert_eq!(gap.oldest, gap.newest);
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Followed {
    /// The next event.
    Event(Frame),
    /// Some events were dropped before they could be given. The next event is the oldest that the log keeps.
    Gap(Gap),
}

/// The events of a log after a position, as a [`Stream`]: those that are there, and then each that comes.
/// [`EventLog::follow_after`] makes it.
///
/// It ends when the log is finished, or its [shutdown](EventLog::shutdown) begins. It keeps at most one chunk of events, about 64 KiB or one
/// event, and asks for more once you have taken them: a slow worker delays nobody. An error is the last item.
///
/// ```
/// use futures_util::{FutureExt, StreamExt};
/// use sse_core::{EventLog, Following, Start};
///
/// let log = EventLog::in_memory(1000);
/// let mut events: Following = log.follow_after(Start::Live);
/// assert!(events.next().now_or_never().is_none(), "it waits for an event");
/// log.append_now("hello")?;
/// assert!(events.next().now_or_never().is_some());
/// # Ok::<(), sse_core::Error>(())
/// ```
///
/// # Cancel safety
///
/// Dropping a future that waits for the next item loses nothing.
pub struct Following {
    reader: Reader,
    open: OpenStream,
    /// The items of the last chunk that were not taken yet.
    items: VecDeque<Followed>,
    /// The id of the event that was given last.
    last: Option<EventId>,
    has_ended: bool,
}

impl EventLog {
    /// Returns the events after a start, for code of the application: a worker, a webhook, a test. It gives what a client gets, as events in place
    /// of bytes. To go on after a restart, store [`Following::id`] and pass it as [`Start::After`].
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use sse_core::{EventLog, Followed, Start};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// log.append_all(["one", "two"]).await?;
    /// let mut events = log.follow_after(Start::Oldest);
    /// while let Some(event) = events.next().await {
    ///     let Followed::Event(event) = event? else { continue };
    ///     if event.to_event().data.as_deref() == Some("two") {
    ///         log.finish().await?;
    ///     }
    /// }
    /// assert_eq!(events.id().as_ref(), Some(&log.stats().newest));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[doc(alias("subscribe", "stream", "receiver", "iter"))]
    pub fn follow_after(&self, start: Start) -> Following {
        Following::new(Selection { log: self.clone(), topics: None }, start)
    }

    /// Returns the events of some topics after a start, and those without a topic: [`follow_after`](EventLog::follow_after) by
    /// [`topics`](EventLog::topics).
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use sse_core::{Event, EventLog, Followed, Start};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// log.append(Event::new("for another").topic("job/1")?).await?;
    /// log.append(Event::new("for this one").topic("job/2")?).await?;
    /// let mut jobs = log.follow_topics_after(["job/2"], Start::Oldest)?;
    /// let Some(Ok(Followed::Event(event))) = jobs.next().await else { panic!("it is there") };
    /// assert_eq!(event.to_event().data.as_deref(), Some("for this one"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`topics`](EventLog::topics).
    #[doc(alias = "filter")]
    pub fn follow_topics_after<T>(&self, topics: T, start: Start) -> Result<Following, Error>
    where
        T: TryInto<TopicSet>,
        InvalidTopic: From<T::Error>,
    {
        Ok(Following::new(self.select(topics)?, start))
    }
}

impl Following {
    fn new(selection: Selection, start: Start) -> Self {
        let open = selection.log.shutdown().open();
        // The offsets of the events are wanted, as in a merge. After a gap it goes on with the oldest.
        let start = start.on(&selection.log.0.timer);
        let gaps = Gaps::of_merged("".into(), EventId::MAX_LEN, &StreamOptions::new(), &start);
        let reader = Reader::new(selection, &LastEventId::Absent, &start, gaps, None);
        Self { reader, open, items: VecDeque::new(), last: None, has_ended: false }
    }

    /// Returns the id up to which all events were given: that of the last item, or a later one up to which there is nothing for these
    /// topics, so that the id of a worker that waits does not grow too old. `None` before the log has been read.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let events = log.follow_after(sse_core::Start::Live);
    /// assert_eq!(events.id(), Some(log.stats().newest));
    /// ```
    pub fn id(&self) -> Option<EventId> {
        let read = self.items.is_empty().then(|| self.reader.quiet_position()).flatten();
        read.map(|(epoch, position)| self.reader.id_at(position, epoch))
            .or_else(|| self.last.clone())
    }

    /// Takes over a chunk: a reset, if a gap was found, or events.
    fn take(&mut self, chunk: Bytes) {
        if let Some(gap) = self.reader.take_gap() {
            self.items.push_back(Followed::Gap(Gap { log: None, ..gap }));
            return;
        }
        let entries = self.reader.entries();
        // The newest events of an added topic, and those of a snapshot except its last, have no ids.
        let first = entries.first().map_or(chunk.len(), |entry| entry.range().start);
        let without = chunk.slice(..first);
        self.items.extend(Frame::all_without_ids(&without).map(Followed::Event));
        let events = entries.iter().map(|entry| self.reader.frame(&chunk, *entry));
        self.items.extend(events.map(Followed::Event));
        self.reader.forget_entries();
    }
}

impl Stream for Following {
    type Item = Result<Followed, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.has_ended {
                return Poll::Ready(None);
            }
            if let Some(item) = this.items.pop_front() {
                if let Followed::Event(frame) = &item {
                    this.last = frame.id().cloned().or(this.last.take());
                }
                return Poll::Ready(Some(Ok(item)));
            }
            if this.open.poll_over(cx).is_ready() {
                this.has_ended = true;
                continue;
            }
            match ready!(this.reader.poll_next(cx)) {
                Some(Ok(chunk)) => this.take(chunk),
                Some(Err(error)) => {
                    this.has_ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => this.has_ended = true,
            }
        }
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following").field("id", &self.id()).finish_non_exhaustive()
    }
}
