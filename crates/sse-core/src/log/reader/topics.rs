//! What a reader of topics does beside reading: it follows changes of its set, and tells a client its position though nothing was for it.

use std::mem;

use bytes::Bytes;

use crate::log::reader::Reader;
use crate::log::reader::gaps::position_frame;
use crate::log::reader::next::{Newest, Next, Told};
use crate::store::TopicFilter;
use crate::{Epoch, Event, Frame, Position};

impl Reader {
    /// Takes over changes of the set of topics. The client is told its position first: if it were cut off, it would get events of the new
    /// topics from before they were added. Returns true if the set had changed.
    #[inline]
    pub(super) fn follow_topics(&mut self) -> bool {
        self.has_other_topics() && self.follow_other_topics()
    }

    #[cold]
    fn follow_other_topics(&mut self) -> bool {
        let Some(topics) = &mut self.topics else { return false };
        let after = match &self.next {
            Next::Read(after) => Some(topics.changed_at(&self.log, self.epoch, *after)),
            // The page may have events of a topic that was removed.
            Next::Give(page) => Some(page.after),
            Next::Newest(newest) => Some(topics.changed_at(&self.log, self.epoch, newest.after)),
            Next::Begin(..) => None,
            _ => return false,
        };
        if let Some(requested) = self.requested.take() {
            let mut state = self.log.lock();
            let unneeded = state.backing.leave(Some(&requested), self.key);
            drop(state);
            drop(unneeded);
        }
        let Some(after) = after else {
            // It has no position yet, and begins with these topics.
            topics.take_over(&self.log, None);
            return true;
        };
        let before = topics.told;
        let added = topics.take_over(&self.log, Some(after));
        topics.gave(&mut self.log.lock(), after, after);
        let mut newest = self.take_newest();
        newest.extend(added);
        self.next = Newest::step(newest, after);
        self.tell_position(before, after);
        true
    }

    /// Ends at this position, the last of the log. A client that would come back to a response with nothing for it is told the position, by an
    /// id alone unless an event is set for that: it then comes back to the end.
    #[cold]
    pub(super) fn stop_at(&mut self, newest: Position) {
        self.next = Next::Stop;
        if let Some(topics) = &mut self.topics {
            let before = mem::replace(&mut topics.told, newest);
            self.tell_position(before, newest);
        }
        if mem::take(&mut self.is_untold) && self.is_stopped() {
            let id = self.gaps.id_at(newest, self.epoch);
            let frame = Frame::from(Event::default().id(id)).into_bytes();
            self.next =
                Next::Tell(Box::new(Told { frame, position: Some(newest), then: Next::Stop }));
        }
    }

    /// Tells the client a position before the next step, if it is told of any, and was told one before it.
    fn tell_position(&mut self, before: Position, now: Position) {
        let topics = self.topics.as_ref().filter(|_| before < now);
        if let Some(event_type) = topics.and_then(|topics| topics.position.as_ref()) {
            let frame = position_frame(event_type, self.gaps.id_at(now, self.epoch));
            let then = mem::replace(&mut self.next, Next::Stop);
            self.next = Next::Tell(Box::new(Told { frame, position: Some(now), then }));
        }
    }

    /// Returns true if the set has changed since the reader took it over. Asked under the lock of the log, before the reader moves on: an event
    /// that was appended after a topic was added must not be passed over.
    #[inline]
    pub(super) fn has_other_topics(&self) -> bool {
        self.topics.as_ref().is_some_and(|topics| topics.has_changed())
    }

    /// Returns the events that the store is asked for; `None` if it is asked for all, or there is none.
    pub(super) fn filter(&mut self) -> Option<TopicFilter> {
        self.log.0.store.as_ref()?;
        self.topics.as_mut().map(|topics| topics.filter(&self.log))
    }

    /// Records the newest position whose id the client has.
    pub(super) fn told(&mut self, position: Position) {
        if let Some(topics) = &mut self.topics {
            topics.told = position;
        }
    }

    /// Returns a frame with the position of a client of topics, if that has moved since its last id: events of others were appended.
    pub(crate) fn position_event(&mut self) -> Option<Bytes> {
        let event_type = self.topics.as_ref()?.position.clone()?;
        let (epoch, after) = self.moved()?;
        self.told(after);
        Some(position_frame(&event_type, self.gaps.id_at(after, epoch)))
    }

    /// Records that the client has the id of its present position.
    pub(crate) fn told_here(&mut self) {
        if let Next::Read(after) = self.next {
            self.told(after);
        }
    }

    /// Returns the position of a client of topics, if nothing more was for it since its last id, and the log has moved on.
    pub(crate) fn moved(&mut self) -> Option<(Epoch, Position)> {
        let of = self.of()?;
        let Next::Read(after) = &mut self.next else { return None };
        let state = self.log.lock_now();
        if state.tail.epoch() != self.epoch || self.topics.as_ref()?.has_changed() {
            return None;
        }
        if let Some(newest) = state.quiet_up_to(of, *after) {
            *after = newest;
        }
        let after = *after;
        drop(state);
        let told = self.topics.as_ref()?.told;
        (after > told).then_some((self.epoch, after))
    }
}
