//! A source that is never quiet: something is published and told of between any two polls, and each client gets on.

use std::ops::Range;

use fastrand::Rng;

use super::client::{Client, Did};
use super::database::Database;
use super::options::{AtGap, Options, any_id};
use super::{Simulation, USUAL, for_each_seed};

/// The most polls without an event, if the client waits for the source in none of them. The longest way there is: the
/// first line; the `reset`; the state; the end, if more was published meanwhile than is buffered; the first line again.
const POLLS: usize = 5;

/// The number of events that the source keeps: more than are published while a client with a gap gets on.
const KEPT: u64 = 64;

/// Room for all that is published while a client gets on.
const ROOM: Range<usize> = 1000..1001;

/// Room for less.
const NO_ROOM: Range<usize> = 0..5;

#[test]
fn a_client_of_a_busy_source_gets_on_after_a_gap_and_without_one() {
    for_each_seed(USUAL, |rng| {
        Simulation::new(rng, &[AtGap::Reset, AtGap::Live, AtGap::Stop]).run_busy(ROOM);
    });
}

#[test]
fn a_client_of_a_busy_source_gets_on_after_a_gap_though_more_is_published_than_is_buffered() {
    for_each_seed(USUAL, |rng| {
        Simulation::new(rng, &[AtGap::Reset, AtGap::Live, AtGap::Stop]).run_busy(NO_ROOM);
    });
}

#[test]
fn a_client_of_a_busy_source_gets_on_after_a_snapshot() {
    for_each_seed(USUAL, |mut rng| {
        let room = if rng.bool() { ROOM } else { NO_ROOM };
        Simulation::new(rng, &[AtGap::Snapshot]).run_busy(room);
    });
}

/// A client, and for how long it has waited in vain.
struct Waiting {
    client: Client,
    polls: usize,
    /// For how many steps it stays away.
    away: usize,
}

impl Simulation {
    /// Runs with this many events buffered, and this many ids remembered.
    fn run_busy(mut self, room: Range<usize>) {
        let clients = std::mem::take(&mut self.clients).into_iter().map(|client| {
            let at_gap = client.options.at_gap;
            let mut few = || self.rng.usize(room.clone());
            let (buffered, remembered) = (few(), few());
            let is_tight = room == NO_ROOM;
            let options = Options { at_gap, buffered, remembered, is_tight, ..Options::ROOMY };
            let client = Client::new(&self.database, any_id(&mut self.rng), options);
            Waiting { client, polls: 0, away: 0 }
        });
        let mut clients: Vec<_> = clients.collect();
        let trims = self.rng.bool();
        for _ in 0..self.rng.usize(10..40) {
            for waiting in &mut clients {
                self.database.publish();
                if trims {
                    self.database.trim(KEPT);
                }
                match self.rng.u8(..) {
                    0..3 => waiting.leave(self.rng.usize(..32)),
                    3 if self.database.lock().failures > 0 => self.database.hang_up(),
                    _ => {}
                }
                waiting.step(&self.database, &mut self.rng);
            }
            if self.rng.u8(..) < 8 {
                self.pass_time();
            }
        }
    }
}

impl Waiting {
    fn leave(&mut self, steps: usize) {
        self.client.reader.cut();
        (self.polls, self.away) = (0, steps);
    }

    fn step(&mut self, database: &Database, rng: &mut Rng) {
        if self.away > 0 {
            self.away -= 1;
            return;
        }
        let count = self.client.count;
        let did = self.client.step(database, rng, false);
        if self.client.count > count || did == Did::Badly {
            self.polls = 0;
        } else if did == Did::Well {
            self.polls += 1;
            assert!(self.polls <= POLLS, "it waits in vain: {:?}", self.client.options);
        }
    }
}
