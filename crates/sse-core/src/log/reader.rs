use std::mem;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::chunk::Entry;
use crate::log::backlog::Request;
use crate::log::handle::EventLog;
use crate::log::reader::gaps::Found;
pub(crate) use crate::log::reader::gaps::{Gaps, position_frame};
use crate::log::selection::Selection;
use crate::log::state::{Begin, Of};
use crate::sync::wakers::Waits;
use crate::{Epoch, Error, EventType, LastEventId, Position, Start};

mod begin;
mod entries;
mod from_store;
mod gaps;
mod newest;
pub(super) mod next;
mod page;
mod progress;
mod read;
mod snapshot;
mod subscription;
mod told;
mod topics;
mod view;

use begin::begin_at;
use next::{IdOf, Next};
use page::read_on;
use subscription::Subscription;

/// One client of a log: a position that advances, and a registration among the waiting readers.
pub(crate) struct Reader {
    log: EventLog,
    key: usize,
    /// Its note of where it waits, unless it asks for topics.
    waits: Waits,
    gaps: Gaps,
    /// The epoch of the log that it reads.
    epoch: Epoch,
    next: Next,
    /// The part behind the tail for which it waits.
    requested: Option<Box<Request>>,
    /// The offsets of the events in the chunk that it gave last, if its log is in a merge.
    #[expect(
        clippy::box_collection,
        reason = "most readers have none, and each byte of a reader counts"
    )]
    entries: Option<Box<Vec<Entry>>>,
    /// The topics that it asks for, unless it gets all events.
    topics: Option<Box<Subscription>>,
    /// It has passed positions behind the tail that had nothing for its client, which has no id after them.
    is_untold: bool,
    /// The newest event at the first call of [`has_caught_up`](Reader::has_caught_up).
    goal: Option<Box<(Epoch, Position)>>,
}

/// The number of changes of its topics that a reader follows, and of chunks that its client has seen already, before other tasks have their turn.
const MOST_STEPS: usize = 16;

type Chunk = Result<Bytes, Error>;

impl Reader {
    /// Returns a reader that continues at the client's position. `position` is the type of the event that tells a client of topics where it is.
    pub(crate) fn new(
        Selection { log, topics }: Selection,
        last_event_id: &LastEventId,
        start: &Start,
        mut gaps: Gaps,
        position: Option<EventType>,
    ) -> Self {
        let mut topics = topics.map(|set| Box::new(Subscription::new(&log, set, position)));
        let of = topics.as_ref().and_then(|topics| topics.of());
        let mut state = log.lock_now();
        let mut called = None;
        match (last_event_id, start) {
            (LastEventId::Id(id), _) | (LastEventId::Absent, Start::After(id)) => gaps.see(id),
            _ => {}
        }
        let next = match state.resolve(last_event_id, start) {
            Ok(Begin::Live) => gaps.begin_live(&state),
            Ok(Begin::After(position)) => read_on(&mut state, of, position),
            Ok(Begin::Snapshot(make)) => gaps.snapshot(make, None),
            Ok(Begin::Part(part)) => begin_at(&mut state, of, part, &mut gaps, &log.0.timer),
            Ok(Begin::AskStore(id)) => {
                let number;
                (number, called) = state.backing.request_check();
                Next::Check(id, number, IdOf::Client)
            }
            Err(gap) => {
                let id = match last_event_id {
                    LastEventId::Id(id) => Some(id.clone()),
                    _ => None,
                };
                gaps.go_on(&state, gap.reason, Found::Coming(id))
            }
        };
        let (key, epoch) = (state.readers.insert(), state.tail.epoch());
        if let (Some(topics), Next::Read(after)) = (&mut topics, &next) {
            topics.gave(&mut state, *after, *after);
        }
        drop(state);
        called.into_iter().for_each(|follower| follower.wake());
        let entries = gaps.want_entries().then(Box::default);
        Self {
            log,
            key,
            waits: Waits::NOT,
            gaps,
            epoch,
            next,
            requested: None,
            entries,
            topics,
            is_untold: false,
            goal: None,
        }
    }

    /// Returns the events after the position, up to about 64 kB. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        let mut steps = 0..MOST_STEPS;
        loop {
            if self.topics.is_some() && self.follow_topics() && steps.next().is_none() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match &mut self.next {
                Next::Stop | Next::Refuse => return Poll::Ready(None),
                Next::Read(_) => {
                    if let Some(bytes) = ready!(self.poll_read(cx)) {
                        if self.gaps.view.is_none() {
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                        if let Some(bytes) = self.unseen(bytes) {
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                        if steps.next().is_none() {
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                }
                Next::Begin(..) => {
                    if let Some(bytes) = ready!(self.poll_begin(cx)) {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Next::Give(page) => {
                    let (bytes, last) = (mem::take(&mut page.bytes), page.last);
                    let entries = mem::take(&mut page.entries);
                    self.next = Next::Read(page.upto);
                    self.note(entries);
                    self.told(last);
                    if let Some(bytes) = self.unseen(bytes) {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Next::Newest(_) => {
                    if let Some(bytes) = self.give_newest() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Next::Tell(_) => {
                    if let Some(frame) = self.tell() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Next::Check(_, number, _) => {
                    let number = *number;
                    if let Err(error) = ready!(self.poll_check(number, cx)) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Next::Look(..) => self.look(),
                Next::Ask(make, request) => self.next = Next::Wait(make.begin((**request).clone())),
                Next::Wait(making) => {
                    let made = ready!(making.get_mut().as_mut().poll(cx));
                    self.next = Next::Stop;
                    if let Err(error) = self.take_snapshot(made) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Next::Send(chunks, then) => match chunks.next() {
                    Some(chunk) => {
                        let entry = chunks.entry_in(&chunk);
                        self.note(entry);
                        if let Some(entry) = entry {
                            self.told(entry.position);
                        }
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    None => {
                        let then = mem::replace(&mut **then, Next::Stop);
                        self.next = self.after_snapshot(then);
                    }
                },
            }
        }
    }
}

impl Reader {
    /// Returns the events that it gets.
    #[inline]
    fn of(&self) -> Of {
        self.topics.as_ref().and_then(|topics| topics.of())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(topics) = self.topics.take() {
            topics.leave(&self.log);
        }
        let mut state = self.log.lock();
        let unneeded = state.readers.remove(self.key);
        let is_last = state.readers.len() == 0;
        let removed = state.backing.leave(self.requested.as_deref(), self.key);
        // No other reader is left that could request the same pages.
        let pages = is_last.then(|| state.backing.forget_pages());
        drop(state);
        drop((unneeded, removed, pages));
    }
}
