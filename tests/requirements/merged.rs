//! Two logs as one stream, as the program `serve` has them.

use sse_conformance::suite::framework::Framework;
use sse_test_kit::wire::Request;

use crate::process::Process;

pub(crate) async fn resumes_two_logs_by_one_id(framework: &Framework) {
    let server = Process::start(framework.name).await;
    let publish = async |path: &str, text: &str| {
        assert_eq!(Request::post(path, text).send(server.address).await.status, 200);
    };
    publish("/publish", "a1").await;
    publish("/publish/b", "b1").await;
    let mut client = Request::get("/merged?start=oldest").send(server.address).await;
    let mut seen: Vec<String> =
        client.events(2).await.into_iter().map(|event| event.data).collect();
    let last_event_id = client.last_event_id().to_owned();
    client.leave_rst();
    publish("/publish", "a2").await;
    publish("/publish/b", "b2").await;
    let request = Request::get("/merged").header("Last-Event-ID", &last_event_id);
    let mut client = request.send(server.address).await;
    seen.extend(client.events(2).await.into_iter().map(|event| event.data));
    seen.sort();
    assert_eq!(seen, ["a1", "a2", "b1", "b2"]);
}
