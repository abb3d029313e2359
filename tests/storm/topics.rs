//! The storm of topics: each client asks for a random set of many topics, and for another whenever it was cut off.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sse_conformance::adapters::AXUM;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::store_engine::Engine;
use sse_core::{Event, EventLog, Follower, LogOptions, NewEvent, Start, StoreOptions, Timer};
use sse_test_kit::lines::{Cuts, CuttingProxy};
use tokio::task::JoinSet;

use crate::publisher::{publish, text};
use crate::stores::serve;
use crate::storm::TURN;

mod client;

use client::{Client, Numbers, TOPICS, topics_of};

const CLIENTS: u64 = 200;
/// The number of events in this process, and over a server, to which each is a call of its own.
const EVENTS: [u64; 2] = [3000, 1000];
const FEWEST_CUTS: usize = 500;
/// A busy machine has fewer silences, after which a position is told.
const FEWEST_POSITIONS: usize = 50;
/// Shorter than the time between two events of a client, so that it is told positions.
const KEEP_ALIVE: Duration = Duration::from_millis(10);

fn event(number: u64) -> NewEvent {
    let event = NewEvent::from(Event::new(text(number)));
    topics_of(number)
        .into_iter()
        .fold(event, |event, topic| event.topic(format!("t{topic}")).expect("a topic"))
}

/// Lets the clients come, publishes, and waits until each has all.
async fn storm(
    what: &str,
    servers: &[SocketAddr],
    count: u64,
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
        clients
            .spawn(Client::new(name, count, numbers.clone(), start.clone()).run(addresses.clone()));
    }
    publish(count, append).await;
    let (mut events, mut positions, mut connections) = (0, 0, 0);
    while let Some(client) = clients.join_next().await {
        let client = client.expect("each of its events once and in order, and no other");
        events += client.events;
        positions += client.positions;
        connections += client.connections;
    }
    let cuts: usize = proxies.iter().map(CuttingProxy::cuts).sum();
    println!(
        "{what}: {CLIENTS} clients of {TOPICS} topics, {count} events, {events} received and {positions} positions, {cuts} cuts, {connections} \
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
    storm(what, &[server.address], EVENTS[0], numbers, start, async |number| {
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
    storm(&engine.url(), &servers, EVENTS[1], numbers, start, async |number| {
        let id = log.append(event(number)).await.expect("stored");
        known.add(id.as_str(), number);
    })
    .await;
    following.abort();
}
