//! The actions of the simulation.

use std::time::Duration;

use super::Simulation;
use super::client::Client;

impl Simulation {
    pub(super) fn poll_a_process(&mut self) -> bool {
        let process = self.rng.usize(..2);
        self.processes[process].poll()
    }

    pub(super) fn poll_a_client(&mut self, cuts_within: bool) -> bool {
        let client = self.rng.usize(..self.clients.len());
        self.step(client, cuts_within)
    }

    /// Lets a client connect, to one process or the other, or read.
    pub(super) fn step(&mut self, number: usize, cuts_within: bool) -> bool {
        let client = &mut self.clients[number];
        if client.is_done || client.rests_until.is_some_and(|until| self.clock.now() < until) {
            return false;
        }
        if !client.reader.is_connected() {
            let process = self.rng.usize(..2);
            let Some(log) = &self.processes[process].log else { return false };
            if client.process != process {
                // This one may not have heard of it.
                client.must_not_see.clear();
            }
            client.is_to_be_told = self.processes[process].is_confused_about(&client.last_event_id);
            client.is_confused = self.processes[process].is_confused();
            let newest = self.processes[process].newest();
            client.epoch = newest.map_or(client.epoch, |(epoch, _)| epoch);
            client.has_something_to_begin_with = client.can_begin_with(newest, &self.store);
            client.connect(process, log, &self.history);
            self.look_for_a_check(number);
            return true;
        }
        let process = &self.processes[client.process];
        client.is_confused = process.is_confused();
        client.epoch = process.newest().map_or(client.epoch, |(epoch, _)| epoch);
        let has_read = client.read(&mut self.rng, &self.history, cuts_within);
        if has_read && !client.reader.is_connected() {
            // A browser waits like this after the end of a stream.
            client.rests_until = Some(self.clock.now() + Duration::from_millis(1));
        }
        client.is_to_be_told |=
            self.processes[client.process].is_confused_about(&client.last_event_id);
        if !client.reader.is_connected() {
            self.forgive_the_disconnected();
        }
        if has_read {
            self.look_for_a_check(number);
        }
        has_read
    }

    pub(super) fn cut_a_client(&mut self) {
        let client = self.rng.usize(..self.clients.len());
        self.clients[client].reader.cut();
        self.forgive_the_disconnected();
    }

    /// A client that is where nothing is any more, and that no process can tell so, may come back when no process knows of it.
    pub(super) fn forgive_the_disconnected(&mut self) {
        for client in &mut self.clients {
            let is_connected = client.reader.is_connected();
            let is_lost = |at: &Vec<_>| !self.history.line().any(|place| at.contains(&place));
            let is_lost = client.at.as_ref().is_some_and(is_lost);
            client.is_forgiven |=
                (is_lost || client.is_to_be_told) && !(is_connected && client.is_to_be_told);
            client.is_to_be_told &= is_connected;
        }
    }

    pub(super) fn restart(&mut self) {
        let process = self.rng.usize(..2);
        self.processes[process].start();
        self.calls.retain(|call| call.process != process);
        let clients = self.clients.iter_mut().filter(|client| client.process == process);
        clients.for_each(|client| client.reader.cut());
        self.forgive_the_disconnected();
    }

    /// A client leaves for good, and another comes for the first time.
    fn a_client_comes(&mut self) {
        let leaves = self.rng.usize(..self.clients.len());
        self.clients[leaves] = Client::any(&mut self.rng, &self.store, &self.history);
    }

    /// Gives up a call, which may have been executed, or not.
    pub(super) fn give_up_a_call(&mut self) {
        if !self.calls.is_empty() {
            let call = self.rng.usize(..self.calls.len());
            drop(self.calls.swap_remove(call));
        }
    }

    pub(super) fn rare(&mut self) {
        match self.rng.u8(..16) {
            0..4 => self.restart(),
            4..6 => self.a_client_comes(),
            6..8 => self.new_epoch(),
            8 => self.finish(),
            9 if self.has_losses => self.recreate(),
            10..14 => self.fail_over(),
            _ => self.clock.pass(Duration::from_secs(20)),
        }
    }
}
