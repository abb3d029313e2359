use std::mem;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::feed::Options;
use crate::log::EventLog;
use crate::log::state::{Place, State};
use crate::log::tail::Read;
use crate::snapshot::Waiting;
use crate::{
    Error, Event, EventType, Frame, Gap, GapReason, LastEventId, MakeSnapshot, OnGap, Snapshot,
};

/// One client of a log: a cursor that moves on, and a place among those who wait.
pub(crate) struct Reader {
    log: EventLog,
    key: usize,
    gaps: Gaps,
    next: Next,
}

/// What was chosen for a client that begins live, or that cannot go on where it was.
struct Gaps {
    on_gap: OnGap,
    opening: Option<EventType>,
}

/// What a reader does next.
enum Next {
    /// Read on after this position.
    Read(Cursor),
    /// First this frame.
    Tell(Bytes, Box<Next>),
    /// Ask for a snapshot. Not under the lock: it is made by the application, which may look at the log.
    Ask(MakeSnapshot, Gap),
    /// Wait for the snapshot, then read on after it.
    Wait(Waiting),
    /// No more.
    Stop,
}

impl Reader {
    /// A reader that goes on where the client was.
    pub(crate) fn new(log: EventLog, last_event_id: &LastEventId, options: &Options) -> Self {
        let gaps = Gaps { on_gap: options.on_gap.clone(), opening: options.opening_event.clone() };
        let mut state = log.lock();
        let next = match state.resolve(last_event_id, &options.start) {
            Ok(Place::Live) => gaps.begin_live(&state),
            Ok(Place::After(cursor)) => gaps.read_on(&state, cursor),
            Err(gap) => gaps.go_on(&state, &gap),
        };
        let key = state.readers.insert();
        drop(state);
        Self { log, key, gaps, next }
    }

    /// Whether there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.next, Next::Stop)
    }

    /// Whether a client that cannot read on for ever has to, for now: a snapshot is to come.
    pub(crate) fn has_more_to_give(&self) -> bool {
        matches!(self.next, Next::Ask(..) | Next::Wait(_))
    }

    /// All that there is after the cursor, up to about 64 kB of it. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            match &mut self.next {
                Next::Stop => return Poll::Ready(None),
                Next::Tell(..) => {
                    let Next::Tell(word, then) = mem::replace(&mut self.next, Next::Stop) else {
                        continue;
                    };
                    self.next = *then;
                    return Poll::Ready(Some(Ok(word)));
                }
                Next::Ask(make, gap) => self.next = Next::Wait(make.begin(gap.clone())),
                Next::Wait(making) => {
                    let made = ready!(making.get_mut().as_mut().poll(cx));
                    self.next = Next::Stop;
                    let failed = |error| Error::source("making a snapshot", error);
                    match made.map_err(failed).and_then(|made| self.go_on_after(made)) {
                        Ok(bytes) if bytes.is_empty() => {}
                        result => return Poll::Ready(Some(result)),
                    }
                }
                Next::Read(after) => {
                    let mut state = self.log.lock();
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
                        Read::Gone => {
                            self.next = self.gaps.go_on(&state, &state.gap(GapReason::TooOld))
                        }
                    }
                }
            }
        }
    }
}

impl Reader {
    fn go_on_after(&mut self, snapshot: Snapshot) -> Result<Bytes, Error> {
        let after = self.log.lock().position_of(&snapshot.at)?;
        self.next = Next::Read(after);
        Ok(snapshot.into_bytes())
    }
}

/// Decided under one lock each, so that the position told of is the one read from.
impl Gaps {
    /// With the next event, and first with word of the position where that is wanted.
    fn begin_live(&self, state: &State) -> Next {
        let newest = state.tail.newest();
        match &self.opening {
            _ if state.is_finished => Next::Stop,
            Some(event_type) => {
                let opening = Event::new("").event_type(event_type.clone());
                let frame = Frame::from(opening.id(newest.id(state.tail.epoch())));
                Next::Tell(frame.into_bytes(), Box::new(Next::Read(newest)))
            }
            None => Next::Read(newest),
        }
    }

    /// After this position, if there will ever be anything.
    fn read_on(&self, state: &State, after: Cursor) -> Next {
        if state.is_finished && after == state.tail.newest() {
            Next::Stop
        } else {
            Next::Read(after)
        }
    }

    fn go_on(&self, state: &State, gap: &Gap) -> Next {
        match &self.on_gap {
            OnGap::Reset => {
                let word = Frame::from(gap.to_event()).into_bytes();
                Next::Tell(word, Box::new(Next::Read(state.tail.oldest().previous())))
            }
            OnGap::Snapshot(make) => {
                let word = gap.to_frame_without_id().into_bytes();
                Next::Tell(word, Box::new(Next::Ask(make.clone(), gap.clone())))
            }
            OnGap::Live => self.begin_live(state),
            OnGap::Stop => Next::Stop,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let unneeded = self.log.lock().readers.remove(self.key);
        drop(unneeded);
    }
}
