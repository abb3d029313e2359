//! The storm of topics: each client asks for a random set of many topics, and for another whenever it was cut off.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sse_conformance::adapters::AXUM;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::store_engine::Engine;
use sse_core::{Event, EventLog, Follower, LogOptions, NewEvent, Start, StoreOptions, Timer};
use sse_test_kit::lines::{Cuts, CuttingProxy};
use sse_test_kit::parser::Parsed;
use sse_test_kit::wire::{Request, Response};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::publisher::{publish, text};
use crate::stores::serve;
use crate::storm::TURN;

const CLIENTS: u64 = 200;
const TOPICS: u64 = 1000;
const EVENTS: u64 = 3000;
/// The most topics of a client.
const ASKED: usize = 50;
const FEWEST_CUTS: usize = 500;
const FEWEST_POSITIONS: usize = 500;
/// Shorter than the time between two events of a client, so that it is told positions.
const KEEP_ALIVE: Duration = Duration::from_millis(10);
/// The most time that a client takes for all.
const MINUTE: Duration = Duration::from_secs(60);

/// The numbers of the events, by their ids: a client that is told a position has all up to that event.
#[derive(Debug, Clone, Default)]
struct Numbers(watch::Sender<HashMap<String, u64>>);

impl Numbers {
    fn add(&self, id: &str, number: u64) {
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
fn topics_of(number: u64) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(number);
    let count = [0, 1, 1, 1, 1, 1, 1, 3, 3, 3][random.usize(..10)];
    (0..count).map(|_| random.u64(..TOPICS)).collect()
}

fn event(number: u64) -> NewEvent {
    let event = NewEvent::from(Event::new(text(number)));
    topics_of(number)
        .into_iter()
        .fold(event, |event, topic| event.topic(format!("t{topic}")).expect("a topic"))
}

/// A client, and what it has.
struct Client {
    name: u64,
    random: fastrand::Rng,
    numbers: Numbers,
    asked: BTreeSet<u64>,
    /// It has all of what it asked for up to this event.
    at: u64,
    last_event_id: String,
    events: usize,
    positions: usize,
    connections: usize,
}

impl Client {
    fn new(name: u64, numbers: Numbers, last_event_id: String) -> Self {
        let random = fastrand::Rng::with_seed(name);
        let asked = BTreeSet::new();
        let (at, events, positions, connections) = (0, 0, 0, 0);
        Self { name, random, numbers, asked, at, last_event_id, events, positions, connections }
    }

    /// Comes back until it has all.
    async fn run(mut self, proxies: Vec<SocketAddr>) -> Self {
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
        (self.at + 1..=EVENTS).find(|number| {
            let topics = topics_of(*number);
            topics.is_empty() || topics.iter().any(|topic| self.asked.contains(topic))
        })
    }
}

/// Lets the clients come, publishes, and waits until each has all.
async fn storm(
    what: &str,
    servers: &[SocketAddr],
    numbers: Numbers,
    start: String,
    append: impl AsyncFnMut(u64),
) {
    let begun = Instant::now();
    let mut proxies = Vec::new();
    for (seed, server) in (1..).zip(servers) {
        // The head of the response is among the bytes.
        let cuts = Cuts { seed, bytes: 0..4000, rst_share: 0.5, limit: usize::MAX };
        proxies.push(CuttingProxy::start(*server, cuts).await);
    }
    let addresses: Vec<_> = proxies.iter().map(CuttingProxy::addr).collect();
    let mut clients = JoinSet::new();
    for name in 0..CLIENTS {
        clients.spawn(Client::new(name, numbers.clone(), start.clone()).run(addresses.clone()));
    }
    publish(EVENTS, append).await;
    let (mut events, mut positions, mut connections) = (0, 0, 0);
    while let Some(client) = clients.join_next().await {
        let client = client.expect("each of its events once and in order, and no other");
        events += client.events;
        positions += client.positions;
        connections += client.connections;
    }
    let cuts: usize = proxies.iter().map(CuttingProxy::cuts).sum();
    println!(
        "{what}: {CLIENTS} clients of {TOPICS} topics, {EVENTS} events, {events} received and {positions} positions, {cuts} cuts, {connections} \
         connections, received after {:.1?}",
        begun.elapsed()
    );
    assert!(cuts >= FEWEST_CUTS, "only {cuts} cuts");
    assert!(positions >= FEWEST_POSITIONS, "only {positions} positions");
}

pub(crate) async fn gets_the_events_of_its_topics_once_and_in_order_whatever_it_asks_for_next(
    framework: &Framework,
) {
    let log = EventLog::in_memory(LogOptions::new().events(10_000));
    storm_of(framework, framework.name, log).await;
}

/// The same over a store of this process.
pub(crate) async fn storm_in_a_process(engine: &dyn Engine) {
    let (log, follower) = open(engine).await;
    let following = tokio::spawn(follower);
    storm_of(&AXUM, &engine.url(), log).await;
    following.abort();
}

async fn storm_of(framework: &Framework, what: &str, log: EventLog) {
    let _turn = TURN.lock().await;
    let (numbers, start) = (Numbers::default(), log.stats().newest.to_string());
    let of = log.clone();
    let app = App::new(ServerOptions::default()).stream("events", move |call| {
        let query = call.query.unwrap_or_default();
        let topics: Vec<_> =
            query.split('&').filter_map(|pair| pair.strip_prefix("topic=")).collect();
        of.topics(&topics[..]).expect("topics").start_at(Start::Oldest).keep_alive(KEEP_ALIVE)
    });
    let server = framework.start(app);
    let known = numbers.clone();
    storm(what, &[server.address], numbers, start, async |number| {
        let id = log.append(event(number)).await.expect("accepted");
        known.add(id.as_str(), number);
    })
    .await;
}

/// Opens a log whose tail is small, so that the store is asked.
async fn open(engine: &dyn Engine) -> (EventLog, Follower) {
    let options = StoreOptions::new().tail_events(100);
    let store = engine.open("events", options.clone()).await.expect("the engine runs");
    let timer = Timer::new(Instant::now, tokio::time::sleep);
    EventLog::open(store, options, timer).await.expect("the engine runs")
}

/// The same over a store that is a server: two processes serve the log, and a third appends to it.
pub(crate) async fn storm_over(engine: &dyn Engine) {
    let _turn = TURN.lock().await;
    let (log, follower) = open(engine).await;
    let following = tokio::spawn(follower);
    let keep_alive = KEEP_ALIVE.as_millis().to_string();
    let arguments = ["--keep-alive-ms", &keep_alive, "--tail-events", "100"];
    let mut processes = Vec::new();
    for _ in 0..2 {
        processes.push(serve("axum", &engine.url(), &arguments).await);
    }
    let servers: Vec<_> = processes.iter().map(|process| process.address).collect();
    let (numbers, start) = (Numbers::default(), log.stats().newest.to_string());
    let known = numbers.clone();
    storm(&engine.url(), &servers, numbers, start, async |number| {
        let id = log.append(event(number)).await.expect("stored");
        known.add(id.as_str(), number);
    })
    .await;
    following.abort();
}
