//! Reading the events of topics. The index is the server's own, of subjects: an event that has one topic and no key is on the subject of its
//! topic. The server keeps it with the messages, so no entry outlives its event. The subjects of all other events do not show their topics, so
//! every reader of topics looks at them.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futures_util::{StreamExt, TryStreamExt, stream};
use sse_core::Position;
use sse_core::store::{Page, PageLimit, StoreError, StoredEvent, TopicFilter, TopicPage};
use tokio::time::{Instant, timeout};

use crate::bounds::load_view;
use crate::core::LogCore;
use crate::lookup::next_on;
use crate::message::Message;
use crate::read::{MOST, read, within, without_superseded};
use crate::removed::without_deleted;

pub(crate) mod header;

/// If one event in so many of a page concerns its reader, the log is read page by page: a page costs less than so many lookups.
const WORTH: usize = 8;
/// Number of lookups at a time: so many, and fewer if their messages together have more bytes than a page.
const AT_A_TIME: u64 = 64;
/// Number of messages up to which a list is always followed.
const FEW: usize = 16;

/// Returns the events after this position that pass the filter. It reads a page of the log first. If few of its events concern the reader, it looks
/// up the next messages on each subject, and reads nothing that lies between them.
pub(crate) async fn read_topics(
    core: &LogCore,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Result<TopicPage, StoreError> {
    let started = Instant::now();
    let page = read(core, after, limit).await?;
    let (events, first) = (page.events.len(), page.events.first().map(|event| event.position));
    let concerns = |event: &&StoredEvent| filter.takes(&event.topics) || is_elsewhere(event);
    let concern = page.events.iter().filter(concerns).count();
    let read = filter.of_page(after, page);
    if read.upto >= read.page.bounds.newest || concern * WORTH >= events {
        return Ok(read);
    }
    // Over a slow line the log is read page by page: a thousand lookups would take longer than a call may.
    let left = (core.requests.timeout / 2).saturating_sub(started.elapsed());
    let span = read.upto.hi() - first.unwrap_or(read.upto).hi() + 1;
    let search = Search::new(core, filter, limit, &read);
    match timeout(left, search.run(span)).await {
        Ok(found) => Ok(found?.unwrap_or(read)),
        Err(_) => Ok(read),
    }
}

/// Returns true if the subject of this event does not show its topics, or if it may be in a batch.
fn is_elsewhere(event: &StoredEvent) -> bool {
    event.key.is_some() || event.topics.len() > 1 || event.position.lo() > 0
}

/// A search for the messages on some subjects.
struct Search<'a> {
    core: &'a LogCore,
    filter: &'a TopicFilter,
    limit: PageLimit,
    /// The page of the log that was read first.
    before: &'a TopicPage,
    lists: Vec<List>,
    /// Number of bytes that further messages may have.
    room: AtomicUsize,
}

/// The messages on one subject.
struct List {
    subject: String,
    /// The first sequence that was not looked at.
    at: u64,
}

impl<'a> Search<'a> {
    fn new(
        core: &'a LogCore,
        filter: &'a TopicFilter,
        limit: PageLimit,
        before: &'a TopicPage,
    ) -> Self {
        let names = &core.names;
        let of_none = filter.takes_those_without().then(|| names.single());
        let of_each = filter.topics().iter().map(|topic| names.of_topic(topic));
        let subjects = of_each.chain(of_none).chain(names.of_any_topic());
        let at = before.upto.hi() + 1;
        let lists = subjects.map(|subject| List { subject, at }).collect();
        let room = AtomicUsize::new(limit.bytes.min(MOST.bytes));
        Self { core, filter, limit, before, lists, room }
    }

    /// Follows the lists to the end of the log, or until a page is half full. Each step covers twice as many messages as the one before, so that a
    /// list is not followed far beyond the end of the page. Returns `None` if an epoch began meanwhile.
    async fn run(mut self, mut span: u64) -> Result<Option<TopicPage>, StoreError> {
        let newest = self.before.page.bounds.newest.hi();
        let events = self.limit.events.clamp(1, MOST.events);
        let bytes = self.room.load(Relaxed);
        let most = (2 * events / self.lists.len()).max(FEW);
        let (mut messages, mut reached) = (Vec::new(), self.before.upto.hi());
        span = span.saturating_mul(WORTH as u64);
        loop {
            let end = reached.saturating_add(span).min(newest);
            messages.extend(self.follow(end, most).await?);
            reached = self.lists.iter().map(|list| list.at - 1).min().unwrap_or(end).min(end);
            let is_cut = reached < end;
            let is_half_full = messages.len() >= events / 2 || self.room.load(Relaxed) < bytes / 2;
            if is_cut || end == newest || is_half_full {
                break;
            }
            span = span.saturating_mul(2);
        }
        messages.retain(|message: &Message| message.sequence <= reached);
        messages.sort_unstable_by_key(|message| message.sequence);
        self.page(messages, reached).await
    }

    /// Follows each list up to this sequence, or for so many messages.
    async fn follow(&mut self, end: u64, most: usize) -> Result<Vec<Message>, StoreError> {
        let (core, room) = (self.core, &self.room);
        let average = core.average.load(Relaxed).max(1);
        let at_a_time = (MOST.bytes as u64 / average).clamp(1, AT_A_TIME) as usize;
        let lists = self.lists.iter_mut().filter(|list| list.at <= end);
        let followed: Vec<_> = lists.map(|list| list.follow(core, end, most, room)).collect();
        let found = stream::iter(followed).buffer_unordered(at_a_time).try_collect::<Vec<_>>();
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// Returns the page of these messages and of the page before, up to this sequence.
    async fn page(
        self,
        messages: Vec<Message>,
        reached: u64,
    ) -> Result<Option<TopicPage>, StoreError> {
        let Self { core, filter, before, .. } = self;
        let mut view = load_view(core).await?;
        if view.bounds.epoch != before.page.bounds.epoch {
            return Ok(None);
        }
        let events = messages.iter().flat_map(|message| message.events(&core.names));
        let begin = before.upto.max(view.bounds.floor);
        let events = without_superseded(events.filter(|event| event.position > begin));
        let events = events.into_iter().filter(|event| filter.takes(&event.topics));
        let events = before.page.events.iter().cloned().chain(events);
        let events = without_deleted(core, &mut view, events.collect()).await?;
        let found = events.len();
        let events = within(events, self.limit);
        let upto = match events.last() {
            Some(last) if events.len() < found => last.position,
            _ => Position::new(reached, 0).max(before.upto),
        };
        let page = Page { bounds: view.bounds, events };
        Ok(Some(TopicPage { page, upto }))
    }
}

impl List {
    /// Returns the messages up to this sequence, or the first of them. A message beyond it is looked up again when its turn comes: a thousand lists
    /// could hold too many bytes.
    async fn follow(
        &mut self,
        core: &LogCore,
        end: u64,
        most: usize,
        room: &AtomicUsize,
    ) -> Result<Vec<Message>, StoreError> {
        let mut messages = Vec::new();
        while self.at <= end && messages.len() < most && room.load(Relaxed) > 0 {
            match next_on(core, self.at, &self.subject).await? {
                None => self.at = u64::MAX,
                Some(message) if message.sequence > end => self.at = message.sequence,
                Some(message) => {
                    self.at = message.sequence + 1;
                    _ = room.fetch_update(Relaxed, Relaxed, |room| {
                        Some(room.saturating_sub(message.payload.len()))
                    });
                    messages.push(message);
                }
            }
        }
        Ok(messages)
    }
}
