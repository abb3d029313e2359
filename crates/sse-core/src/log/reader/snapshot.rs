//! Continuing from an id once its position is known: the id of a client, or of a snapshot that the application has made.

use std::mem;
use std::task::Waker;

use crate::id::Origin;
use crate::log::backlog::Part;
use crate::log::reader::Reader;
use crate::log::reader::gaps::Found;
use crate::log::reader::next::{IdOf, Next};
use crate::log::reader::page::{read_now, read_on};
use crate::log::state::Begin;
use crate::pack::Packed;
use crate::{BoxError, Error, GapReason, Snapshot};

impl Reader {
    /// Takes over the snapshot that the application has made. If only the store may know its position, requests a check.
    pub(super) fn take_snapshot(&mut self, made: Result<Snapshot, BoxError>) -> Result<(), Error> {
        let snapshot = made.map_err(|error| Error::source("making a snapshot", error))?;
        let (size, limit) = (snapshot.largest(), self.log.0.options.largest_event_allowed());
        if size > limit {
            return Err(Error::too_large(size, limit));
        }
        let at = snapshot.at.clone();
        let parsed = Origin::parse(at.as_str());
        let snapshot = match parsed {
            // In a merge the log's part of the id gets the view.
            Some((epoch, position)) if self.gaps.are_merged() => {
                self.gaps.check_room(&at).map_err(Error::invalid_merge)?;
                Snapshot { at: position.id(epoch), ..snapshot }
            }
            _ => snapshot,
        };
        let position = parsed.map(|(_, position)| position);
        let chunks = Box::new(Packed::new(snapshot.into_bytes(), position));
        self.see(&at);
        let of = self.of();
        let mut state = self.log.lock_now();
        self.epoch = state.tail.epoch();
        let after = match state.resolve_id(&at)? {
            Begin::After(after) => after,
            Begin::Live | Begin::Part(_) | Begin::Snapshot(_) => state.tail.newest(),
            Begin::AskStore(id) => {
                let (number, called) = state.backing.request_check();
                drop(state);
                self.next = Next::Check(id, number, IdOf::Snapshot(chunks));
                called.into_iter().for_each(Waker::wake);
                return Ok(());
            }
        };
        // The events after its position are taken now, because the log may drop them while the snapshot goes out.
        self.next = Next::Send(chunks, Box::new(read_now(&mut state, of, after, &self.gaps)));
        Ok(())
    }

    /// Returns the next step after a snapshot, which may have taken long. If the tail has the events after it, they are read again. Otherwise the
    /// page from before is given, unless an event was deleted meanwhile.
    pub(super) fn after_snapshot(&self, then: Next) -> Next {
        let Next::Give(page) = then else { return then };
        let mut state = self.log.lock_now();
        let is_here = page.after >= state.tail.base();
        match state.tail.epoch() == self.epoch && is_here {
            true => read_now(&mut state, self.of(), page.after, &self.gaps),
            false if state.deletions == page.deletions => Next::Give(page),
            false => Next::Read(page.after),
        }
    }

    /// Begins after an id that only the store may know, and asks the store for it unless it is known by now.
    pub(super) fn look(&mut self) {
        let Next::Look(id, reset) = mem::replace(&mut self.next, Next::Stop) else { return };
        let mut state = self.log.lock_now();
        let known = match state.resolve_id(&id) {
            Ok(Begin::AskStore(id)) => {
                let (number, called) = state.backing.request_check();
                drop(state);
                self.next = Next::Check(id, number, IdOf::Start(reset));
                called.into_iter().for_each(Waker::wake);
                return;
            }
            Ok(Begin::After(after)) => {
                self.gaps.see(&id);
                Part::After(after)
            }
            Ok(_) => Part::After(state.tail.newest()),
            Err(_) => Part::Oldest,
        };
        drop(state);
        self.next = reset.before(known);
    }

    /// Continues from the id, once the check of the store is done.
    pub(super) fn take_check(&mut self) -> Result<(), Error> {
        let Next::Check(id, _, of_whom) = mem::replace(&mut self.next, Next::Stop) else {
            return Ok(());
        };
        let of = self.of();
        let mut state = self.log.lock_now();
        self.epoch = state.tail.epoch();
        match (state.position_of(&id), of_whom) {
            (Ok(after), IdOf::Client) => self.next = read_on(&mut state, of, after),
            (Ok(after), IdOf::Snapshot(chunks)) => {
                self.next =
                    Next::Send(chunks, Box::new(read_now(&mut state, of, after, &self.gaps)));
            }
            (Ok(after), IdOf::Start(reset)) => {
                self.gaps.see(&id);
                self.next = reset.before(Part::After(after));
            }
            (Err(gap), of_whom) => {
                let newest = state.newest();
                if let Some(backlog) = state.backing.stored_mut() {
                    backlog.past_epochs.insert(&id, self.epoch);
                    if gap.reason == GapReason::AheadOfHead && self.gaps.are_the_end() {
                        backlog.past_epochs.refute(id.clone(), newest);
                    }
                }
                self.next = match of_whom {
                    IdOf::Client => self.gaps.go_on(&state, gap.reason, Found::Coming(Some(id))),
                    IdOf::Snapshot(_) => return Err(gap.into()),
                    IdOf::Start(reset) => reset.before(Part::Oldest),
                };
            }
        }
        Ok(())
    }
}
