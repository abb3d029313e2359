//! A client that is alive and does not read costs little, delays nobody, and is cut off in the end.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{Event, EventLog};
use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::Request;

use crate::flood::Flood;
use crate::process::Process;

pub(crate) async fn delays_nobody_by_clients_that_do_not_read(framework: &Framework) {
    let log = EventLog::in_memory(1000);
    let events = log.clone();
    let app = App::new(ServerOptions::default()).stream("events", move |_| events.feed());
    let server = framework.start(app);
    let request = Request::get("/events").receive_buffer(4096);
    let stalled = join_all((0..10).map(|_| request.clone().send(server.address))).await;
    let mut reading = Request::get("/events").send(server.address).await;
    let mut longest = Duration::ZERO;
    for number in 0..160 {
        // 10 MiB in all, of which the stalled clients take less than half.
        let event = Event::new(format!("{number}\n{}", "x".repeat(64 * 1024)));
        let published = Instant::now();
        log.append(event).await.expect("less than 1 MiB");
        let event = reading.next_event().await;
        assert!(event.data.starts_with(&format!("{number}\n")));
        longest = longest.max(published.elapsed());
    }
    println!("{}: beside stalled clients: at most {longest:.1?} an event", framework.name);
    assert!(longest < Duration::from_secs(1), "an event took {longest:?}");
    drop(stalled);
}

pub(crate) async fn cuts_off_a_client_that_does_not_read_and_lets_it_resume(framework: &Framework) {
    let flood = Flood::default();
    let large = flood.clone();
    let stalled = Duration::from_secs(1);
    let app = App::new(ServerOptions { stalled, ..ServerOptions::default() })
        .stream("large", move |_| large.feed());
    let shutdown = app.shutdown.clone();
    let server = framework.start(app);
    let mut client = flood.stalled_clients(&server, 1).await.remove(0);
    assert_eq!(Flood::read(&mut client, 1..9).await, 9);
    let begun = Instant::now();
    let within = stalled * 2 + Duration::from_secs(2);
    eventually(within, "it is cut off", || shutdown.open_streams() == 0).await;
    println!("{}: stalled for {stalled:?}: cut off after {:.1?}", framework.name, begun.elapsed());
    assert!(begun.elapsed() >= stalled);

    let next = Flood::read(&mut client, 9..Flood::END).await;
    assert!(next < Flood::END, "its system had all");
    let back = Request::get("/large").header("Last-Event-ID", client.last_event_id());
    let mut back = back.send(server.address).await;
    assert_eq!(Flood::read(&mut back, next..Flood::END).await, Flood::END);
}

/// The memory that a server may hold for each client, in KiB, beside that of its system.
const HELD: u64 = 1024;

pub(crate) async fn holds_little_for_a_client_that_does_not_read(framework: &Framework) {
    const CLIENTS: u64 = 20;
    let process = Process::start(framework.name).await;
    process.publish(8).await; // what is kept for all has reached its size
    let before = process.memory();
    let request = Request::get("/events").receive_buffer(4096);
    let stalled = join_all((0..CLIENTS).map(|_| request.clone().send(process.address))).await;
    process.publish(8).await;
    let each = process.memory().saturating_sub(before) / CLIENTS;
    println!("{}: a stalled client: {each} KiB", framework.name);
    assert!(each <= HELD, "{each} KiB for each client, {before} KiB before");
    assert_eq!(process.subscribers().await, CLIENTS);
    drop(stalled);
}
