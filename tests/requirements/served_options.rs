//! The options of the program `serve`.

use sse_conformance::suite::framework::Framework;
use sse_test_kit::eventually::eventually_asked;
use sse_test_kit::wire::{End, PATIENCE, Request, Response};

use crate::process::{Process, has_begun_alone};

pub(crate) async fn keeps_as_many_events_as_the_program_is_told(framework: &Framework) {
    let server = Process::start_with(framework.name, &["--events", "10"]).await;
    let mut ids = Vec::new();
    for number in 1..=12 {
        ids.push(post(&server, "/publish", &number.to_string()).await);
        post(&server, "/publish/b", &number.to_string()).await;
    }
    let mut client = get(&server, "/events", &ids[1]).await;
    assert_eq!(client.next_event().await.data, "3", "the event after it is the oldest one");
    let mut client = get(&server, "/events", &ids[0]).await;
    assert_eq!(client.next_event().await.event_type, "reset");
    let kept: Vec<String> = (3..=12).map(|number| number.to_string()).collect();
    assert_eq!(texts(&mut client, 10).await, kept);
    let mut both = get(&server, "/merged?start=oldest", "").await;
    let mut seen = texts(&mut both, 20).await;
    seen.sort_by_key(|text| text.parse::<u64>().expect("a number"));
    let twice: Vec<String> = kept.iter().flat_map(|text| [text.clone(), text.clone()]).collect();
    assert_eq!(seen, twice);
}

/// A log over a store drops what is too much when it is opened.
pub(crate) async fn keeps_as_many_events_of_a_store_and_does_at_a_gap_as_the_program_is_told(
    framework: &Framework,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = format!("redb:{}", folder.path().join("events").display());
    let start = async |gap| {
        let arguments = ["--store", &store, "--events", "10", "--gap", gap];
        Process::start_with(framework.name, &arguments).await
    };
    let mut ids = Vec::new();
    let server = start("reset").await;
    for number in 1..=12 {
        ids.push(post(&server, "/publish", &number.to_string()).await);
    }
    drop(server); // which kills it

    let server = start("reset").await;
    let first_event = async || get(&server, "/events", &ids[0]).await.next_event().await;
    let is_dropped = async || first_event().await.event_type == "reset";
    eventually_asked(PATIENCE, "the first two are dropped", is_dropped).await;
    let mut client = get(&server, "/events", "nonsense").await;
    assert_eq!(client.next_event().await.event_type, "reset");
    let kept: Vec<String> = (3..=12).map(|number| number.to_string()).collect();
    assert_eq!(texts(&mut client, 10).await, kept);
    drop(server);

    let server = start("stop").await;
    assert_eq!(get(&server, "/events", &ids[0]).await.status, 204);
    assert_eq!(get(&server, "/events", "nonsense").await.status, 204);
    drop(server);

    let server = start("live").await;
    let mut client = get(&server, "/events", "nonsense").await;
    client.read_until(|body| body.starts_with(b": ok\n")).await;
    post(&server, "/publish", "after").await;
    assert_eq!(client.next_event().await.data, "after");
}

pub(crate) async fn ends_at_a_gap_if_the_program_is_told_to_stop(framework: &Framework) {
    let server = Process::start_with(framework.name, &["--gap", "stop"]).await;
    for path in ["/events", "/merged"] {
        assert_eq!(get(&server, path, "nonsense").await.status, 204, "{path}");
    }
    // It is the fetch that tells of it, when the response has begun.
    let mut client = get(&server, "/source", "99999").await;
    assert_eq!((client.status, client.end().await), (200, End::Clean));
    has_begun_alone(client.bytes());
}

pub(crate) async fn goes_on_live_after_a_gap_if_the_program_is_told_so(framework: &Framework) {
    let arguments = ["--gap", "live", "--keep-alive-ms", "50"];
    let server = Process::start_with(framework.name, &arguments).await;
    for publish in ["/publish", "/publish/b", "/publish/source"] {
        post(&server, publish, "before").await;
    }
    for (path, publish) in
        [("/events", "/publish"), ("/merged", "/publish/b"), ("/source", "/publish/source")]
    {
        let mut client = get(&server, path, "nonsense").await;
        // It is silent only once it waits for what comes.
        client.read_until(|body| keep_alives(body) > 0).await;
        let id = post(&server, publish, "after").await;
        let event = client.next_event().await;
        let expected = if path == "/source" { id.as_str() } else { "after" };
        assert_eq!(event.data, expected, "{path}");
    }
}

pub(crate) async fn keeps_alive_as_often_as_the_program_is_told(framework: &Framework) {
    let server = Process::start_with(framework.name, &["--keep-alive-ms", "50"]).await;
    for path in ["/events", "/merged", "/source", "/idle"] {
        let mut client = get(&server, path, "").await;
        client.read_until(|body| keep_alives(body) >= 3).await;
    }
}

fn keep_alives(body: &[u8]) -> usize {
    String::from_utf8_lossy(body).lines().filter(|line| *line == ": keep-alive").count()
}

async fn post(server: &Process, path: &str, text: &str) -> String {
    let mut answer = Request::post(path, text).send(server.address).await;
    assert_eq!(answer.end().await, End::Clean);
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.bytes().to_vec()).expect("UTF-8")
}

async fn get(server: &Process, path: &str, last_event_id: &str) -> Response {
    Request::get(path).header("Last-Event-ID", last_event_id).send(server.address).await
}

/// The data of the next so many events.
async fn texts(client: &mut Response, count: usize) -> Vec<String> {
    client.events(count).await.into_iter().map(|event| event.data).collect()
}
