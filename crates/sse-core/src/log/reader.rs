use std::mem;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::log::EventLog;
use crate::log::behind::Part;
use crate::log::gaps::Gaps;
use crate::log::state::{Place, State};
use crate::log::tail::Read;
use crate::snapshot::Waiting;
use crate::{
    Cursor, Epoch, Error, EventId, Gap, GapReason, LastEventId, MakeSnapshot, Snapshot, Start,
};

mod stored;

/// One client of a log: a cursor that moves on, and a place among those who wait.
pub(crate) struct Reader {
    log: EventLog,
    key: usize,
    gaps: Gaps,
    /// Which life of the log it reads.
    epoch: Epoch,
    next: Next,
    /// What it waits for, behind the tail.
    wants: Option<Part>,
}

/// What a reader does next.
pub(super) enum Next {
    /// Read on after this position.
    Read(Cursor),
    /// Begin with this part of the log, which is behind the tail.
    Begin(Part),
    /// First this frame.
    Tell(Bytes, Box<Next>),
    /// Wait for this check of the store, which may know the id.
    Check(EventId, u64),
    /// Ask for a snapshot. Not under the lock: it is made by the application, which may look at the log.
    Ask(MakeSnapshot, Box<Gap>),
    /// Wait for the snapshot, then read on after it.
    Wait(Waiting),
    /// No more: the log is finished.
    Stop,
    /// No more, since the client cannot go on where it was.
    Refuse,
}

type Chunk = Result<Bytes, Error>;

impl Reader {
    /// A reader that goes on where the client was.
    pub(crate) fn new(
        log: EventLog,
        last_event_id: &LastEventId,
        start: &Start,
        gaps: Gaps,
    ) -> Self {
        let mut state = log.lock_now();
        let mut called = None;
        let next = match state.resolve(last_event_id, start) {
            Ok(Place::Live) => gaps.begin_live(&state),
            Ok(Place::After(cursor)) => read_on(&mut state, cursor),
            Ok(Place::Part(part)) => Next::Begin(part),
            Ok(Place::AskStore(id)) => {
                let number = state.behind.as_mut().map_or(0, |behind| behind.checks.want());
                called = state.follower();
                Next::Check(id, number)
            }
            Err(gap) => gaps.go_on(&state, gap.reason),
        };
        let (key, epoch) = (state.readers.insert(), state.tail.epoch());
        drop(state);
        called.into_iter().for_each(|follower| follower.wake());
        Self { log, key, gaps, epoch, next, wants: None }
    }

    /// Whether there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.next, Next::Stop | Next::Refuse)
    }

    /// Whether that is for a gap.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.next, Next::Refuse)
    }

    /// Whether a client that cannot read on for ever has to, for now: a snapshot is to come, or the store to be asked.
    pub(crate) fn has_more_to_give(&self) -> bool {
        match self.next {
            Next::Ask(..) | Next::Wait(_) | Next::Check(..) | Next::Begin(_) => true,
            Next::Read(_) => self.wants.is_some(),
            Next::Tell(..) | Next::Stop | Next::Refuse => false,
        }
    }

    /// The position after which it reads on: all up to it has been given out, or said to be a gap. None where that is still to come.
    pub(crate) fn position(&self) -> Option<(Epoch, Cursor)> {
        match self.next {
            Next::Read(after) => Some((self.epoch, after)),
            _ => None,
        }
    }

    /// All that there is after the cursor, up to about 64 kB of it. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        loop {
            match &mut self.next {
                Next::Stop | Next::Refuse => return Poll::Ready(None),
                Next::Tell(..) => {
                    let Next::Tell(word, then) = mem::replace(&mut self.next, Next::Stop) else {
                        continue;
                    };
                    self.next = *then;
                    return Poll::Ready(Some(Ok(word)));
                }
                Next::Ask(make, gap) => self.next = Next::Wait(make.begin((**gap).clone())),
                Next::Wait(making) => {
                    let made = ready!(making.get_mut().as_mut().poll(cx));
                    self.next = Next::Stop;
                    let failed = |error| Error::source("making a snapshot", error);
                    match made.map_err(failed).and_then(|made| self.go_on_after(made)) {
                        Ok(bytes) if bytes.is_empty() => {}
                        result => return Poll::Ready(Some(result)),
                    }
                }
                Next::Check(id, number) => {
                    let (id, number) = (id.clone(), *number);
                    ready!(self.poll_check(id, number, cx));
                }
                Next::Begin(part) => {
                    let part = *part;
                    if let Some(bytes) = ready!(self.poll_part(part, cx)) {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Next::Read(after) => {
                    let mut state = self.log.lock_now();
                    if state.tail.epoch() != self.epoch {
                        (self.epoch, self.wants) = (state.tail.epoch(), None);
                        self.next = self.gaps.go_on(&state, GapReason::OtherEpoch);
                        continue;
                    }
                    match state.tail.read(*after) {
                        Read::Events(bytes, last) => {
                            *after = last;
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                        Read::End if state.is_finished => self.next = Next::Stop,
                        Read::End => {
                            let unneeded = state.readers.wait(self.key, cx.waker());
                            drop(state);
                            drop(unneeded);
                            return Poll::Pending;
                        }
                        Read::Gone if state.behind.is_none() => {
                            self.next = self.gaps.go_on(&state, GapReason::TooOld);
                        }
                        Read::Gone => {
                            let part = Part::After(*after);
                            drop(state);
                            if let Some(bytes) = ready!(self.poll_part(part, cx)) {
                                return Poll::Ready(Some(Ok(bytes)));
                            }
                        }
                    }
                }
            }
        }
    }

    fn go_on_after(&mut self, snapshot: Snapshot) -> Chunk {
        let state = self.log.lock_now();
        let after = state.position_of(&snapshot.at)?;
        self.epoch = state.tail.epoch();
        drop(state);
        self.next = Next::Read(after);
        Ok(snapshot.into_bytes())
    }
}

/// After this position, if there will ever be anything.
fn read_on(state: &mut State, after: Cursor) -> Next {
    if state.ends_at(after) { Next::Stop } else { Next::Read(after) }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.log.lock();
        let unneeded = state.readers.remove(self.key);
        let unwanted = state.behind.as_mut().map(|behind| behind.leave(self.wants, self.key));
        drop(state);
        drop((unneeded, unwanted));
    }
}
