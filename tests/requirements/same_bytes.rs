//! The frameworks beside one another.

use std::time::Duration;

use sse_conformance::adapters;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_core::{Event, EventLog};
use sse_test_kit::wire::Request;

#[test]
fn the_same_feed_gives_the_same_bytes_in_every_framework() {
    crate::frameworks::run(async {
        let log = EventLog::in_memory(100);
        let first = log.append(Event::new("before")).await.expect("a short event is accepted");
        let long = Event::typed("t", "long ".repeat(50_000));
        log.append(long).await.expect("an event below 1 MiB is accepted");
        let lines = Event::new("two\r\nlines, \u{2028} and \u{1F600}").comment("a comment");
        log.append(lines.retry(Duration::from_millis(50))).await.expect("it is accepted");

        let mut bodies = Vec::new();
        for framework in adapters::all() {
            let events = log.clone();
            let server =
                framework.start(App::new(ServerOptions::default()).stream("events", move |_| {
                    events.feed().no_retry().keep_alive(Duration::from_millis(200))
                }));
            for id in [first.as_str(), "nonsense"] {
                let request = Request::get("/events").header("Last-Event-ID", id);
                let mut response = request.send(server.address).await;
                response.read_until(|bytes| bytes.ends_with(b": keep-alive\n")).await;
                bodies.push(response.bytes().to_owned());
            }
        }
        for pair in bodies.chunks(2) {
            assert!(pair == &bodies[..2], "one framework sends other bytes than axum");
        }
        assert!(bodies[0].len() > 250_000);
    });
}
