//! A client that was away gets what it missed.

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{Event, EventLog};
use sse_test_kit::wire::Request;

pub(crate) async fn sends_what_was_missed_in_few_writes(framework: &Framework) {
    let log = EventLog::in_memory(1000);
    let (events, start) = (log.clone(), log.stats().newest);
    let app = App::new(ServerOptions::default()).stream("events", move |_| events.feed());
    let server = framework.start(app);
    for _ in 0..1000 {
        log.append(Event::new("x".repeat(100))).await.expect("a small event");
    }
    let request = Request::get("/events").header("Last-Event-ID", start.as_str());
    let mut client = request.send(server.address).await;
    client.events(1000).await;
    let writes = client.chunks().len();
    assert!(writes <= 25, "{writes} for {} bytes", client.bytes().len());
}
