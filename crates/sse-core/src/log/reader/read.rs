//! Reading on in the tail, and waiting for what comes next.

use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;

use crate::log::locked::Locked;
use crate::log::reader::Reader;
use crate::log::reader::gaps::Found;
use crate::log::reader::next::Next;
use crate::log::tail::Read;
use crate::sync::wakers::Waits;
use crate::{GapReason, Position};

impl Reader {
    /// Returns the next events of the tail; `None` if there is another step to do first.
    #[inline]
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Next::Read(after) = &mut self.next else { return Poll::Ready(None) };
        let still_waits = match &self.topics {
            None => self.log.0.rounds.still(self.waits, cx.waker()),
            Some(topics) => topics.still_waits(cx.waker()),
        };
        if still_waits {
            return Poll::Pending;
        }
        let mut state = self.log.lock_now();
        if self.topics.as_ref().is_some_and(|topics| topics.has_changed()) {
            return Poll::Ready(None);
        }
        if state.tail.epoch() != self.epoch {
            (self.epoch, self.requested) = (state.tail.epoch(), None);
            // Its client has an id of the old epoch.
            self.topics.iter_mut().for_each(|topics| topics.told = Position::START);
            self.next = self.gaps.go_on(&state, GapReason::OtherEpoch, Found::NewEpoch);
            return Poll::Ready(None);
        }
        let read = match &self.topics {
            None => state.tail.read(*after),
            Some(topics) => state.read(topics.of(), *after),
        };
        match read {
            Read::Events(bytes, last) => {
                if let Some(entries) = &mut self.entries {
                    entries.clear();
                    let of = self.topics.as_ref().and_then(|topics| topics.of());
                    state.list(of, *after, last, entries);
                }
                (*after, self.is_untold) = (last, false);
                // The framework asks again, and finds nothing: it need not take the lock for that.
                match &mut self.topics {
                    Some(topics)
                        if !state.is_finished && state.is_quiet_after(topics.of(), last) =>
                    {
                        topics.told = last;
                        let unneeded = topics.wait(&mut state, last, cx.waker());
                        drop(state);
                        drop(unneeded);
                    }
                    Some(topics) => topics.gave(&mut state, last, last),
                    None if last == state.tail.newest() && !state.is_finished => {
                        self.waits = wait(state, self.key, cx.waker());
                    }
                    None => {}
                }
                return Poll::Ready(Some(bytes));
            }
            Read::End if state.is_finished => {
                let newest = state.tail.newest().max(*after);
                drop(state);
                self.stop_at(newest);
            }
            Read::End => {
                let Some(topics) = &mut self.topics else {
                    self.waits = wait(state, self.key, cx.waker());
                    return Poll::Pending;
                };
                *after = state.tail.newest().max(*after);
                let unneeded = topics.wait(&mut state, *after, cx.waker());
                drop(state);
                drop(unneeded);
                return Poll::Pending;
            }
            Read::Gone if state.backing.stored().is_none() => {
                self.next = self.gaps.go_on(&state, GapReason::TooOld, Found::Behind);
            }
            Read::Gone => {
                let after = *after;
                drop(state);
                return Poll::Ready(ready!(self.poll_part(after, cx)));
            }
        }
        Poll::Ready(None)
    }
}

/// Has a reader wait for what the log gets next.
#[inline]
fn wait(mut state: Locked<'_>, key: usize, waker: &Waker) -> Waits {
    let unneeded = state.readers.wait(key, waker);
    let waits = state.readers.rounds().note(waker);
    drop(state);
    drop(unneeded);
    waits
}
