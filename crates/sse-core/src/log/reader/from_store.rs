//! The requests of a reader to the store, through the follower.

use std::task::{Context, Poll};

use bytes::Bytes;

use crate::chunk;
use crate::log::backlog::{Answer, Part, Request};
use crate::log::reader::Reader;
use crate::log::reader::gaps::Found;
use crate::log::reader::next::Next;
use crate::{Error, Position};

impl Reader {
    /// Reads on behind the tail.
    pub(crate) fn poll_part(
        &mut self,
        after: Position,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Bytes>> {
        let request = Request { part: Part::After(after), filter: self.filter() };
        let mut state = self.log.lock_now();
        if self.has_other_topics() {
            return Poll::Ready(None);
        }
        if state.tail.epoch() != self.epoch {
            // The next read notices the epoch again.
            (self.requested, self.next) = (None, Next::Read(Position::START));
            return Poll::Ready(None);
        }
        let asked = state.backing.ask(&request, self.key, cx.waker());
        self.requested = asked.answer.is_pending().then(|| Box::new(request));
        let bytes = asked.answer.map(|answer| match answer {
            Answer::Events { bytes, entries, last, upto, .. } => {
                if let Some(noted) = &mut self.entries {
                    noted.clear();
                    noted.extend_from_slice(chunk::upto(&entries, last));
                }
                (self.next, self.is_untold) = (Next::Read(upto), false);
                if let Some(topics) = &mut self.topics {
                    topics.gave(&mut state, last, upto);
                }
                Some(bytes)
            }
            Answer::Nothing(last) => {
                (self.next, self.is_untold) = (Next::Read(last), true);
                None
            }
            Answer::Gone(reason) => {
                self.next = self.gaps.go_on(&state, reason, Found::Behind);
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
        let Some(backlog) = state.backing.stored_mut() else { return Poll::Pending };
        let (checked, unneeded) = backlog.checks.poll(number, self.key, cx.waker());
        drop(state);
        drop(unneeded);
        checked.map(|()| self.take_check())
    }
}
