//! Streams of topics.

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::server::Server;
use sse_core::{Event, EventId, EventLog, Start, TopicSet};
use sse_test_kit::parser::Parsed;
use sse_test_kit::wire::{Request, Response};

use crate::process::Process;

/// A server that streams one user's topics at `/mine`, and all events at `/all`.
fn serve(framework: &Framework, log: &EventLog, mine: &TopicSet) -> Server {
    let feed = log.topics(mine).expect("in memory");
    let (opened, all) = (feed.clone().start_at(Start::Oldest), log.feed().start_at(Start::Oldest));
    let quick = feed.clone().keep_alive(std::time::Duration::from_millis(50));
    let app = App::new(ServerOptions::default())
        .stream("mine", move |_| feed.clone())
        .stream("opened", move |_| opened.clone())
        .stream("quick", move |_| quick.clone())
        .stream("all", move |_| all.clone());
    framework.start(app)
}

async fn append(log: &EventLog, data: &str, topic: &str) -> EventId {
    let event = Event::new(data).topic(topic).expect("a topic");
    log.append(event).await.expect("a short event is accepted")
}

fn data(events: &[Parsed]) -> Vec<&str> {
    events.iter().map(|event| event.data.as_str()).collect()
}

async fn get(server: &Server, path: &str, last_event_id: &str) -> Response {
    Request::get(path).header("Last-Event-ID", last_event_id).send(server.address).await
}

pub(crate) async fn gives_a_stream_the_events_of_its_topics_and_resumes_it(framework: &Framework) {
    let (log, mine) = (EventLog::in_memory(100), TopicSet::new(["user/7"]).expect("a topic"));
    let server = serve(framework, &log, &mine);
    append(&log, "1", "user/7").await;
    append(&log, "another's", "user/8").await;
    log.append("for all").await.expect("a short event is accepted");
    let mut client = get(&server, "/opened", "").await;
    let seen = client.events(2).await;
    assert_eq!(data(&seen), ["1", "for all"]);
    drop(client);
    append(&log, "another's", "user/8").await;
    append(&log, "2", "user/7").await;
    let mut client = get(&server, "/mine", &seen[0].last_event_id).await;
    assert_eq!(data(&client.events(2).await), ["for all", "2"]);
    append(&log, "another's", "user/8").await;
    append(&log, "3", "user/7").await;
    assert_eq!(client.next_event().await.data, "3");
    let mut all = get(&server, "/all", "").await;
    assert_eq!(all.events(7).await.len(), 7);
}

pub(crate) async fn changes_the_topics_of_open_streams(framework: &Framework) {
    let (log, mine) = (EventLog::in_memory(100), TopicSet::new(["user/7"]).expect("a topic"));
    let server = serve(framework, &log, &mine);
    let mut tabs = [get(&server, "/mine", "").await, get(&server, "/mine", "").await];
    for tab in &mut tabs {
        tab.read_until(|body| body.starts_with(b": ok")).await;
    }
    append(&log, "before", "room/42").await;
    append(&log, "mine", "user/7").await;
    for tab in &mut tabs {
        assert_eq!(tab.next_event().await.data, "mine");
    }
    mine.add("room/42", Start::Live).expect("a topic");
    append(&log, "in the room", "room/42").await;
    mine.remove("user/7");
    append(&log, "no longer", "user/7").await;
    append(&log, "still", "room/42").await;
    for tab in &mut tabs {
        assert_eq!(data(&tab.events(2).await), ["in the room", "still"]);
    }
}

pub(crate) async fn tells_a_quiet_client_its_position(framework: &Framework) {
    let (log, mine) = (EventLog::in_memory(3), TopicSet::new(["user/7"]).expect("a topic"));
    let server = serve(framework, &log, &mine);
    let first = append(&log, "mine", "user/7").await;
    let mut client = get(&server, "/quick", first.as_str()).await;
    let mut newest = first;
    for number in 0..10 {
        newest = append(&log, &number.to_string(), "user/8").await;
    }
    let told = client.next_event().await;
    assert_eq!((told.event_type.as_str(), told.data.as_str()), ("position", ""));
    drop(client);
    let mut client = get(&server, "/mine", newest.as_str()).await;
    append(&log, "next", "user/7").await;
    assert_eq!(client.next_event().await.data, "next", "there is no gap");
}

pub(crate) async fn streams_the_topics_that_the_program_is_asked_for(framework: &Framework) {
    let server = Process::start_with(framework.name, &[]).await;
    let post = async |path: &str, body: &str| {
        let mut answer = Request::post(path, body).send(server.address).await;
        answer.end().await;
        (answer.status, String::from_utf8_lossy(answer.bytes()).into_owned())
    };
    let (_, first) = post("/publish?topic=a&topic=c", "1").await;
    post("/publish?topic=b", "another's").await;
    let json = r#"{"data": "2", "topics": ["c", "\u00e9 /"], "key": "k"}"#;
    assert_eq!(post("/event", json).await.0, 200);
    post("/publish", "3").await;
    for (query, expected) in [
        ("topic=a&topic=c", vec!["1", "2", "3"]),
        ("topic=%C3%A9+%2F", vec!["2", "3"]),
        ("topic=nobody's", vec!["3"]),
    ] {
        let path = format!("/events?start=oldest&{query}");
        let mut client = Request::get(&path).send(server.address).await;
        assert_eq!(data(&client.events(expected.len()).await), expected, "{query}");
    }
    let mut client = Request::get("/topics").send(server.address).await;
    client.end().await;
    let counts: serde_json::Value =
        serde_json::from_slice(client.bytes()).expect("the counts are JSON");
    assert_eq!(counts["c"]["events"], 2);
    for path in ["/publish?topic=", "/publish?topic=%00"] {
        assert_eq!(post(path, "x").await.0, 422, "{path}");
    }
    let refused = Request::get("/events?topic=%0A").send(server.address).await;
    assert_eq!(refused.status, 422);
    assert_eq!(post(&format!("/delete?id={first}"), "").await.0, 204);
    assert_eq!(post(&format!("/delete?id={first}"), "").await.0, 404);
    let mut client = Request::get("/events?start=oldest&topic=a").send(server.address).await;
    assert_eq!(client.next_event().await.data, "3");
}
