//! For how long a client waits for an event that the log has.

use std::time::Duration;

use sse_core::Position;

use super::Simulation;
use super::choices::{Choice, parts_of};
use super::client::Client;
use crate::support::scripted_store::ScriptedStore;

/// A client that waits for an event which its process knows, or that was told of a gap, has its next event once so many reads of the
/// store were completed for it: the first may find that what the client wants is gone, the second begins with what is kept.
const READS_UNTIL_AN_EVENT: usize = 2;

/// A page that was read for a client is kept until so many others were read. A client that comes later has to ask again.
const PAGES_KEPT: usize = 16;

/// A process asks the store about an id that it does not know within this time: it asks every 20 ms.
const CHECK: Duration = Duration::from_millis(50);

/// For how long a client has waited, counted from when it began to wait, or was told of a gap.
#[derive(Debug, Default)]
pub(super) struct Wait {
    state: State,
    /// The number of reads that were completed for it.
    reads: usize,
    /// True if it got a `reset`, and no event since.
    is_told: bool,
}

/// Each number is that of the reads of its process.
#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    HasNotAsked,
    /// It asked when so many had begun.
    Asked(usize),
    /// It was woken when so many had been completed, and has not read yet.
    Woken(usize),
}

impl Wait {
    /// It has an event.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// It is told of a gap. If it is told again before it has an event, it waits still.
    pub(super) fn tell(&mut self) {
        if !self.is_told {
            *self = Self { is_told: true, ..Self::default() };
        }
    }

    /// There is nothing to wait for.
    fn begin_again(&mut self) {
        *self = Self { is_told: self.is_told, ..Self::default() };
    }

    /// Takes note of a client that has something to read: what it asked for was read.
    fn wake(&mut self, store: &ScriptedStore) {
        if let State::Asked(_) = self.state {
            (self.state, self.reads) = (State::Woken(store.reads_completed()), self.reads + 1);
        }
    }

    /// Takes note of a client that has read all there is: how many reads were completed for it, at the least.
    fn ask(&mut self, store: &ScriptedStore) -> usize {
        match self.state {
            State::Asked(begun) => {
                // A process begins what clients have asked for at the same time, and completes it in this order. Of reads that come
                // one after the other the second is completed after the first of this client, whichever client wanted it.
                let reads = store.reads_completed_since(begun).saturating_sub(1);
                return self.reads + reads;
            }
            State::Woken(completed) if store.reads_completed() - completed >= PAGES_KEPT => {
                self.begin_again();
            }
            State::Woken(_) | State::HasNotAsked => {}
        }
        self.state = State::Asked(store.reads_begun());
        self.reads
    }
}

impl Simulation {
    /// Looks at each client, after each step.
    pub(super) fn assert_that_no_client_waits_too_long(&mut self) {
        for client in 0..self.clients.len() {
            let has_an_event = self.has_an_event_for(client);
            let Client { reader, wait, process, at, start, choice, .. } = &mut self.clients[client];
            let store = self.store.of_process(*process);
            if !has_an_event {
                wait.begin_again();
            } else if reader.is_woken() {
                wait.wake(&store);
            } else {
                let reads = wait.ask(&store);
                assert!(
                    reads < READS_UNTIL_AN_EVENT,
                    "{reads} reads have brought no event to a client at {at:?} ({choice:?}, {start:?}): {wait:?}"
                );
            }
        }
    }

    /// No client has waited yet: what comes now may take one more read.
    pub(super) fn forget_how_long_clients_have_waited(&mut self) {
        self.clients.iter_mut().for_each(|client| client.wait.end());
    }

    /// If a client has an id that its process does not know yet, the store is asked whether it does: no read, and not at once.
    pub(super) fn look_for_a_check(&mut self, client: usize) {
        let client = &mut self.clients[client];
        let known = self.processes[client.process].newest();
        let is_known = match (parts_of(&client.last_event_id), known) {
            (Some((epoch, at)), Some((of, newest))) => epoch == of.as_str() && at <= newest,
            _ => true,
        };
        if !is_known {
            client.is_checked_by = Some(self.clock.now() + CHECK);
        } else if client.is_checked_by.is_some_and(|by| by <= self.clock.now()) {
            client.is_checked_by = None;
        }
    }

    /// Tells whether the store has an event for this client that its process knows.
    fn has_an_event_for(&self, client: usize) -> bool {
        let client = &self.clients[client];
        let Some((epoch, head)) = self.processes[client.process].newest() else { return false };
        let now = self.store.now();
        let waits_for_more = client.snapshots.asked().is_some() || client.is_checked_by.is_some();
        if !client.reader.is_connected() || now.epoch != epoch || waits_for_more {
            return false;
        }
        let after = match parts_of(&client.last_event_id) {
            None if client.has_begun_live_if_at_all() => return false,
            // It is to be told of a gap.
            Some((of, _)) if of != epoch.as_str() => Position::START,
            Some((_, after)) => after,
            None => Position::START,
        };
        if client.choice == Choice::Live && client.has_begun() && after < now.floor {
            // It has gone on live without a word.
            return false;
        }
        let next = self.store.first_kept_after(after.max(now.floor));
        next.is_some_and(|next| next <= head)
    }
}
