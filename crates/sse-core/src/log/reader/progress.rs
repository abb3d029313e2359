//! How far a reader has come.

use crate::log::reader::Reader;
use crate::log::reader::next::Next;
use crate::{Epoch, Gap, Position};

impl Reader {
    /// Whether there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.next, Next::Stop | Next::Refuse)
    }

    /// Whether that is for a gap.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.next, Next::Refuse)
    }

    /// Whether a client that does not read on for ever has to, for now: there is something for it that takes time.
    pub(crate) fn has_more_to_give(&self) -> bool {
        match self.next {
            Next::Read(_) => self.wants.is_some(),
            Next::Tell(..) | Next::Stop | Next::Refuse => false,
            _ => true,
        }
    }

    /// Whether the client has all that there was when this was first asked.
    pub(crate) fn has_caught_up(&mut self) -> bool {
        let state = self.log.lock_now();
        let now = (state.tail.epoch(), state.newest());
        drop(state);
        let goal = self.goal.get_or_insert_with(|| Box::new(now));
        if goal.0 != now.0 {
            // What there was then is not there any more.
            **goal = now;
        }
        match self.next {
            Next::Read(after) => self.epoch == goal.0 && after >= goal.1,
            _ => self.is_stopped(),
        }
    }

    /// The position after which it reads on: all up to it has been given out, or said to be a gap. `None` if that is still to come.
    pub(crate) fn position(&self) -> Option<(Epoch, Position)> {
        match &self.next {
            Next::Read(after) => Some((self.epoch, *after)),
            Next::Give(page) => Some((self.epoch, page.after)),
            _ => None,
        }
    }

    /// Takes the gap that was found last, to tell an observer.
    pub(crate) fn take_gap(&mut self) -> Option<Gap> {
        self.gaps.take()
    }

    /// Which life of the log it reads.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }
}
