//! The faults of the store.

use std::time::Duration;

use super::Simulation;
use super::choices::Choice;
use crate::support::scripted_store::{Call, Cut, Fault};

impl Simulation {
    pub(super) fn fault(&mut self) {
        let call = Call::ALL[self.rng.usize(..Call::ALL.len())];
        let faults = [Fault::Fails, Fault::LosesTheRequest, Fault::LosesTheAnswer, Fault::Stalls];
        match self.rng.u8(..16) {
            0..4 => self.store.fault(call, faults[self.rng.usize(..faults.len())]),
            4..8 => self.store.mend(call),
            8..12 => self.store.come_back(),
            12 => self.store.cut(Cut::Ends),
            13 => self.store.cut(Cut::Fails),
            14 => self.store.pause(),
            _ => self.store.go_down(),
        }
    }

    pub(super) fn mend(&mut self) {
        self.store.come_back();
        self.store.end_turns();
    }

    /// Some of what is kept goes; or a replica is as far as it will ever be.
    pub(super) fn lose(&mut self) {
        match self.rng.u8(..4) {
            0 => self.replica = Some((self.store.replica(), self.history.head)),
            1 if self.has_losses => self.delete(),
            2 if self.has_losses => self.store.trim(self.rng.usize(1..6)),
            _ => self.give_up_a_call(),
        }
    }

    /// The replica takes over. Where events are lost in other ways, too, nobody appends until it was noticed.
    pub(super) fn fail_over(&mut self) {
        if self.has_losses && self.replica.is_none() {
            // It lacks no more than what is deleted now.
            self.replica = Some((self.store.replica(), self.history.head));
            self.delete();
        }
        let Some((replica, head)) = self.replica.take() else { return };
        // A process knows of the deletions up to which it has followed.
        let all_is_known = self.has_losses && self.rng.bool();
        if all_is_known {
            self.mend();
            self.let_pass(Duration::from_secs(1));
        }
        let lost = self.store.now();
        if self.has_losses && self.rng.bool() {
            self.store.go_back_to(&replica);
        } else {
            self.store.fail_over_to(&replica);
        }
        self.history.go_back_to(head);
        let now = self.store.now();
        let has_fewer_deletions = now.epoch == lost.epoch && now.deletions < lost.deletions;
        let mut nobody_knows_more = !(all_is_known && has_fewer_deletions);
        for process in &mut self.processes {
            nobody_knows_more &=
                process.newest_in(now.epoch).is_none_or(|known| known <= now.newest);
            let newest = process.newest().filter(|(epoch, _)| *epoch == now.epoch);
            if newest.is_some_and(|(_, newest)| newest > now.newest) {
                process.confused_in = Some(now.epoch);
            }
        }
        for client in &mut self.clients {
            // A deleted event may be back.
            client.must_not_see.clear();
            let process = &self.processes[client.process];
            client.is_to_be_told |= process.is_confused_about(&client.last_event_id);
            // Its process knows of the events that it was given, or came with and was let in. If nobody appends it will notice.
            let is_of_now = client.last_event_id.starts_with(now.epoch.as_str());
            let is_lost = |at: &Vec<_>| !self.history.line().any(|place| at.contains(&place));
            client.is_to_be_told |=
                self.has_losses && is_of_now && client.at.as_ref().is_some_and(is_lost);
        }
        self.forgive_the_disconnected();
        if self.has_losses {
            self.calls.clear();
            self.mend();
            self.let_pass(Duration::from_secs(3));
            let has_begun_anew = self.store.now().epoch != now.epoch;
            assert!(has_begun_anew || nobody_knows_more, "nobody noticed: {lost:?}, {now:?}");
            self.assert_all_were_told();
        }
    }

    /// Looks at each client that has stayed where it is known that events were lost.
    pub(super) fn assert_all_were_told(&mut self) {
        for client in self.clients.iter_mut().filter(|client| client.reader.is_connected()) {
            // A client that goes on live without a word has gone on by now.
            client.is_to_be_told &= client.choice != Choice::Live;
            assert!(!client.is_to_be_told, "it was told nothing: it is at {:?}", client.at);
        }
    }

    /// All is gone.
    pub(super) fn recreate(&mut self) {
        // A deletion on its way would delete what has its position by then.
        self.calls.clear();
        self.store.recreate();
        self.history.begin();
        self.replica = None;
    }
}
