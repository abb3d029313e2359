//! Several logs as one stream, its clients, and all that happens to them in any order: of each log every event once, in order, or a
//! `reset` that says otherwise; and of each an event within a few polls, however busy the others are.

use std::time::Duration;

use fastrand::Rng;
use sse_core::{LogOptions, Start};

use crate::simulated_log::choices::{AFTER_GAP, AfterGap, Choices, Kind, Snapshots};
use crate::simulated_log::options;
use crate::simulated_log::recorded::Recorded;
use crate::simulated_log::track::Known;
use crate::simulation::for_each_seed;
use crate::support::virtual_clock::VirtualClock;

mod client;
mod id;

use client::Client;
use id::Id;

const NAMES: [&str; LOGS] = ["prices", "news", "x"];
const LOGS: usize = 3;
/// A page of 64 KiB of small events becomes so many chunks, with the longer ids of a merge.
const CHUNKS_OF_A_PAGE: usize = 4;

type Logs = [Recorded; LOGS];

#[test]
fn each_client_of_a_merge_gets_every_event_once_in_order_or_is_told_of_a_gap() {
    for_each_seed(1000, |rng| Simulation::new(rng, false).run());
}

#[test]
fn each_client_of_a_busy_merge_gets_the_next_event_of_each_log_within_a_few_polls() {
    for_each_seed(1000, |rng| Simulation::new(rng, true).run_busily());
}

struct Simulation {
    rng: Rng,
    clock: VirtualClock,
    logs: Logs,
    clients: Vec<Client>,
    /// Ids that clients had before.
    ids: Vec<Id>,
    is_busy: bool,
    /// To each log more is appended between two polls than it keeps.
    is_flooded: bool,
    /// One of the logs has full pages.
    has_pages: bool,
}

impl Simulation {
    fn new(mut rng: Rng, is_busy: bool) -> Self {
        let clock = VirtualClock::new();
        let has_pages = rng.u8(..) == 0;
        let mut has_large = false;
        let mut log = |i: usize| {
            let options = match has_pages && i == 0 {
                true => LogOptions::new().events(2000).keeps_times(true),
                false => options(&mut rng, is_busy),
            };
            has_large |= options.events >= 100;
            Recorded::new(NAMES[i], options, &clock)
        };
        let mut logs = [log(0), log(1), log(2)];
        if has_pages {
            logs[0].append_all(900, |rng| rng.usize(..8), &mut rng);
        }
        for log in &mut logs {
            (0..rng.usize(..4)).for_each(|_| log.append(&mut rng));
        }
        let is_flooded = is_busy && !has_large && rng.u8(..4) == 0;
        let (clients, ids) = (Vec::new(), Vec::new());
        let mut simulation =
            Self { rng, clock, logs, clients, ids, is_busy, is_flooded, has_pages };
        for _ in 0..simulation.rng.usize(1..3) {
            let client = simulation.next_client();
            simulation.clients.push(client);
        }
        simulation
    }

    fn run(mut self) {
        for _ in 0..self.rng.usize(10..120) {
            let log = self.rng.usize(..LOGS);
            let (rng, of) = (&mut self.rng, &mut self.logs[log]);
            match rng.u8(..) {
                0..90 => of.append(rng),
                90..93 => (0..rng.usize(..20)).for_each(|_| of.append(rng)),
                93 if !self.has_pages => of.append_burst(rng),
                94..100 => of.delete(rng),
                100..108 => self.clock.pass(Duration::from_millis(rng.u64(..400))),
                108..110 => self.restart(log),
                110..112 => self.new_epoch(log),
                112 if rng.bool() => of.finish(rng),
                113..122 => self.cut_a_client(),
                _ => self.step(true),
            }
        }
        self.settle();
    }

    /// Between any two polls of a client something is appended to each log, or to all but one that is quiet.
    fn run_busily(mut self) {
        let quiet = self.rng.usize(..2 * LOGS);
        for _ in 0..self.rng.usize(12..32) {
            let log = self.rng.usize(..LOGS);
            let (rng, of) = (&mut self.rng, &mut self.logs[log]);
            match rng.u8(..) {
                0..8 if !self.has_pages => of.append_burst(rng),
                8..20 => of.delete(rng),
                20..24 => self.clock.pass(Duration::from_millis(rng.u64(..400))),
                24..26 => self.new_epoch(log),
                26..28 => self.cut_a_client(),
                _ => {}
            }
            for (i, log) in self.logs.iter_mut().enumerate() {
                match self.is_flooded {
                    _ if i == quiet && self.rng.u8(..8) > 0 => continue,
                    true => log.append_burst(&mut self.rng),
                    false => (0..self.rng.usize(..3)).for_each(|_| log.append(&mut self.rng)),
                }
                log.append_one(&mut self.rng);
            }
            self.step(false);
        }
    }

