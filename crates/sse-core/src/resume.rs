// Longer than other files: what sets the order is in one file.

//! The join of a source's two halves. Only this file sets the order: **subscribe, fetch, replay, live**.
//!
//! - It subscribes first, so that no event published during the fetch is lost.
//! - It keeps the events published meanwhile, within bounds. If there are more, it delivers the replay and ends the response: the client
//!   comes back for the rest. (Clearing the buffer and continuing would lose events.)
//! - It remembers the ids of the replay, and the client's last event ID: a notification may come after the replay that already
//!   had its event. The source decides how late it may come. Memory is bounded in the same way: after a longer replay the response ends.
//!
//! Longer than other files, so that the order can be read in one file.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use sync_wrapper::SyncWrapper;

use crate::feed::options::StreamOptions;
use crate::gap_policy::GapPolicy;
use crate::snapshot::Waiting;
use crate::timer::Sleep;
use crate::{
    BoxError, End, Error, EventId, Frame, Frames, Gap, GapReason, LastEventId, MakeSnapshot,
    Replay, SnapshotRequest, Source, Start, Timer,
};

mod live;
mod replayed;

use live::Live;
use replayed::Replayed;

/// One client of a source.
pub(crate) struct Resume {
    source: Arc<dyn Source>,
    phase: Phase,
    live: Live,
    replayed: Replayed,
    timer: Timer,
    /// The time for which an event of the replay may still be published.
    late: Duration,
    /// The timer after which the replayed ids are forgotten.
    forgetting: Option<SyncWrapper<Sleep>>,
    last_event_id: LastEventId,
    policy: GapPolicy,
    /// True if the client got a reset, and no event since.
    has_only_reset: bool,
    after_snapshot: AfterSnapshot,
    /// The closure with whose snapshot a first visit begins.
    first: Option<MakeSnapshot>,
    /// The gap that was found last, until an observer is told of it.
    met: Option<Gap>,
}

/// The state after a snapshot. The source is fetched once from its position: if that is a gap too, the stream fails.
enum AfterSnapshot {
    None,
    Fetch(EventId),
    Fetched,
}

type Answer<T> = SyncWrapper<Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>>;

enum Phase {
    Subscribing(Answer<Frames>),
    Fetching(Answer<Replay>),
    Replaying(Frames),
    Waiting(Waiting),
    /// The kept events, then the live ones.
    Live,
    Ended(End),
}

enum Step {
    Go(Phase),
    Give(Frame),
    /// Gives a reset.
    Tell(Frame),
    Skip,
    Fail(Error),
}

