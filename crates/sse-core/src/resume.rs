//! The join of a source's two halves. The order is decided here and nowhere else: **subscribe, fetch, replay, live**.
//!
//! - Subscribed first, so that nothing published during the fetch is lost.
//! - What is published meanwhile is kept, within bounds. If it is more, the replay is delivered and the response ends: the client
//!   comes back for the rest. (To clear the buffer and go on would lose events.)
//! - What was replayed is remembered for as long as the stream lives, the client's last event ID included: a notification may come
//!   long after the replay that already had its event. Memory is bounded in the same way: after a longer replay the response ends.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sync_wrapper::SyncWrapper;

use crate::{
    BoxError, Error, EventId, Frame, Frames, Gap, GapReason, LastEventId, OnGap, Replay, Source,
};

/// How many bytes are kept of what is published while a client catches up.
const BUFFERED_BYTES: usize = 1024 * 1024;

/// One client of a source.
pub(crate) struct Resume {
    source: Arc<dyn Source>,
    phase: Phase,
    live: Option<SyncWrapper<Frames>>,
    buffered: Buffered,
    replayed: Replayed,
    last_event_id: LastEventId,
    on_gap: OnGap,
}

/// What bounds the memory of one client of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many events are kept that are published while it catches up.
    pub(crate) buffered: usize,
    /// How many ids are remembered of those replayed.
    pub(crate) remembered: usize,
}

type Answer<T> = SyncWrapper<Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>>;

enum Phase {
    Subscribing(Answer<Frames>),
    Fetching(Answer<Replay>),
    Replaying(SyncWrapper<Frames>),
    Live,
    Ended,
}

