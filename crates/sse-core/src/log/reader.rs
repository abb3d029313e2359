use std::task::{Context, Poll};

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::log::EventLog;
use crate::log::state::State;
use crate::log::tail::Read;
use crate::{Frame, Gap, GapReason, LastEventId, OnGap};

/// One client of a log: a cursor that moves on, and a place among those who wait.
pub(crate) struct Reader {
    log: EventLog,
    key: usize,
    on_gap: OnGap,
    next: Next,
}

/// What a reader does next.
enum Next {
    /// Read on after this position.
    Read(Cursor),
    /// First this word of a gap, then read on after this position.
    Tell(Bytes, Cursor),
    /// No more.
    Stop,
}

impl Reader {
    /// A reader that goes on where the client was.
    pub(crate) fn new(log: EventLog, last_event_id: &LastEventId, on_gap: OnGap) -> Self {
        let mut state = log.lock();
        let next = match state.resolve(last_event_id) {
            Ok(after) => Next::Read(after),
            Err(gap) => Next::after_gap(&state, on_gap, &gap),
        };
        let key = state.readers.insert();
        drop(state);
        Self { log, key, on_gap, next }
    }

    /// Whether a gap has ended it.
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
                        Read::End => {
                            state.readers.wait(self.key, cx.waker());
                            return Poll::Pending;
                        }
                        Read::Gone => {
                            self.next =
                                Next::after_gap(&state, self.on_gap, &state.gap(GapReason::TooOld))
                        }
                    }
                }
            }
        }
    }
}

impl Next {
    /// How to go on by what was chosen for gaps. Decided under one lock, so that the position told of is the one read from.
    fn after_gap(state: &State, on_gap: OnGap, gap: &Gap) -> Self {
        match on_gap {
            OnGap::Reset => {
                Self::Tell(Frame::from(gap.to_event()).into_bytes(), state.tail.oldest().previous())
            }
            OnGap::Live => Self::Read(state.tail.newest()),
            OnGap::Stop => Self::Stop,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.log.lock().readers.remove(self.key);
    }
}
