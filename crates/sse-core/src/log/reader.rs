use std::task::{Context, Poll};

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::feed::Options;
use crate::log::EventLog;
use crate::log::state::{Place, State};
use crate::log::tail::Read;
use crate::{Event, EventType, Frame, Gap, GapReason, LastEventId, OnGap};

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
    /// First this frame, then read on after this position.
    Tell(Bytes, Cursor),
    /// No more.
    Stop,
}

impl Reader {
    /// A reader that goes on where the client was.
    pub(crate) fn new(log: EventLog, last_event_id: &LastEventId, options: &Options) -> Self {
        let gaps = Gaps { on_gap: options.on_gap, opening: options.opening_event.clone() };
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

    /// All that there is after the cursor, up to about 64 kB of it.
    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match &mut self.next {
                Next::Stop => return Poll::Ready(None),
                Next::Tell(word, after) => {
                    let word = std::mem::take(word);
                    self.next = Next::Read(*after);
                    return Poll::Ready(Some(word));
                }
                Next::Read(after) => {
                    let mut state = self.log.lock();
                    match state.tail.read(*after) {
                        Read::Events(bytes, last) => {
                            *after = last;
                            return Poll::Ready(Some(bytes));
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
                Next::Tell(frame.into_bytes(), newest)
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
        match self.on_gap {
            OnGap::Reset => {
                let word = Frame::from(gap.to_event()).into_bytes();
                Next::Tell(word, state.tail.oldest().previous())
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
