//! A log to which events are added without end, and whose engine trims the oldest as they come: one between any two polls of a client,
//! and one between any two reads of the store. Each client still gets its events.

use std::time::Duration;

use fastrand::Rng;
use sse_core::{NewEvent, Start};

use super::choices::{Choice, Snapshots, any_start};
use super::client::Client;
use super::{Simulation, new_store, options_of};
use crate::simulation::for_each_seed;

/// The number of clients at a time: each may want another part of the log, and a process reads eight at a time.
const CLIENTS: usize = 7;

#[test]
fn each_client_of_a_busy_log_whose_engine_trims_at_each_append_gets_its_next_event_within_two_reads()
 {
    for_each_seed(1000, |rng| {
        let mut simulation = Simulation::of_a_busy_log(rng);
        simulation.be_busy();
        simulation.settle();
    });
}

impl Simulation {
    fn of_a_busy_log(mut rng: Rng) -> Self {
        let store = new_store(&mut rng);
        let age = if rng.bool() { Some(Duration::from_secs(5)) } else { None };
        let options = options_of(&mut rng);
        let options = options.age(age).store_timeout(Duration::from_secs(30));
        Self::over(rng, store, options, true)
    }

    fn be_busy(&mut self) {
        self.fill();
        self.begin_to_be_busy();
        for _ in 0..self.rng.usize(20..60) {
            match self.rng.u8(..) {
                0..110 => self.poll_a_process_and_answer_a_read(),
                110..205 => self.poll_a_client_and_append(),
                205..222 => self.newcomer(),
                222..230 => self.cut_a_client(),
                230..245 => self.clock.pass(Duration::from_millis(self.rng.u64(1..40))),
                245..250 => self.attack(),
                250..253 => self.others_trim(),
                _ => self.change_something(),
            }
            self.look();
            self.assert_that_no_client_waits_too_long();
        }
        if self.rng.u8(..8) == 0 {
            self.finish();
        }
    }

    /// Nothing goes wrong, and the engine has all that it keeps.
    fn fill(&mut self) {
        let most = self.rng.usize(12..24);
        self.store.keep_at_most(most);
        self.let_pass(Duration::from_millis(1));
        (0..most).for_each(|_| self.another_process_appends());
    }

    fn begin_to_be_busy(&mut self) {
        let (least, mut rng) = (self.store.kept() / 2, self.rng.fork());
        self.store.between(move |engine| {
            if engine.kept() > least && rng.bool() {
                engine.trim(1);
            }
        });
        self.store.take_turns();
    }

    fn another_process_appends(&mut self) {
        if self.a_log().is_none() {
            return;
        }
        self.count += 1;
        let event = NewEvent::from(self.count.to_string());
        let event = match self.rng.u8(..16) {
            0 => event.key(&format!("key {}", self.rng.u8(..3))).expect("a key"),
            _ => event,
        };
        self.store.add(&[event.encode(usize::MAX).expect("an event")]);
        self.look();
    }

    /// Lets a process run, which has at most one answer more than before; if it has, another event comes.
    fn poll_a_process_and_answer_a_read(&mut self) {
        let process = self.rng.usize(..2);
        let store = self.store.of_process(process);
        let before = store.reads_completed();
        if self.rng.u8(..4) > 0 {
            store.answer_a_read();
        }
        self.processes[process].poll();
        self.look();
        if store.reads_completed() > before {
            self.another_process_appends();
        }
    }

    fn poll_a_client_and_append(&mut self) {
        if self.poll_a_client(true) {
            self.another_process_appends();
        }
        self.poll_the_attackers();
    }

    /// A client comes, and asks at once; if there are too many, one leaves.
    fn newcomer(&mut self) {
        if self.clients.len() == CLIENTS {
            let leaves = self.rng.usize(..CLIENTS);
            self.clients.remove(leaves);
        }
        let start = match self.rng.bool() {
            true => Start::Oldest,
            false => any_start(&mut self.rng, &self.history),
        };
        let snapshots = Snapshots::new(&mut self.rng, &self.store);
        let choice = Choice::any(&mut self.rng);
        self.clients.push(Client::new(start, choice, snapshots, &self.history));
        let newcomer = self.clients.len() - 1;
        // It connects, reads the first line, and asks.
        for _ in 0..self.rng.usize(1..4) {
            if self.step(newcomer, false) {
                self.another_process_appends();
            }
        }
    }

    fn others_trim(&mut self) {
        let most = self.store.kept() / 4;
        self.store.trim(self.rng.usize(..=most));
    }

    /// A change that costs readers what they have asked for: each process knows of it before the log is busy again.
    fn change_something(&mut self) {
        match self.rng.u8(..4) {
            0 => self.new_epoch(),
            1 => self.restart(),
            2 => self.clock.pass(Duration::from_secs(10)), // by now some is too old
            _ => self.delete(),
        }
        self.store.end_turns();
        self.let_pass(Duration::from_millis(700));
        self.store.take_turns();
        self.forget_how_long_clients_have_waited();
    }
}
