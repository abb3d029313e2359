//! A log of topics, its clients, and all that happens to them in any order: each has what a filter over the list of events would give, once, in
//! order, or a `reset` that says otherwise.

use std::time::Duration;

use fastrand::Rng;
use sse_core::{LogOptions, Start};

use crate::simulation::for_each_seed;
use crate::support::virtual_clock::VirtualClock;

mod book;
mod client;

use book::{Book, TOPICS};
use client::Client;

#[test]
fn each_client_gets_the_events_of_its_topics_once_in_order_or_is_told_of_a_gap() {
    for_each_seed(2000, |rng| Simulation::new(rng, false).run());
}

/// There is an append between any two polls of a client, and the log drops as much: each client still gets its next event within a few polls.
#[test]
fn each_client_of_topics_of_a_busy_log_gets_its_next_event_within_a_few_polls() {
    for_each_seed(1000, |rng| {
        let mut simulation = Simulation::new(rng, false);
        simulation.be_busy();
        simulation.settle();
    });
}

#[test]
fn each_client_gets_the_events_of_its_topics_over_a_store_too() {
    for_each_seed(2000, |rng| Simulation::new(rng, true).run());
}

struct Simulation {
    rng: Rng,
    clock: VirtualClock,
    book: Book,
    clients: Vec<Client>,
}

impl Simulation {
    fn new(mut rng: Rng, is_in_a_store: bool) -> Self {
        let clock = VirtualClock::new();
        let options = LogOptions::new()
            .events(rng.choice([3, 8, 40, 1000]).expect("one"))
            .topics_required(rng.u8(..4) == 0);
        let mut book = match is_in_a_store {
            true => {
                let tail = rng.choice([1, 3, 20]).expect("one");
                Book::in_a_store(options, tail, &mut rng, &clock)
            }
            false => Book::in_memory(options, &clock),
        };
        (0..rng.usize(..12)).for_each(|_| book.append(&mut rng));
        let clients = (0..rng.usize(1..4)).map(|_| Client::new(&mut rng, &clock)).collect();
        Self { rng, clock, book, clients }
    }

    fn run(mut self) {
        for _ in 0..self.rng.usize(10..120) {
            match self.rng.u8(..) {
                0..90 => self.book.append(&mut self.rng),
                90..94 => (0..self.rng.usize(..30)).for_each(|_| self.book.append(&mut self.rng)),
                94..100 => self.book.delete(&mut self.rng),
                100..104 => self.clock.pass(Duration::from_secs(self.rng.u64(..30))),
                104 if self.book.is_in_memory() => {
                    self.book.new_epoch();
                    self.clients.iter_mut().for_each(|client| client.may_miss = true);
                }
                105..115 => self.client().cut(),
                115..140 => self.change(),
                140..200 if self.book.follow() => {}
                _ => self.step(),
            }
        }
        self.settle();
    }

    fn be_busy(&mut self) {
        for _ in 0..self.rng.usize(50..200) {
            match self.rng.u8(..) {
                0..12 => self.client().cut(),
                12..24 => self.change(),
                24..28 => self.book.delete(&mut self.rng),
                28..40 => (0..self.rng.usize(..30)).for_each(|_| self.book.append(&mut self.rng)),
                _ => {
                    self.step();
                    self.book.append(&mut self.rng);
                }
            }
        }
    }

    /// Lets a client connect, or read.
    fn step(&mut self) {
        let client = self.rng.usize(..self.clients.len());
        self.clients[client].step(&mut self.book, &mut self.rng);
    }

    /// Adds a topic to what a client asks for, or removes one.
    fn change(&mut self) {
        let topic = self.rng.usize(..TOPICS);
        let start = if self.rng.bool() { Start::Live } else { Start::Last(self.rng.usize(1..5)) };
        let client = self.rng.usize(..self.clients.len());
        self.clients[client].change(&self.book, topic, start);
    }

    /// Nothing happens any more: each client gets all there is, woken if it has to wait.
    fn settle(&mut self) {
        self.book.catch_up();
        for client in &mut self.clients {
            let (mut steps, mut pauses) = (0..1000, 0..20);
            loop {
                if client.step(&mut self.book, &mut Rng::with_seed(1)) || self.book.follow() {
                    assert!(steps.next().is_some(), "it never comes to an end");
                } else if self.book.is_in_memory() || pauses.next().is_none() {
                    break;
                } else {
                    // A read that came too early is tried again a little later.
                    self.clock.pass(Duration::from_millis(50));
                }
            }
            client.check_all(&self.book);
        }
    }

    fn client(&mut self) -> &mut Client {
        let client = self.rng.usize(..self.clients.len());
        &mut self.clients[client]
    }
}