    /// Creates a log again, which cuts its streams.
    fn restart(&mut self, log: usize) {
        self.clients.iter_mut().filter(|client| client.reads(log)).for_each(Client::cut);
        self.logs[log].restart();
    }

    /// Begins another epoch of a log. A stream that is at the end of a finished log looks at it no more.
    fn new_epoch(&mut self, log: usize) {
        if self.logs[log].book.is_finished {
            return;
        }
        self.logs[log].new_epoch();
        self.clients.iter_mut().for_each(|client| client.new_epoch(log));
    }

    fn cut_a_client(&mut self) {
        let client = self.rng.usize(..self.clients.len());
        self.clients[client].cut();
    }

    /// Lets a client connect or read.
    fn step(&mut self, cuts_within: bool) {
        let client = self.rng.usize(..self.clients.len());
        if self.clients[client].is_done {
            self.clients[client] = self.next_client();
        }
        self.connect(client);
        self.clients[client].read(&mut self.logs, &mut self.rng, cuts_within);
    }

    /// Connects a client to all of the logs, or to some of them in any order.
    fn connect(&mut self, client: usize) {
        if self.clients[client].is_connected() {
            return;
        }
        let mut of: Vec<usize> = (0..LOGS).collect();
        if self.rng.u8(..4) == 0 {
            self.rng.shuffle(&mut of);
            of.truncate(self.rng.usize(1..=LOGS));
        }
        let id = &self.clients[client].id;
        if !id.says.iter().any(|says| matches!(says, Known::Unclear)) {
            self.ids.push(id.clone());
        }
        self.clients[client].connect(of, &mut self.logs);
    }

    /// Nothing happens any more: each client gets all there is, woken if it has to wait.
    fn settle(&mut self) {
        for client in 0..self.clients.len() {
            let mut polls = 0..1000;
            while !self.clients[client].is_done && polls.next().is_some() {
                if !self.clients[client].is_connected() {
                    self.connect(client);
                } else if !self.clients[client].read(&mut self.logs, &mut self.rng, false) {
                    break;
                }
            }
            assert!(self.clients[client].has_all(&self.logs), "it waits, and there is more");
        }
    }

    /// Makes a client with some id and some choices.
    fn next_client(&mut self) -> Client {
        let (start, at) = match self.rng.u8(..9) {
            0..3 => (Start::Live, None),
            3..5 => (Start::Oldest, None),
            5..7 => (Start::Last(self.rng.usize(..12)), None),
            7 => (Start::Since(Duration::from_millis(self.rng.u64(..600))), None),
            _ => {
                let id = self.id();
                let at = id.text.parse().ok().filter(|_| !id.text.is_empty());
                at.map_or((Start::Live, None), |at| (Start::After(at), Some(id)))
            }
        };
        let kind = Kind {
            are_sound: self.is_busy,
            fewest_events: 1, // an empty snapshot does not name its log
            are_large: !self.is_busy || self.has_pages,
        };
        let choices = Choices {
            // Its log would say where it starts over by a position, and the id of a merge has several.
            on_gap: match AFTER_GAP[self.rng.usize(..AFTER_GAP.len())] {
                AfterGap::StartOver if start != Start::Oldest => AfterGap::Reset,
                on_gap => on_gap,
            },
            start,
            begins_with_a_snapshot: false,
            has_opening_event: self.rng.bool(),
            snapshots: Snapshots::new(self.rng.fork(), kind),
        };
        let id = if self.rng.bool() { Id::of("", Known::New) } else { self.id() };
        let chunks = if self.is_busy && !self.has_pages { 1 } else { CHUNKS_OF_A_PAGE };
        Client::new(id, at, choices, chunks)
    }

    /// An id that a client may come with.
    fn id(&mut self) -> Id {
        let log = self.rng.usize(..LOGS);
        let newest = self.logs[log].book.id(self.logs[log].book.newest);
        match self.rng.u8(..16) {
            0 => Id::of("nonsense", Known::Nonsense),
            1 => Id::of("\u{e9}", Known::Nonsense),
            // The endpoint was the feed of a single log, in memory or over a store.
            2 => Id::of(newest, Known::Nonsense),
            3 => {
                let millis = 1_700_000_000_000 + self.rng.u64(..100_000_000_000);
                let (epoch, _) = newest.split_once('.').expect("epoch and position");
                Id::of(format!("{epoch}.{millis}-{}", self.rng.u8(..10)), Known::Nonsense)
            }
            4 => Id::of(id::with_other_names(&self.logs, &mut self.rng), Known::Nonsense),
            _ if self.ids.is_empty() => Id::of("", Known::New),
            _ => self.ids[self.rng.usize(..self.ids.len())].clone(),
        }
    }
}