impl Resume {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        last_event_id: LastEventId,
        options: &StreamOptions,
        timer: Timer,
    ) -> Self {
        let subscribing = {
            let source = Arc::clone(&source);
            async move { source.stream().await }
        };
        let last_event_id = match (last_event_id, &options.start) {
            (LastEventId::Absent, Start::After(id)) => LastEventId::Id(id.clone()),
            (last_event_id, _) => last_event_id,
        };
        let first = match &options.start {
            Start::Snapshot(make) => Some(make.clone()),
            _ => None,
        };
        let mut policy = GapPolicy::new(&options.on_gap, &options.start);
        if let (GapPolicy::StartOver(start), LastEventId::Id(given)) = (&policy, &last_event_id)
            && matches!(&**start, Start::After(id) if id == given)
        {
            // A gap at this id is one at the start, too.
            policy = GapPolicy::Reset;
        }
        Self {
            source,
            phase: Phase::Subscribing(SyncWrapper::new(Box::pin(subscribing))),
            live: Live::keeping(options.limits.buffered),
            replayed: Replayed::remembering(options.limits.remembered),
            timer,
            late: options.limits.late,
            forgetting: None,
            last_event_id,
            policy,
            has_only_reset: false,
            after_snapshot: AfterSnapshot::None,
            first,
            met: None,
        }
    }

    /// Returns true if past events may still come.
    pub(crate) fn has_more_to_give(&self) -> bool {
        !matches!(self.phase, Phase::Live | Phase::Ended(_)) || self.live.keeps_any()
    }

    /// Returns true if the client got a reset, and no event since.
    pub(crate) fn has_only_reset(&self) -> bool {
        self.has_only_reset
    }

    /// Takes the gap that was found last, to tell an observer.
    pub(crate) fn take_gap(&mut self) -> Option<Gap> {
        self.met.take()
    }

    /// Returns the reason why it has ended.
    pub(crate) fn why(&self) -> End {
        match self.phase {
            Phase::Ended(end) => end,
            _ => End::Finished,
        }
    }

    /// Ends it, and unsubscribes.
    pub(crate) fn end(&mut self) {
        self.phase = Phase::Ended(End::Failed);
        self.live.unsubscribe();
    }

    /// Returns the next frame. An error is the last item: it ends the response.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            if matches!(self.phase, Phase::Ended(_)) {
                return Poll::Ready(None);
            }
            match ready!(self.poll_step(cx)) {
                Step::Go(phase) => self.phase = phase,
                Step::Give(frame) => {
                    self.has_only_reset = false;
                    return Poll::Ready(Some(Ok(frame)));
                }
                Step::Tell(frame) => {
                    self.has_only_reset = true;
                    return Poll::Ready(Some(Ok(frame)));
                }
                Step::Skip => {}
                Step::Fail(error) => {
                    self.end();
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        Poll::Ready(match &mut self.phase {
            Phase::Subscribing(stream) => match ready!(stream.get_mut().as_mut().poll(cx)) {
                Ok(live) => self.subscribed(live),
                Err(error) => Step::Fail(Error::source("subscribing", error)),
            },
            Phase::Fetching(fetch) => {
                self.live.keep(cx);
                match ready!(fetch.get_mut().as_mut().poll(cx)) {
                    Ok(Replay::Events(events)) => Step::Go(Phase::Replaying(events)),
                    Ok(Replay::Gap) => self.gap(),
                    Err(error) => Step::Fail(Error::source("fetching what was missed", error)),
                }
            }
            Phase::Replaying(events) => {
                self.live.keep(cx);
                match ready!(events.poll_next_unpin(cx)) {
                    Some(Ok(frame)) if self.replayed.is_last_seen(&frame) => Step::Skip,
                    Some(Ok(frame)) => {
                        self.replayed.remember(&frame);
                        Step::Give(frame)
                    }
                    Some(Err(error)) => {
                        Step::Fail(Error::source("replaying what was missed", error))
                    }
                    None => self.caught_up(),
                }
            }
            Phase::Waiting(snapshot) => {
                self.live.keep(cx);
                match ready!(snapshot.get_mut().as_mut().poll(cx)) {
                    Ok(snapshot) => {
                        // The events published by now are in the snapshot, or come again after its position.
                        self.live.keep(cx);
                        self.live.start_over();
                        self.after_snapshot = AfterSnapshot::Fetch(snapshot.at.clone());
                        let frames = stream::iter(snapshot.into_frames()).map(Ok::<_, BoxError>);
                        Step::Go(Phase::Replaying(Frames::new(frames)))
                    }
                    Err(error) => Step::Fail(Error::source("making a snapshot", error)),
                }
            }
            Phase::Live => match ready!(self.poll_live(cx)) {
                Some(Ok(frame)) if self.replayed.holds(&frame) => Step::Skip,
                Some(Ok(frame)) => Step::Give(frame),
                Some(Err(error)) => Step::Fail(error),
                None => Step::Go(Phase::Ended(End::Finished)),
            },
            Phase::Ended(end) => Step::Go(Phase::Ended(*end)),
        })
    }

    fn poll_live(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let polled = self.live.poll_next(cx);
        // The ids are forgotten only after all events that were published in time have been read.
        if polled.is_pending()
            && let Some(sleep) = &mut self.forgetting
            && sleep.get_mut().as_mut().poll(cx).is_ready()
        {
            self.forgetting = None;
            self.replayed.forget();
        }
        polled
    }

    fn subscribed(&mut self, live: Frames) -> Step {
        self.live.subscribed(live);
        match mem::replace(&mut self.last_event_id, LastEventId::Absent) {
            LastEventId::Absent => Step::Go(match self.first.take() {
                Some(make) => Phase::Waiting(make.begin(SnapshotRequest { gap: None, log: None })),
                None => Phase::Live,
            }),
            LastEventId::Unusable => self.gap(),
            LastEventId::Id(id) => Step::Go(self.fetch(id)),
        }
    }

    fn fetch(&mut self, id: EventId) -> Phase {
        self.replayed.begin_after(id.clone());
        let source = Arc::clone(&self.source);
        let fetching = async move { source.fetch(&id).await };
        Phase::Fetching(SyncWrapper::new(Box::pin(fetching)))
    }

    fn gap(&mut self) -> Step {
        // No event of this source has this id. An event that gets it later is another, for example if ids begin again.
        self.replayed.forget_last_seen();
        self.live.reset_overflow();
        let gap = Gap::unlocated(GapReason::Unknown);
        self.met = Some(gap.clone());
        match &self.policy {
            GapPolicy::Reset | GapPolicy::StartOver(_) => {
                let reset = gap.to_event().into();
                // Once: if the start is a gap too, the stream continues live.
                self.phase = match mem::replace(&mut self.policy, GapPolicy::Reset) {
                    GapPolicy::StartOver(start) => match *start {
                        Start::After(id) => self.fetch(id),
                        _ => Phase::Live,
                    },
                    // A source has no other start than live.
                    _ => Phase::Live,
                };
                Step::Tell(reset)
            }
            GapPolicy::Snapshot(_) if matches!(self.after_snapshot, AfterSnapshot::Fetched) => {
                Step::Fail(gap.into())
            }
            GapPolicy::Snapshot(make) => {
                let reset = gap.to_frame_without_id();
                let request = SnapshotRequest { gap: Some(gap), log: None };
                self.phase = Phase::Waiting(make.begin(request));
                Step::Tell(reset)
            }
            GapPolicy::Live => Step::Go(Phase::Live),
            GapPolicy::Stop => Step::Go(Phase::Ended(End::Gap)),
        }
    }

    fn caught_up(&mut self) -> Step {
        if let AfterSnapshot::Fetch(at) = &self.after_snapshot {
            let at = at.clone();
            self.after_snapshot = AfterSnapshot::Fetched;
            return Step::Go(self.fetch(at));
        }
        if self.replayed.is_full() {
            // Without the ids the live half could repeat events. The client comes back with the newest id.
            tracing::debug!("a replay had more ids than are remembered: its response ends");
            self.live.unsubscribe();
            return Step::Go(Phase::Ended(End::Full));
        }
        self.replayed.settle();
        if self.replayed.holds_any() && self.late < Duration::MAX {
            self.forgetting = Some(SyncWrapper::new(self.timer.sleep(self.late)));
        }
        Step::Go(Phase::Live)
    }
}
