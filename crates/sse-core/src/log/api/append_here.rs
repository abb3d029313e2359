//! Appending to a log in memory.

use crate::log::handle::EventLog;
use crate::log::state::State;
use crate::log::store_events::Then;
use crate::store::EncodedEvent;
use crate::{Error, EventId, Position};

impl EventLog {
    pub(crate) fn append_one_here(&self, event: EncodedEvent) -> Result<EventId, Error> {
        self.append_here(Then::Continues, |state| match state.is_finished {
            true => self.known_id(state, &event),
            false => Some(self.add_locked(state, event)),
        })
    }

    pub(crate) fn append_all_here(
        &self,
        events: Vec<EncodedEvent>,
        then: Then,
    ) -> Result<Vec<EventId>, Error> {
        self.append_here(then, |state| match state.is_finished {
            true => events.iter().map(|event| self.known_id(state, event)).collect(),
            false => Some(events.into_iter().map(|event| self.add_locked(state, event)).collect()),
        })
    }

    /// Appends under the lock. A log that is finished accepts nothing, but still returns the ids of events that are tried again.
    fn append_here<T>(
        &self,
        then: Then,
        append: impl FnOnce(&mut State) -> Option<T>,
    ) -> Result<T, Error> {
        let mut state = self.lock_now();
        let appended = append(&mut state).ok_or_else(Error::finished)?;
        let woken = match then {
            Then::Continues => state.take_readers(),
            Then::IsFinished => {
                state.is_finished = true;
                state.take_all_readers()
            }
        };
        drop(state);
        woken.wake();
        Ok(appended)
    }

    /// Returns the id that was given when this event came for the first time.
    fn known_id(&self, state: &mut State, event: &EncodedEvent) -> Option<EventId> {
        let position = self.first(state, event.idempotency_key.as_deref()?)?;
        Some(position.id(state.tail.epoch()))
    }

    fn first(&self, state: &mut State, key: &str) -> Option<Position> {
        state.remembered.get(key, self.0.timer.now())
    }

    fn add_locked(&self, state: &mut State, event: EncodedEvent) -> EventId {
        let now = || self.0.timer.now();
        let position = state.tail.newest().next();
        if let Some(key) = event.idempotency_key {
            if let Some(first) = self.first(state, &key) {
                return first.id(state.tail.epoch());
            }
            state.remembered.insert(key, position, now());
        }
        state.push(position, event.block, event.key, &event.topics);
        state.tail.came(now);
        position.id(state.tail.epoch())
    }
}
