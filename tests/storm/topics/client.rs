//! A client of topics that comes back whenever it is cut off, and asks for others each time.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sse_test_kit::parser::Parsed;
use sse_test_kit::wire::{Request, Response};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::publisher::text;

pub(super) const TOPICS: u64 = 1000;
/// The most topics of a client.
const ASKED: usize = 50;
/// The most time that a client takes for all.
const MINUTE: Duration = Duration::from_secs(60);

/// The numbers of the events, by their ids: a client that is told a position has all up to that event.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(watch::Sender<HashMap<String, u64>>);

impl Numbers {
    pub(super) fn add(&self, id: &str, number: u64) {
        self.0.send_modify(|known| _ = known.insert(id.to_owned(), number));
    }

    /// An event may reach a client before its publisher has been told its id.
    async fn of(&self, id: &str) -> u64 {
        let mut numbers = self.0.subscribe();
        let known = timeout(MINUTE, numbers.wait_for(|known| known.contains_key(id))).await;
        known.expect("its publisher knows the id").expect("the sender is here")[id]
    }
}

/// Returns the topics of an event: none, one or three.
pub(super) fn topics_of(number: u64) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(number);
    let count = [0, 1, 1, 1, 1, 1, 1, 3, 3, 3][random.usize(..10)];
    (0..count).map(|_| random.u64(..TOPICS)).collect()
}

/// A client, and what it has.
pub(super) struct Client {
    name: u64,
    random: fastrand::Rng,
    numbers: Numbers,
    asked: BTreeSet<u64>,
    /// It has all of what it asked for up to this event.
    at: u64,
    last_event_id: String,
    pub(super) events: usize,
    pub(super) positions: usize,
    pub(super) connections: usize,
    /// The number of events that there will be.
    count: u64,
}

impl Client {
    pub(super) fn new(name: u64, count: u64, numbers: Numbers, last_event_id: String) -> Self {
        let random = fastrand::Rng::with_seed(name);
        let asked = BTreeSet::new();
        let (at, events, positions, connections) = (0, 0, 0, 0);
        Self {
            name,
            random,
            numbers,
            asked,
            at,
            last_event_id,
            events,
            positions,
            connections,
            count,
        }
    }

    /// Comes back until it has all.
    pub(super) async fn run(mut self, proxies: Vec<SocketAddr>) -> Self {
        let begun = Instant::now();
        while self.next().is_some() || self.connections == 0 {
            assert!(begun.elapsed() < MINUTE, "client {} is at {}", self.name, self.at);
            let count = self.random.usize(1..=ASKED);
            self.asked = (0..count).map(|_| self.random.u64(..TOPICS)).collect();
            let proxy = proxies[self.random.usize(..proxies.len())];
            self.connections += 1;
            let query: Vec<_> = self.asked.iter().map(|topic| format!("topic=t{topic}")).collect();
            let path = format!("/events?{}", query.join("&"));
            let request = Request::get(&path).header("Last-Event-ID", &self.last_event_id);
            if let Ok(response) = request.try_send(proxy).await {
                self.read(response).await;
            }
        }
        self
    }

    async fn read(&mut self, mut response: Response) {
        assert_eq!(response.status, 200, "client {}", self.name);
        while self.next().is_some()
            && let Ok(event) = response.event_or_end().await
        {
            self.take(&event).await;
        }
        // What had no data was not an event, and may yet have moved the id.
        let id = response.last_event_id();
        if !id.is_empty() && id != self.last_event_id {
            self.at = self.numbers.of(id).await;
            id.clone_into(&mut self.last_event_id);
        }
    }

    async fn take(&mut self, event: &Parsed) {
        event.last_event_id.clone_into(&mut self.last_event_id);
        let number = self.numbers.of(&self.last_event_id).await;
        if event.event_type == "position" {
            self.positions += 1;
            let left_out = self.next().filter(|next| *next <= number);
            assert_eq!(left_out, None, "client {} is told to be at {number}", self.name);
        } else {
            assert_eq!(event.event_type, "message", "client {}: {event:?}", self.name);
            assert_eq!(Some(number), self.next(), "client {} asks for {:?}", self.name, self.asked);
            assert_eq!(event.data, text(number), "client {}", self.name);
            self.events += 1;
        }
        self.at = number;
    }

    /// Returns the next event that it must get.
    fn next(&self) -> Option<u64> {
        (self.at + 1..=self.count).find(|number| {
            let topics = topics_of(*number);
            topics.is_empty() || topics.iter().any(|topic| self.asked.contains(topic))
        })
    }
}
