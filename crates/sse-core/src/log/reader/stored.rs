//! What a reader asks of the store, through the follower.

use std::task::{Context, Poll};

use bytes::Bytes;

use crate::log::behind::{Answer, Part};
use crate::log::reader::{Next, Reader, read_on};
use crate::{Cursor, EventId, GapReason};

impl Reader {
    /// Reads from behind the tail: from the store, through the follower.
    pub(super) fn poll_part(&mut self, part: Part, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.log.lock_now();
        if !matches!(part, Part::After(_)) {
            // Whoever is here for the first time has not been in another epoch.
            self.epoch = state.tail.epoch();
        }
        if state.tail.epoch() != self.epoch {
            (self.wants, self.next) = (None, Next::Read(Cursor::START));
            return Poll::Ready(None);
        }
        let Some(behind) = &mut state.behind else { return Poll::Pending };
        let (answer, unneeded) = behind.poll(part, self.key, cx.waker());
        self.wants = answer.is_pending().then_some(part);
        let called = answer.is_pending().then(|| behind.follower()).flatten();
        let bytes = match answer {
            Poll::Ready(Answer::Events(bytes, last)) => {
                self.next = Next::Read(last);
                Poll::Ready(Some(bytes))
            }
            Poll::Ready(Answer::Nothing(last)) => {
                self.next = Next::Read(last);
                Poll::Ready(None)
            }
            Poll::Ready(Answer::Gone) => {
                self.next = self.gaps.go_on(&state, GapReason::TooOld);
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        };
        drop(state);
        drop(unneeded);
        called.into_iter().for_each(|follower| follower.wake());
        bytes
    }

    pub(super) fn poll_check(
        &mut self,
        id: EventId,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut state = self.log.lock_now();
        let Some(behind) = &mut state.behind else { return Poll::Pending };
        let (checked, unneeded) = behind.checks.poll(number, self.key, cx.waker());
        if checked.is_ready() {
            self.epoch = state.tail.epoch();
            self.next = match state.position_of(&id) {
                Ok(after) => read_on(&mut state, after),
                Err(gap) => {
                    let epoch = self.epoch;
                    if let Some(behind) = &mut state.behind
                        && gap.reason != GapReason::TooOld
                    {
                        behind.strangers.insert(id, epoch);
                    }
                    self.gaps.go_on(&state, gap.reason)
                }
            };
        }
        drop(state);
        drop(unneeded);
        checked
    }
}
