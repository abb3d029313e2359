//! A handler that has a stream of its own: `Feed::from_stream`.

use std::io;
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, stream};
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{Event, EventId, Feed, OnGap};
use sse_test_kit::wire::{End, PATIENCE, Request};
use tokio::sync::mpsc;

pub(crate) async fn streams_what_the_handler_has_as_a_stream(framework: &Framework) {
    let app = App::new(ServerOptions::default())
        .stream("events", |_| {
            Feed::from_stream(stream::iter([Event::new("one"), Event::new("two")])).no_retry()
        })
        .stream("results", |_| {
            let failing = [Ok(Event::new("one")), Err(io::Error::other("the upstream died"))];
            Feed::from_stream(stream::iter(failing))
                .no_retry()
                .error_event(|_| Event::typed("failed", "no more"))
        });
    let server = framework.start(app);
    for (path, frames) in [
        ("/events", ": ok\ndata: one\n\ndata: two\n\n"),
        ("/results", ": ok\ndata: one\n\nevent: failed\ndata: no more\n\n"),
    ] {
        let mut response = Request::get(path).send(server.address).await;
        assert_eq!(response.end().await, End::Clean, "{path}");
        assert_eq!(String::from_utf8_lossy(response.bytes()), frames);
    }
}

pub(crate) async fn tells_of_a_gap_if_a_client_of_a_stream_comes_back(framework: &Framework) {
    let events = || {
        let event = Event::new("live").id(EventId::from_static("8"));
        Feed::from_stream(stream::iter([event]))
    };
    let app = App::new(ServerOptions::default())
        .stream("told", move |_| events())
        .stream("silent", move |_| events().on_gap(OnGap::Live));
    let server = framework.start(app);
    for (path, types) in [("/told", &["reset", "message"][..]), ("/silent", &["message"][..])] {
        let request = Request::get(path).header("Last-Event-ID", "7");
        let mut response = request.send(server.address).await;
        let events = response.events(types.len()).await;
        let seen: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(seen, types, "{path}");
    }
}

pub(crate) async fn drops_the_stream_of_a_handler_when_its_client_leaves(framework: &Framework) {
    let (sender, receiver) = mpsc::channel::<Event>(1);
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let keep_alive = framework.closes.keep_alive;
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        let receiver = receiver.lock().expect("no test panics here").take();
        let receiver = receiver.expect("one client comes");
        let events = stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|event| (event, receiver))
        });
        Feed::from_stream(events.boxed()).keep_alive(keep_alive)
    });
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    sender.send(Event::new("one")).await.expect("the stream is read");
    assert_eq!(response.next_event().await.data, "one");
    drop(response);
    tokio::time::timeout(PATIENCE, sender.closed()).await.expect("the stream is dropped");
}
