//! For how long a client waits for an event that the log has.

use sse_core::{Cursor, Start};

use super::Simulation;
use super::choices::{Choice, parts_of};
use super::client::Client;

/// A client that waits for an event which its process knows, or that was told of a gap, has its next event once its process has completed
/// this many reads of the store, one after the other: the first may find that what the client wants is gone, the second begins with
/// what is kept.
const READS_UNTIL_AN_EVENT: usize = 2;

/// For how long a client has waited, counted from when it began to wait, or was told of a gap.
#[derive(Debug, Default)]
pub(super) struct Wait {
    /// How many reads its process had begun by then.
    since: Option<usize>,
    /// Whether it was told of a gap, and had no event since.
    is_told: bool,
}

impl Wait {
    /// It has an event.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// It is told of a gap. If it is told again before it has an event, it waits still.
    pub(super) fn tell(&mut self) {
        if !self.is_told {
            *self = Self { since: None, is_told: true };
        }
    }
}

impl Simulation {
    /// Looks at each client that has read all it was woken for.
    pub(super) fn assert_that_no_client_waits_too_long(&mut self) {
        for client in 0..self.clients.len() {
            if !self.has_an_event_for(client) {
                self.clients[client].wait.since = None;
                continue;
            }
            let Client { reader, wait, process, at, start, choice, .. } = &mut self.clients[client];
            if reader.is_woken() {
                continue;
            }
            let store = self.store.of_process(*process);
            let since = *wait.since.get_or_insert_with(|| store.reads_begun());
            let reads = store.reads_completed_since(since);
            assert!(
                reads < READS_UNTIL_AN_EVENT,
                "{reads} reads have brought no event to a client at {at:?} ({choice:?}, {start:?}): {wait:?}"
            );
        }
    }

    /// No client has waited yet: what comes now may take one more read.
    pub(super) fn forget_how_long_clients_have_waited(&mut self) {
        self.clients.iter_mut().for_each(|client| client.wait.end());
    }

    /// Whether the store has an event for this client that its process knows.
    fn has_an_event_for(&self, client: usize) -> bool {
        let client = &self.clients[client];
        let Some((epoch, head)) = self.processes[client.process].newest() else { return false };
        let now = self.store.now();
        let waits_for_a_snapshot = client.snapshots.asked().is_some();
        if !client.reader.is_connected() || now.epoch != epoch || waits_for_a_snapshot {
            return false;
        }
        let after = match parts_of(&client.last_event_id) {
            None if client.start == Start::Live => return false,
            // It is to be told of a gap.
            Some((of, _)) if of != epoch.as_str() => Cursor::START,
            Some((_, after)) => after,
            None => Cursor::START,
        };
        if client.choice == Choice::Live && client.at.is_some() && after < now.floor {
            // It has gone on live without a word.
            return false;
        }
        let next = self.store.first_kept_after(after.max(now.floor));
        next.is_some_and(|next| next <= head)
    }
}