impl Resume {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        last_event_id: LastEventId,
        on_gap: OnGap,
        limits: Limits,
    ) -> Self {
        let subscribing = {
            let source = Arc::clone(&source);
            async move { source.stream().await }
        };
        Self {
            source,
            phase: Phase::Subscribing(SyncWrapper::new(Box::pin(subscribing))),
            live: None,
            buffered: Buffered {
                frames: VecDeque::new(),
                bytes: 0,
                limit: limits.buffered,
                has_overflowed: false,
            },
            replayed: Replayed {
                last_seen: None,
                ids: HashSet::new(),
                limit: limits.remembered,
                is_full: false,
            },
            last_event_id,
            on_gap,
        }
    }

    /// Whether there may still be events of the past to come.
    pub(crate) fn is_replaying(&self) -> bool {
        !matches!(self.phase, Phase::Live | Phase::Ended) || !self.buffered.frames.is_empty()
    }

    /// The next frame. An error is the last item: it ends the response.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            let step = match &mut self.phase {
                Phase::Subscribing(stream) => match ready(stream.get_mut().as_mut().poll(cx)) {
                    Some(Ok(live)) => self.subscribed(live),
                    Some(Err(error)) => Step::Fail(Error::source("subscribing", error)),
                    None => return Poll::Pending,
                },
                Phase::Fetching(fetch) => {
                    self.buffered.fill(&mut self.live, cx);
                    match ready(fetch.get_mut().as_mut().poll(cx)) {
                        Some(Ok(Replay::Events(events))) => {
                            Step::Go(Phase::Replaying(SyncWrapper::new(events)))
                        }
                        Some(Ok(Replay::Gap)) => self.gap(),
                        Some(Err(error)) => {
                            Step::Fail(Error::source("fetching what was missed", error))
                        }
                        None => return Poll::Pending,
                    }
                }
                Phase::Replaying(events) => {
                    self.buffered.fill(&mut self.live, cx);
                    match ready(events.get_mut().as_mut().poll_next(cx)) {
                        Some(Some(Ok(frame))) if self.replayed.is_last_seen(&frame) => continue,
                        Some(Some(Ok(frame))) => {
                            self.replayed.remember(&frame);
                            return Poll::Ready(Some(Ok(frame)));
                        }
                        Some(Some(Err(error))) => {
                            Step::Fail(Error::source("replaying what was missed", error))
                        }
                        Some(None) => self.caught_up(),
                        None => return Poll::Pending,
                    }
                }
                Phase::Live => match ready(self.poll_live(cx)) {
                    Some(Some(Ok(frame))) if self.replayed.holds(&frame) => continue,
                    Some(Some(Ok(frame))) => return Poll::Ready(Some(Ok(frame))),
                    Some(Some(Err(error))) => Step::Fail(Error::source("streaming", error)),
                    Some(None) if self.buffered.has_overflowed => {
                        Step::Fail(Error::overflow(self.buffered.limit))
                    }
                    Some(None) => Step::Go(Phase::Ended),
                    None => return Poll::Pending,
                },
                Phase::Ended => return Poll::Ready(None),
            };
            match step {
                Step::Go(phase) => self.phase = phase,
                Step::Tell(frame, phase) => {
                    self.phase = phase;
                    return Poll::Ready(Some(Ok(frame)));
                }
                Step::Fail(error) => {
                    self.phase = Phase::Ended;
                    self.live = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn subscribed(&mut self, live: Frames) -> Step {
        self.live = Some(SyncWrapper::new(live));
        match mem::replace(&mut self.last_event_id, LastEventId::Absent) {
            LastEventId::Absent => Step::Go(Phase::Live),
            LastEventId::Unusable => self.gap(),
            LastEventId::Id(id) => {
                self.replayed.last_seen = Some(id.clone());
                let source = Arc::clone(&self.source);
                let fetching = async move { source.fetch(&id).await };
                Step::Go(Phase::Fetching(SyncWrapper::new(Box::pin(fetching))))
            }
        }
    }

    fn gap(&mut self) -> Step {
        match self.on_gap {
            OnGap::Reset => {
                let reset = Gap::unlocated(GapReason::Unknown).to_event();
                Step::Tell(reset.into(), Phase::Live)
            }
            OnGap::Live => Step::Go(Phase::Live),
            OnGap::Stop => Step::Go(Phase::Ended),
        }
    }

    fn caught_up(&mut self) -> Step {
        if self.replayed.is_full {
            // Without the ids, going on live could repeat events. The client comes back with the newest.
            tracing::debug!(
                limit = self.replayed.limit,
                "a replay was longer than the ids remembered: its response ends"
            );
            self.live = None;
            return Step::Go(Phase::Ended);
        }
        Step::Go(Phase::Live)
    }

    fn poll_live(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BoxError>>> {
        if let Some(frame) = self.buffered.frames.pop_front() {
            return Poll::Ready(Some(frame));
        }
        match &mut self.live {
            Some(live) => live.get_mut().as_mut().poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}

enum Step {
    Go(Phase),
    Tell(Frame, Phase),
    Fail(Error),
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// What was published while the client caught up, and the error with which that ended, if it did.
struct Buffered {
    frames: VecDeque<Result<Frame, BoxError>>,
    bytes: usize,
    limit: usize,
    has_overflowed: bool,
}

impl Buffered {
    /// Takes all that the live stream has.
    fn fill(&mut self, live: &mut Option<SyncWrapper<Frames>>, cx: &mut Context<'_>) {
        while let Some(stream) = live {
            match stream.get_mut().as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    self.bytes += item.as_ref().map_or(0, |frame| frame.as_bytes().len());
                    self.frames.push_back(item);
                    if self.frames.len() > self.limit || self.bytes > BUFFERED_BYTES {
                        self.has_overflowed = true;
                        self.frames.clear();
                        *live = None;
                    }
                }
                Poll::Ready(None) => *live = None,
                Poll::Pending => return,
            }
        }
    }
}

/// The ids that the client has, as far as a live event might bring them again.
struct Replayed {
    /// The last event ID that the client came with.
    last_seen: Option<EventId>,
    ids: HashSet<EventId>,
    limit: usize,
    is_full: bool,
}

impl Replayed {
    fn is_last_seen(&self, frame: &Frame) -> bool {
        frame.id().is_some() && frame.id() == self.last_seen.as_ref()
    }

    fn holds(&self, frame: &Frame) -> bool {
        self.is_last_seen(frame) || frame.id().is_some_and(|id| self.ids.contains(id))
    }

    fn remember(&mut self, frame: &Frame) {
        match frame.id() {
            Some(_) if self.ids.len() >= self.limit => self.is_full = true,
            Some(id) => {
                self.ids.insert(id.clone());
            }
            None => {}
        }
    }
}
