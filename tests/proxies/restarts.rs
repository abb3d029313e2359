//! After every restart a client that comes back gets what it missed.

use std::time::Duration;

use serde_json::json;
use sse_test_kit::browser::Chromium;
use sse_test_kit::eventually::{eventually, eventually_asked, eventually_some};
use sse_test_kit::reverse_proxies::ReverseProxy;
use sse_test_kit::wire::{Request, Response};

use crate::site::{RETRY, Site};

/// Comes back with the last id, as browsers do: after a while, and never again after any other status than 200.
async fn come_back(site: &Site, last_event_id: &str) -> Response {
    let request = Request::get("/events").header("Last-Event-ID", last_event_id);
    let response = request.send(site.proxy.http).await;
    assert_eq!(response.status, 200, "EventSource would give up");
    assert_eq!(response.header("Content-Type"), Some("text/event-stream; charset=utf-8"));
    response
}

pub(crate) async fn resumes_through_its_restart(proxy: &ReverseProxy) {
    let mut site = Site::start(proxy);
    let mut stream = Request::get("/events").send(site.proxy.http).await;
    stream.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    site.append("1").await;
    assert_eq!(stream.next_event().await.data, "1");

    site.proxy.stop();
    stream.end().await;
    site.append("2").await;
    site.append("3").await;
    eventually(Duration::from_secs(5), "the application knows", || site.streams() == 0).await;
    site.proxy.start();

    let mut resumed = come_back(&site, stream.last_event_id()).await;
    site.append("4").await;
    let data: Vec<_> = resumed.events(3).await.into_iter().map(|event| event.data).collect();
    assert_eq!(data, ["2", "3", "4"]);
}

pub(crate) async fn resumes_through_a_restart_of_the_application(proxy: &ReverseProxy) {
    let mut site = Site::start(proxy);
    let mut stream = Request::get("/events").send(site.proxy.http).await;
    stream.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    site.append("1").await;
    assert_eq!(stream.next_event().await.data, "1");

    site.stop_server();
    stream.end().await;
    let id = stream.last_event_id().to_owned();
    site.append("2").await;

    // The client comes back before the application does. It is told to come again, or waits.
    let address = site.proxy.http;
    let waiting = async {
        let mut pace = tokio::time::interval(RETRY);
        eventually_some(Duration::from_secs(10), "the client has its event", async || {
            pace.tick().await;
            let request = Request::get("/events").header("Last-Event-ID", &id);
            let mut response = request.send(address).await;
            assert_eq!(response.status, 200, "EventSource would give up");
            // The proxy's own answer, while the application is away, or the application's.
            let content_type = response.header("Content-Type").expect("it has one");
            assert!(content_type.starts_with("text/event-stream"), "{content_type}");
            response.event_or_end().await.ok().map(|event| event.data)
        })
        .await
    };
    let away = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        site.start_server();
    };
    let (data, ()) = tokio::join!(waiting, away);
    assert_eq!(data, "2");
}

pub(crate) async fn never_says_of_a_message_that_is_lost_that_it_was_taken(proxy: &ReverseProxy) {
    let mut site = Site::start(proxy);
    let address = site.proxy.http;
    let say = move |text: &'static str| async move {
        let mut answer = Request::post("/events", text).send(address).await;
        answer.end().await;
        (answer.status, String::from_utf8_lossy(answer.bytes()).into_owned())
    };
    let before = site.log.stats().newest;
    assert_eq!(say("while it is there").await.0, 200);

    site.stop_server();
    let sent = tokio::spawn(say("while it is away"));
    tokio::time::sleep(Duration::from_millis(700)).await; // while it is away
    site.start_server();
    let (status, answer) = sent.await.expect("it is answered");
    let appended = site.log.read_after(&before, 10).await.expect("nothing was trimmed");
    let taken = appended.iter().any(|frame| {
        let event = frame.to_event();
        event.data.as_deref() == Some("while it is away")
            && event.id.is_some_and(|id| id.as_str() == answer)
    });
    assert_eq!(status == 200, taken, "{status}: {answer}");
    assert!(taken || status >= 500, "{status}: an error that says so");
}

pub(crate) async fn brings_chromium_back_through_a_restart_of_the_application(
    proxy: &ReverseProxy,
) {
    let mut site = Site::start(proxy);
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/page", site.proxy.http)).await;
    let script = "window.events = []; window.source = new EventSource('/events');
        source.onmessage = (event) => events.push(event.data)";
    chromium.execute(script, json!([])).await;
    eventually(Duration::from_secs(5), "the page listens", || site.streams() == 1).await;
    site.append("1").await;
    until_seen(&chromium, &["1"]).await;

    site.stop_server();
    site.append("2").await;
    tokio::time::sleep(RETRY * 3).await; // until it has asked in vain
    site.start_server();
    until_seen(&chromium, &["1", "2"]).await;
    site.append("3").await;
    until_seen(&chromium, &["1", "2", "3"]).await;
}

async fn until_seen(chromium: &Chromium, wanted: &[&str]) {
    let what = format!("the page has seen {wanted:?}");
    eventually_asked(Duration::from_secs(10), &what, async || {
        let seen = chromium.execute("return [events, source.readyState]", json!([])).await;
        assert!(seen[1] != 2 || seen[0] == json!(wanted), "EventSource gave up after {seen}");
        seen[0] == json!(wanted)
    })
    .await;
}
