//! The options of the program `serve`.

use sse_conformance::suite::framework::Framework;
use sse_test_kit::wire::{End, Request, Response};

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
