//! A source, its clients, and all that happens to them in any order: every event once, in order, or a `reset` that says otherwise.
//! The store and its notifications are two things, as they are in a database, and a query takes its time.

use std::time::Duration;

use fastrand::Rng;

use crate::simulation::for_each_seed;

mod bounds;
mod client;
mod connection;
mod database;
mod liveness;
mod options;

use client::Client;
use database::Database;
use options::{AtGap, Options, any_id};

/// The number of seeds in an ordinary run.
const USUAL: u64 = 1000;

#[test]
fn each_client_of_a_source_gets_every_event_once_in_order_or_is_told_of_a_gap() {
    for_each_seed(USUAL, |rng| Simulation::new(rng, &[AtGap::Reset]).run());
}

#[test]
fn each_client_that_is_not_told_of_a_gap_goes_on_with_what_comes_or_is_at_its_end() {
    for_each_seed(USUAL, |rng| Simulation::new(rng, &[AtGap::Live, AtGap::Stop]).run());
}

#[test]
fn each_client_with_a_gap_gets_the_state_and_then_every_event_after_it_once_in_order() {
    for_each_seed(USUAL, |rng| Simulation::new(rng, &[AtGap::Snapshot]).run());
}

struct Simulation {
    rng: Rng,
    database: Database,
    clients: Vec<Client>,
}

impl Simulation {
    fn new(mut rng: Rng, at_gap: &[AtGap]) -> Self {
        let database = Database::new(rng.fork());
        {
            let mut state = database.lock();
            state.is_shared = rng.bool();
            state.slowness = rng.usize(1..5);
            state.failures = if rng.u8(..4) == 0 { 8 } else { 0 };
        }
        let clients = (0..rng.usize(1..4)).map(|_| {
            let options = Options::any(&mut rng, at_gap);
            Client::new(&database, any_id(&mut rng), options)
        });
        let clients = clients.collect();
        Self { rng, database, clients }
    }

    fn run(mut self) {
        let trims = self.rng.bool();
        let fails = self.database.lock().failures > 0;
        for _ in 0..self.rng.usize(10..150) {
            match self.rng.u8(..100) {
                0..15 => self.database.store(),
                15..30 => _ = self.database.notify(),
                30 => (0..self.rng.usize(..8)).for_each(|_| self.database.store()),
                31 => (0..self.rng.usize(..8)).for_each(|_| _ = self.database.notify()),
                32..35 => self.cut(),
                35 if trims => self.database.trim(2),
                36 if fails => self.database.hang_up(),
                37..40 => self.pass_time(),
                _ => self.step(true),
            }
        }
        self.settle();
    }

    /// Lets time pass: a moment, or about as long as notifications may be late.
    fn pass_time(&mut self) {
        let millis = if self.rng.bool() { ..100 } else { ..80_000 };
        self.database.pass(Duration::from_millis(self.rng.u64(millis)));
    }

    fn cut(&mut self) {
        let client = self.rng.usize(..self.clients.len());
        self.clients[client].reader.cut();
    }

    /// Lets one client connect or read.
    fn step(&mut self, cuts_within: bool) {
        let client = self.rng.usize(..self.clients.len());
        self.clients[client].step(&self.database, &mut self.rng, cuts_within);
    }

    /// All is told of and nothing fails any more; the clients, which stay connected but where their streams end, get all there is.
    fn settle(&mut self) {
        {
            let mut state = self.database.lock();
            (state.failures, state.is_shared) = (0, false);
        }
        while self.database.lock().has_untold() {
            self.database.notify();
            self.step(false);
        }
        let next = self.database.lock().newest + 1;
        for _ in 0..3000 {
            if self.clients.iter().all(|client| client.is_at(next)) {
                return;
            }
            self.step(false);
        }
        panic!("not all clients have all events before {next}");
    }
}
