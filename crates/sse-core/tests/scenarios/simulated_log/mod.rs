//! A log, its clients, and all that happens to them in any order: every event once, in order, or a `reset` that says otherwise; and,
//! however busy the log is, an event within a few polls.

use std::time::Duration;

use fastrand::Rng;
use sse_core::{EventId, LogOptions, Start};

use crate::simulation::for_each_seed;
use crate::support::virtual_clock::VirtualClock;

pub(crate) mod book;
pub(crate) mod choices;
pub(crate) mod client;
pub(crate) mod patience;
mod polling;
pub(crate) mod recorded;
pub(crate) mod track;

use choices::{AFTER_GAP, Choices, Kind, Snapshots};
use client::Client;
use recorded::Recorded;

#[test]
fn each_client_of_a_log_gets_every_event_once_in_order_or_is_told_of_a_gap() {
    for_each_seed(1000, |rng| Simulation::new(rng, false).run());
}

#[test]
fn each_client_of_a_busy_log_gets_its_next_event_within_a_few_polls() {
    for_each_seed(1000, |rng| Simulation::new(rng, true).run_busily());
}

struct Simulation {
    rng: Rng,
    clock: VirtualClock,
    log: Recorded,
    clients: Vec<Client>,
    /// Between two polls more is always appended than the log keeps.
    is_flooded: bool,
    is_busy: bool,
}

impl Simulation {
    fn new(mut rng: Rng, is_busy: bool) -> Self {
        let clock = VirtualClock::new();
        let options = options(&mut rng, is_busy);
        let mut log = Recorded::new("log", options.clone(), &clock);
        for _ in 0..rng.usize(..8) {
            log.append(&mut rng);
        }
        let is_flooded = is_busy && rng.bool() && options.events < 100;
        let mut simulation = Self { rng, clock, log, clients: Vec::new(), is_flooded, is_busy };
        for _ in 0..simulation.rng.usize(1..4) {
            let client = simulation.next_client();
            simulation.clients.push(client);
        }
        simulation
    }

    fn run(mut self) {
        for _ in 0..self.rng.usize(10..120) {
            match self.rng.u8(..) {
                0..80 => self.log.append(&mut self.rng),
                80..83 => (0..self.rng.usize(..40)).for_each(|_| self.log.append(&mut self.rng)),
                83 => self.log.append_burst(&mut self.rng),
                84..90 => self.log.delete(&mut self.rng),
                90..100 => self.clock.pass(Duration::from_millis(self.rng.u64(..400))),
                100 => self.clock.pass(Duration::from_secs(100)),
                101 => self.restart(),
                102..104 => self.new_epoch(),
                104 if self.rng.u8(..4) == 0 => self.log.finish(&mut self.rng),
                105..112 => self.client().cut(),
                _ => self.step(true),
            }
        }
        self.settle();
    }

    /// Between any two polls of a client something is appended, and so, in a full log, something is dropped.
    fn run_busily(mut self) {
        for _ in 0..self.rng.usize(15..60) {
            match self.rng.u8(..) {
                0..8 => self.log.append_burst(&mut self.rng),
                8..20 => self.log.delete(&mut self.rng),
                20..24 => self.clock.pass(Duration::from_millis(self.rng.u64(..400))),
                24..26 => self.new_epoch(),
                26..28 => self.client().cut(),
                _ => {}
            }
            match self.is_flooded {
                true => self.log.append_burst(&mut self.rng),
                false => (0..self.rng.usize(..3)).for_each(|_| self.log.append(&mut self.rng)),
            }
            self.log.append_one(&mut self.rng);
            self.step(false);
        }
    }

    /// Creates the log again, which cuts its streams.
    fn restart(&mut self) {
        self.clients.iter_mut().for_each(Client::cut);
        self.log.restart();
    }

    /// Begins another epoch, which is a gap beside any other.
    fn new_epoch(&mut self) {
        self.log.new_epoch();
        self.clients.iter_mut().for_each(|client| client.patience.begin());
    }

    /// Lets a client connect or read.
    fn step(&mut self, cuts_within: bool) {
        let client = self.rng.usize(..self.clients.len());
        if self.clients[client].is_done {
            self.clients[client] = self.next_client();
        }
        let client = &mut self.clients[client];
        if !client.is_connected() {
            client.connect(&mut self.log);
        }
        client.read(&mut self.log, &mut self.rng, cuts_within);
    }

    /// Nothing happens any more: each client gets all there is, woken if it has to wait.
    fn settle(&mut self) {
        for client in &mut self.clients {
            let mut polls = 0..1000;
            while !client.is_done && polls.next().is_some() {
                if !client.is_connected() {
                    client.connect(&mut self.log);
                } else if !client.read(&mut self.log, &mut self.rng, false) {
                    break;
                }
            }
            assert!(client.has_all(&self.log.book), "it waits, and there is more");
        }
    }

    fn client(&mut self) -> &mut Client {
        let client = self.rng.usize(..self.clients.len());
        &mut self.clients[client]
    }

    /// Makes a client with some id and some choices. Some clients poll.
    fn next_client(&mut self) -> Client {
        let kind = Kind { are_sound: self.is_busy, fewest_events: 0, are_large: true };
        let choices = Choices {
            start: match self.rng.u8(..10) {
                0..3 => Start::Live,
                3..5 => Start::Oldest,
                5..7 => Start::Last(self.rng.usize(..12)),
                8 => Start::Since(Duration::from_millis(self.rng.u64(..600))),
                7 => Start::Skip(self.rng.usize(..self.log.book.newest as usize + 2)),
                _ => self.id().parse().map_or(Start::Live, Start::After),
            },
            begins_with_a_snapshot: self.rng.u8(..8) == 0,
            on_gap: AFTER_GAP[self.rng.usize(..AFTER_GAP.len())],
            has_opening_event: self.rng.bool(),
            snapshots: Snapshots::new(self.rng.fork(), kind),
        };
        let last_event_id = if self.rng.bool() { String::new() } else { self.id() };
        let client = Client::new(&last_event_id, choices);
        if self.rng.u8(..4) == 0 { client.polling() } else { client }
    }

    /// An id that a client may come with.
    fn id(&mut self) -> String {
        let newest = self.log.book.newest;
        match self.rng.u8(..16) {
            0 => "nonsense".to_owned(),
            1 => "x".repeat(EventId::MAX_LEN + 1),
            2 => "another.7".to_owned(),
            3 => format!("{}0", self.log.book.id(0)),
            4 => self.log.book.id(newest + self.rng.u64(1..4)),
            5..10 => self.log.book.id(self.rng.u64(..=newest)),
            _ => self.log.book.id(newest),
        }
    }
}

pub(crate) fn options(rng: &mut Rng, is_busy: bool) -> LogOptions {
    let events = match is_busy {
        true if rng.u8(..16) == 0 => 100,
        true => [1, 2, 3, 10][rng.usize(..4)],
        false => [1, 3, 10, 100][rng.usize(..4)],
    };
    let options = LogOptions::new();
    let bytes = if rng.u8(..4) > 0 { options.bytes } else { rng.usize(100..2000) };
    options
        .events(events)
        .bytes(bytes)
        .keeps_times(true)
        .age((rng.u8(..4) == 0).then(|| Duration::from_millis(rng.u64(1..2000))))
}
