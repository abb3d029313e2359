//! The requests of a reader to the store, through the follower.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::chunk::upto;
use crate::log::backlog::{Answer, Part};
use crate::log::reader::Reader;
use crate::log::reader::gaps::Found;
use crate::log::reader::next::Next;
use crate::log::state::State;
use crate::{Error, GapReason, Position};

/// The result of requesting a part of the log.
pub(crate) struct Asked {
    pub(crate) answer: Poll<Answer>,
    pub(crate) wakers: Wakers,
}

/// The wakers to drop, or to wake, once the lock is released.
pub(crate) struct Wakers {
    unneeded: Option<Waker>,
    called: Option<Waker>,
}

impl Wakers {
    pub(crate) fn done(self) {
        drop(self.unneeded);
        self.called.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// Requests a part of the log that is behind the tail.
    pub(crate) fn ask(&mut self, part: Part, key: usize, waker: &Waker) -> Asked {
        let Some(behind) = &mut self.behind else {
            return Asked {
                answer: Poll::Ready(Answer::Gone),
                wakers: Wakers { unneeded: None, called: None },
            };
        };
        let (answer, unneeded) = behind.poll(part, key, waker);
        let called = answer.is_pending().then(|| behind.follower()).flatten();
        Asked { answer, wakers: Wakers { unneeded, called } }
    }
}

impl Reader {
    /// Reads on behind the tail.
    pub(crate) fn poll_part(
        &mut self,
        after: Position,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Bytes>> {
        let mut state = self.log.lock_now();
        if state.tail.epoch() != self.epoch {
            // The next read notices the epoch again.
            (self.requested, self.next) = (None, Next::Read(Position::START));
            return Poll::Ready(None);
        }
        let part = Part::After(after);
        let asked = state.ask(part, self.key, cx.waker());
        self.requested = asked.answer.is_pending().then_some(part);
        let bytes = asked.answer.map(|answer| match answer {
            Answer::Events { bytes, entries, last, .. } => {
                if let Some(noted) = &mut self.entries {
                    noted.clear();
                    noted.extend_from_slice(upto(&entries, last));
                }
                self.next = Next::Read(last);
                Some(bytes)
            }
            Answer::Nothing(last) => {
                self.next = Next::Read(last);
                None
            }
            Answer::Gone => {
                self.next = self.gaps.go_on(&state, GapReason::TooOld, Found::Behind);
                None
            }
        });
        drop(state);
        asked.wakers.done();
        bytes
    }

    /// Waits until the follower has asked the store for an id.
    pub(crate) fn poll_check(
        &mut self,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let mut state = self.log.lock_now();
        let Some(behind) = &mut state.behind else { return Poll::Pending };
        let (checked, unneeded) = behind.checks.poll(number, self.key, cx.waker());
        drop(state);
        drop(unneeded);
        checked.map(|()| self.take_check())
    }
}
