//! The source of the program `serve`: ten thousand events, and those that are published.

use sse_conformance::suite::framework::Framework;
use sse_test_kit::wire::{End, Request, Response};

use crate::process::{Process, has_begun_alone};

pub(crate) async fn gets_a_long_replay_once_and_then_what_is_published(framework: &Framework) {
    let server = Process::start_with(framework.name, &[]).await;
    let mut client = get(&server, "0").await;
    let mut seen = 0;
    while seen < 10_000 {
        let Ok(event) = client.event_or_end().await else {
            // A replay may be longer than what is remembered of it: the client comes back for the rest.
            let last_event_id = client.last_event_id().to_owned();
            assert_ne!(last_event_id, "", "each response brings it further");
            client = get(&server, &last_event_id).await;
            continue;
        };
        seen += 1;
        let number = seen.to_string();
        assert_eq!((&event.data, &event.last_event_id), (&number, &number));
    }
    // Published events may come to an open stream, or after a replay that was the whole of a response.
    assert_eq!(publish(&server).await, "10001");
    let event = match client.event_or_end().await {
        Ok(event) => event,
        Err(_) => get(&server, "10000").await.next_event().await,
    };
    assert_eq!(event.data, "10001");
}

pub(crate) async fn resumes_in_the_middle_of_a_source(framework: &Framework) {
    let server = Process::start_with(framework.name, &[]).await;
    let mut client = get(&server, "5000").await;
    // Its first event says that it is subscribed.
    assert_eq!(texts(&mut client, 1).await, ["5001"]);
    assert_eq!(publish(&server).await, "10001");
    assert_eq!(publish(&server).await, "10002");
    let expected: Vec<String> = (5002..=10_002).map(|number| number.to_string()).collect();
    assert_eq!(texts(&mut client, expected.len()).await, expected);
}

pub(crate) async fn tells_of_a_gap_if_an_id_is_outside_of_a_source(framework: &Framework) {
    let server = Process::start_with(framework.name, &[]).await;
    for id in ["99999", "007", "of another server"] {
        let mut client = get(&server, id).await;
        let reset = client.next_event().await;
        assert_eq!((reset.event_type.as_str(), reset.last_event_id.as_str()), ("reset", ""));
        let newest = publish(&server).await;
        assert_eq!(texts(&mut client, 1).await, [newest], "then it goes on live");
    }
}

pub(crate) async fn ends_a_response_whose_fetch_fails_and_makes_the_next_one_whole(
    framework: &Framework,
) {
    let server = Process::start_with(framework.name, &[]).await;
    assert_eq!(Request::post("/fail/source", "").send(server.address).await.status, 200);
    let mut failing = get(&server, "9999").await;
    assert_eq!(failing.status, 200);
    assert_eq!(failing.end().await, End::Clean);
    has_begun_alone(failing.bytes());
    let mut next = get(&server, "9999").await;
    assert_eq!(texts(&mut next, 1).await, ["10000"]);
}

async fn publish(server: &Process) -> String {
    let mut answer = Request::post("/publish/source", "").send(server.address).await;
    assert_eq!(answer.end().await, End::Clean);
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.bytes().to_vec()).expect("UTF-8")
}

async fn get(server: &Process, last_event_id: &str) -> Response {
    Request::get("/source").header("Last-Event-ID", last_event_id).send(server.address).await
}

/// The data of the next so many events.
async fn texts(client: &mut Response, count: usize) -> Vec<String> {
    client.events(count).await.into_iter().map(|event| event.data).collect()
}
