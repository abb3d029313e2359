//! The progress of a reader.

use crate::limits::Most;
use crate::log::reader::Reader;
use crate::log::reader::next::Next;
use crate::{Epoch, Gap, Limit, Position};

impl Reader {
    /// Returns the limit of the log, or of one of its topics, that is exceeded since this reader is counted.
    pub(crate) fn limit(&self, most: Most) -> Option<Limit> {
        let state = self.log.lock();
        if state.readers.len() > most.log {
            return Some(Limit::Log);
        }
        let (lists, topics) = (state.subscribers.lists(self.of()?), state.tail.topics()?);
        let is_full = |list: &usize| topics.readers(*list) > most.topic;
        lists.iter().any(is_full).then_some(Limit::Topic)
    }

    /// Returns true if there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.next, Next::Stop | Next::Refuse)
    }

    /// Returns true if the reader stopped because of a gap.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.next, Next::Refuse)
    }

    /// Returns true if it waits for a part of the log that is behind the tail.
    pub(crate) fn is_behind(&self) -> bool {
        self.requested.is_some()
    }

    /// Returns true if a polling client must wait: the reader has something for it that takes time.
    pub(crate) fn has_more_to_give(&self) -> bool {
        match self.next {
            Next::Read(_) => self.requested.is_some(),
            Next::Tell(..) | Next::Stop | Next::Refuse => false,
            _ => true,
        }
    }

    /// Returns true if the client has all events that there were at the first call, or, if the store was asked for its id, after that.
    pub(crate) fn has_caught_up(&mut self) -> bool {
        if matches!(self.next, Next::Check(..)) {
            return false;
        }
        let state = self.log.lock_now();
        let now = (state.tail.epoch(), state.newest());
        drop(state);
        let goal = self.goal.get_or_insert_with(|| Box::new(now));
        if goal.0 != now.0 {
            // The events of the first call are gone.
            **goal = now;
        }
        match self.next {
            Next::Read(after) => self.epoch == goal.0 && after >= goal.1,
            _ => self.is_stopped(),
        }
    }

    /// Returns the position after which it reads on: all events up to it were given, or a reset told of them. `None` if that is still to come.
    pub(crate) fn position(&self) -> Option<(Epoch, Position)> {
        match &self.next {
            Next::Read(after) => Some((self.epoch, *after)),
            Next::Give(page) => Some((self.epoch, page.after)),
            _ => None,
        }
    }

    /// Returns the position up to which there was nothing more for this reader when it was last asked, or is nothing now.
    pub(crate) fn quiet_position(&self) -> Option<(Epoch, Position)> {
        let (epoch, after) = self.position()?;
        let Some(of) = self.of().filter(|_| matches!(self.next, Next::Read(_))) else {
            return Some((epoch, after));
        };
        let state = self.log.lock_now();
        let is_same = state.tail.epoch() == epoch && !self.has_other_topics();
        let upto = is_same.then(|| state.quiet_up_to(of, after)).flatten();
        Some((epoch, upto.unwrap_or(after)))
    }

    /// Takes the gap that was found last, to tell an observer.
    pub(crate) fn take_gap(&mut self) -> Option<Gap> {
        self.gaps.take()
    }

    /// Returns the epoch of the log that it reads.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }
}
