//! The end of a log, as its clients see it.

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{Event, Start};
use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::{End, PATIENCE, Request};

use crate::response::{app, log};

pub(crate) async fn ends_for_good_once_the_log_is_finished(framework: &Framework) {
    let log = log();
    let server = framework.start(app(&log, ServerOptions::default()));
    let mut response = Request::get("/events").send(server.address).await;
    eventually(PATIENCE, "it is reading", || log.stats().open_streams == 1).await;
    let last = log.append(Event::new("last")).await.expect("a short event is accepted");
    log.finish().await.expect("nothing fails in memory");
    assert_eq!(response.next_event().await.data, "last");
    assert_eq!(response.end().await, End::Clean);
    let again = Request::get("/events").header("Last-Event-ID", last.as_str());
    assert_eq!(again.send(server.address).await.status, 204, "or a browser would ask for ever");
}

/// A client that waits, and one that is slow to read: each gets all of them, and then the end.
pub(crate) async fn ends_for_good_after_the_last_events_of_a_log(framework: &Framework) {
    let log = log();
    let server = framework.start(app(&log, ServerOptions::default()));
    let mut responses = Vec::new();
    for _ in 0..2 {
        responses.push(Request::get("/events").send(server.address).await);
    }
    eventually(PATIENCE, "they are reading", || log.stats().open_streams == 2).await;
    let large = "x".repeat(200_000);
    let last = ["100 %", &large, "done"];
    let ids = log.finish_with(last.map(Event::new)).await.expect("accepted");
    for response in &mut responses {
        for (text, id) in last.iter().zip(&ids) {
            let event = response.next_event().await;
            assert_eq!((event.data.as_str(), event.last_event_id.as_str()), (*text, id.as_str()));
        }
        assert_eq!(response.end().await, End::Clean);
    }
    let again = |id| Request::get("/events").header("Last-Event-ID", id);
    let mut behind = again(ids[1].as_str()).send(server.address).await;
    assert_eq!(behind.next_event().await.data, "done");
    assert_eq!(behind.end().await, End::Clean);
    assert_eq!(again(ids[2].as_str()).send(server.address).await.status, 204);
}

pub(crate) async fn gives_a_first_visit_to_a_finished_log_its_events_and_then_the_end(
    framework: &Framework,
) {
    let log = log();
    let (oldest, live, whole) = (log.clone(), log.clone(), log.clone());
    let app = App::new(ServerOptions::default())
        .stream("oldest", move |_| oldest.feed().start_at(Start::Oldest))
        .stream("live", move |_| live.feed())
        .stream("whole", move |_| whole.feed().finished_first_visit(200));
    let server = framework.start(app);
    let last = log.append("one").await.expect("a short event is accepted");
    log.finish().await.expect("nothing fails in memory");
    let get = async |path: &str, id: &str| {
        Request::get(path).header("Last-Event-ID", id).send(server.address).await
    };
    let mut first = get("/oldest", "").await;
    assert_eq!((first.status, first.next_event().await.data.as_str()), (200, "one"));
    assert_eq!(first.end().await, End::Clean);
    assert_eq!(get("/live", "").await.status, 204);
    let mut whole = get("/whole", "").await;
    assert_eq!((whole.status, whole.end().await), (200, End::Clean));
    assert!(whole.bytes().starts_with(b": ok\n"));
    for path in ["/oldest", "/live", "/whole"] {
        assert_eq!(get(path, last.as_str()).await.status, 204, "{path}");
    }
}
