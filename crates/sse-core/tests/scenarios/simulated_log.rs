//! A log, its clients, and all that happens to them in any order: every event once, in order, or a `reset` that says otherwise.

use fastrand::Rng;
use futures_util::FutureExt;
use serde_json::Value;
use sse_core::{Event, EventLog, LogOptions};

use crate::simulation::{Reader, for_each_seed};
use crate::support::parser::Parsed;

#[test]
fn each_client_of_a_log_gets_every_event_once_in_order_or_is_told_of_a_gap() {
    for_each_seed(20_000, |rng| Simulation::new(rng).run());
}

struct Simulation {
    rng: Rng,
    log: EventLog,
    options: LogOptions,
    /// Which life of the log it is.
    life: usize,
    /// How many events this life has had.
    newest: usize,
    clients: Vec<Client>,
}

struct Client {
    reader: Reader,
    /// The life and the number of the event that is to come next.
    next: (usize, usize),
    /// A gap was told of, with this as the oldest event that is kept.
    told: Option<Option<String>>,
}

impl Simulation {
    fn new(mut rng: Rng) -> Self {
        let events = [1, 3, 10, 100][rng.usize(..4)];
        let bytes = if rng.bool() { 64 << 20 } else { rng.usize(100..2000) };
        let options = LogOptions { events, bytes, ..LogOptions::default() };
        let log = EventLog::in_memory(options);
        let clients = (0..rng.usize(1..4)).map(|_| Client::before_the_first(&log)).collect();
        Self { rng, log, options, life: 0, newest: 0, clients }
    }

    fn run(mut self) {
        for _ in 0..self.rng.usize(10..120) {
            match self.rng.u8(..100) {
                0..35 => self.append(),
                35 => (0..self.rng.usize(..40)).for_each(|_| self.append()),
                36 => self.restart(),
                37..40 => {
                    let client = self.rng.usize(..self.clients.len());
                    self.clients[client].reader.cut();
                }
                _ => self.step(true),
            }
        }
        self.settle();
    }

    /// Adds the next event; now and then one that is larger than a page.
    fn append(&mut self) {
        self.newest += 1;
        let size = match self.rng.u8(..) {
            0 => 100_000,
            1..5 => self.rng.usize(..3000),
            _ => self.rng.usize(..60),
        };
        let data = format!("{} {} {}", self.life, self.newest, "x".repeat(size));
        let appended = self.log.append(Event::new(data)).now_or_never();
        appended.expect("no waiting in memory").expect("stored");
    }

    /// The log is made anew: its streams are cut, and every id of before is a gap.
    fn restart(&mut self) {
        self.log = EventLog::in_memory(self.options);
        (self.life, self.newest) = (self.life + 1, 0);
        self.clients.iter_mut().for_each(|client| client.reader.cut());
    }

    /// Lets one client connect or read.
    fn step(&mut self, cuts_within: bool) {
        let client = self.rng.usize(..self.clients.len());
        let client = &mut self.clients[client];
        if !client.reader.is_connected() {
            client.reader.connect(&self.log);
        }
        client.reader.read(&mut self.rng, cuts_within);
        for event in std::mem::take(&mut client.reader.arrived) {
            client.take(&event, self.life);
        }
    }

    /// Nothing happens any more: each client gets all there is, woken where it has to wait.
    fn settle(&mut self) {
        for _ in 0..100 * self.clients.len() {
            self.step(false);
        }
        for client in &self.clients {
            let expected =
                if client.told.is_some() { (self.life, 0) } else { (self.life, self.newest + 1) };
            assert_eq!(client.next, expected, "it waits, and there are {}", self.newest);
            assert!(client.told.is_none() || self.newest == 0, "told of a gap, and nothing more");
        }
    }
}

impl Client {
    fn before_the_first(log: &EventLog) -> Self {
        Self { reader: Reader::new(log.stats().newest.as_str()), next: (0, 1), told: None }
    }

    fn take(&mut self, event: &Parsed, life: usize) {
        if event.event_type == "reset" {
            let said: Value = serde_json::from_str(&event.data).expect("JSON");
            let reason = said["reason"].as_str().expect("a reason");
            let has_been_here = self.next.0 == life;
            assert_eq!(reason, if has_been_here { "too-old" } else { "other-epoch" });
            self.told = Some(said["oldest"].as_str().map(str::to_owned));
            self.next = (life, 0);
            return;
        }
        let mut words = event.data.split(' ');
        let mut number =
            || words.next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
        let (of, number) = (number(), number());
        assert_eq!(of, life, "an event of another life");
        let ends = event.last_event_id.rsplit('.').next();
        assert_eq!(ends, Some(number.to_string().as_str()), "the id is its position");
        match self.told.take() {
            // What is kept begins with the event that was named as the oldest.
            Some(Some(oldest)) => assert_eq!(event.last_event_id, oldest),
            Some(None) => assert_eq!(number, 1, "nothing was kept, so it is the first"),
            None => assert_eq!(self.next, (of, number), "lost, repeated or out of order"),
        }
        self.next = (of, number + 1);
    }
}
