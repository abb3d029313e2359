//! The requests of clients, and the position at which each stream then goes on.
// Longer than other files: these requirements share a server and its log of five events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::server::Server;
use sse_core::{Event, EventId, EventLog, EventType, LogOptions, OnGap, Start, Timer};
use sse_test_kit::parser::Parsed;
use sse_test_kit::wire::{End, Request};

/// A server that streams a log, which keeps five events and has them.
async fn a_log_of_five(framework: &Framework) -> (Server, EventLog, Vec<EventId>) {
    let log = EventLog::in_memory(5);
    let ids = append(&log, 1..=5).await;
    (serve(framework, &log), log, ids)
}

fn serve(framework: &Framework, log: &EventLog) -> Server {
    let (events, opened, renamed) = (log.clone(), log.clone(), log.clone());
    let (history, polled, over) = (log.clone(), log.clone(), log.clone());
    let app = App::new(ServerOptions::default())
        .stream("events", move |_| events.feed())
        .stream("opened", move |_| opened.feed().position_event(EventType::from_static("opened")))
        .stream("history", move |_| history.feed().start_at(Start::Last(2)))
        .stream("over", move |_| over.feed().start_at(Start::Last(2)).on_gap(OnGap::StartOver))
        .stream("polled", move |_| polled.feed().poll_parameter("poll"))
        .stream("renamed", move |_| renamed.feed().last_event_id_parameter("since"));
    framework.start(app)
}

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u32>) -> Vec<EventId> {
    let mut ids = Vec::new();
    for number in numbers {
        let event = Event::new(number.to_string());
        ids.push(log.append(event).await.expect("a short event is accepted"));
    }
    ids
}

fn data(events: &[Parsed]) -> Vec<&str> {
    events.iter().map(|event| event.data.as_str()).collect()
}

pub(crate) async fn resumes_after_the_last_event_id_in_the_header(framework: &Framework) {
    let (server, log, ids) = a_log_of_five(framework).await;
    let request = Request::get("/events").header("Last-Event-ID", ids[2].as_str());
    let mut response = request.send(server.address).await;
    assert_eq!(data(&response.events(2).await), ["4", "5"]);
    append(&log, [6]).await;
    let live = response.next_event().await;
    assert_eq!(live.data, "6");
    assert_eq!(live.last_event_id, log.stats().newest.as_str());
}

pub(crate) async fn resumes_after_the_last_event_id_in_the_query(framework: &Framework) {
    let (server, _, ids) = a_log_of_five(framework).await;
    for path in [
        format!("/events?lastEventId={}", ids[3]),
        format!("/events?a=b&lastEventId={}&c", ids[3]),
        format!("/events?lastEventId={}", ids[3].as_str().replace('.', "%2E")),
        format!("/renamed?since={}", ids[3]),
    ] {
        let mut response = Request::get(&path).send(server.address).await;
        assert_eq!(response.next_event().await.data, "5", "{path}");
    }
}

pub(crate) async fn takes_the_header_if_the_query_has_an_id_too(framework: &Framework) {
    let (server, _, ids) = a_log_of_five(framework).await;
    let path = format!("/events?lastEventId={}", ids[0]);
    let request = Request::get(&path).header("last-event-id", ids[3].as_str());
    assert_eq!(request.send(server.address).await.next_event().await.data, "5");
}

pub(crate) async fn begins_live_on_a_first_visit(framework: &Framework) {
    let (server, log, _) = a_log_of_five(framework).await;
    for request in [
        Request::get("/events"),
        Request::get("/events").header("Last-Event-ID", ""),
        Request::get("/events?lastEventId="),
        Request::get("/events?lasteventid=1&since=2"),
    ] {
        let mut response = request.send(server.address).await;
        response.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
        append(&log, [6]).await;
        assert_eq!(response.next_event().await.data, "6");
    }
}

pub(crate) async fn begins_with_some_history_if_the_feed_says_so(framework: &Framework) {
    let (server, _, ids) = a_log_of_five(framework).await;
    let mut response = Request::get("/history").send(server.address).await;
    assert_eq!(data(&response.events(2).await), ["4", "5"]);
    let request = Request::get("/history").header("Last-Event-ID", ids[1].as_str());
    let mut response = request.send(server.address).await;
    assert_eq!(data(&response.events(3).await), ["3", "4", "5"]);
}

pub(crate) async fn begins_with_what_came_within_the_time_that_the_feed_says(
    framework: &Framework,
) {
    let (begun, passed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let seconds = Arc::clone(&passed);
    let now = move || begun + Duration::from_secs(seconds.load(Relaxed));
    let timer = Timer::new(now, |_| std::future::pending());
    let log = EventLog::in_memory_with(timer, LogOptions::new().keeps_times(true));
    let recent = log.clone();
    let app = App::new(ServerOptions::default())
        .stream("recent", move |_| recent.feed().start_at(Start::Since(Duration::from_secs(60))));
    let server = framework.start(app);
    append(&log, 1..=3).await;
    passed.store(61, Relaxed);
    append(&log, 4..=5).await;
    let mut response = Request::get("/recent").send(server.address).await;
    assert_eq!(data(&response.events(2).await), ["4", "5"]);
    passed.store(122, Relaxed);
    let mut later = Request::get("/recent").send(server.address).await;
    later.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    append(&log, [6]).await;
    assert_eq!(later.next_event().await.data, "6");
}

pub(crate) async fn continues_after_as_many_events_as_a_client_has_counted(framework: &Framework) {
    let log = EventLog::in_memory(5);
    let counted = log.clone();
    let app = App::new(ServerOptions::default()).stream("counted", move |call| {
        let count = call.query.as_deref().and_then(|query| query.strip_prefix("startIndex="));
        let count = count.and_then(|count| count.parse().ok()).expect("a number");
        counted.feed().start_at(Start::Skip(count))
    });
    let server = framework.start(app);
    append(&log, 1..=5).await;
    let get = async |count| {
        Request::get(&format!("/counted?startIndex={count}")).send(server.address).await
    };
    assert_eq!(data(&get(3).await.events(2).await), ["4", "5"]);
    let mut all = get(5).await;
    append(&log, [6]).await;
    assert_eq!(all.next_event().await.data, "6");
    let gap = get(6).await.next_event().await;
    assert_eq!(gap.event_type, "reset", "the first of them is no longer kept");
}

pub(crate) async fn comes_back_from_before_its_first_event_if_it_was_given_an_id(
    framework: &Framework,
) {
    let (server, log, ids) = a_log_of_five(framework).await;
    let mut response = Request::get("/opened").send(server.address).await;
    let opened = response.next_event().await;
    assert_eq!((opened.event_type.as_str(), opened.data.as_str()), ("opened", ""));
    assert_eq!(opened.last_event_id, ids[4].as_str());
    response.leave_rst();
    append(&log, [6]).await;
    let request = Request::get("/opened").header("Last-Event-ID", opened.last_event_id);
    assert_eq!(request.send(server.address).await.next_event().await.data, "6");
}

/// The answer to every input is a stream that begins with a `reset`, and goes on.
async fn check_gap(server: &Server, request: Request, reason: &str, first: &str) {
    let mut response = request.send(server.address).await;
    assert_eq!(response.status, 200);
    let reset = response.next_event().await;
    assert_eq!(reset.event_type, "reset");
    assert!(reset.data.contains(&format!(r#""reason":"{reason}""#)), "{}", reset.data);
    assert_eq!(response.next_event().await.data, first);
}

pub(crate) async fn tells_of_a_gap_whatever_a_client_sends_as_its_id(framework: &Framework) {
    let (server, ..) = a_log_of_five(framework).await;
    let long = "x".repeat(6000);
    let ids: [&[u8]; 7] = [
        long.as_bytes(),
        b"nonsense",
        b"0",
        b"epoch.1.2",
        b"epoch.-1",
        b"a b \" < > \\ { } @",
        "\u{1F600}".as_bytes(),
    ];
    for id in ids {
        let request = Request::get("/events").header("Last-Event-ID", id);
        check_gap(&server, request, "unknown", "1").await;
    }
    for id in ["nonsense", "%00", "%ff%fe", "%0d%0aid:%201", "+", "%", "%F0%9F%98%80", &long] {
        let request = Request::get(&format!("/events?lastEventId={id}"));
        check_gap(&server, request, "unknown", "1").await;
    }
}

/// Not asked of Rocket, which drops a header that is not UTF-8 before anyone sees it.
pub(crate) async fn tells_of_a_gap_for_an_id_that_is_not_utf_8(framework: &Framework) {
    let (server, ..) = a_log_of_five(framework).await;
    for id in [[0xff, 0xfe], [0xc3, 0x28]] {
        check_gap(&server, Request::get("/events").header("Last-Event-ID", id), "unknown", "1")
            .await;
    }
}

pub(crate) async fn tells_of_a_gap_if_the_log_was_created_again(framework: &Framework) {
    let (old_server, _, old) = a_log_of_five(framework).await;
    drop(old_server);
    let (server, _, ids) = a_log_of_five(framework).await;
    let request = Request::get("/events").header("Last-Event-ID", old[4].as_str());
    check_gap(&server, request, "other-epoch", "1").await;

    let ahead = ids[4].as_str().replace(".5", ".6");
    let request = Request::get("/events").header("Last-Event-ID", ahead);
    check_gap(&server, request, "ahead-of-head", "1").await;
}

pub(crate) async fn tells_of_a_gap_if_events_are_no_longer_kept(framework: &Framework) {
    let (server, log, ids) = a_log_of_five(framework).await;
    append(&log, 6..=8).await;
    let request = Request::get("/events").header("Last-Event-ID", ids[1].as_str());
    check_gap(&server, request, "too-old", "4").await;

    // The id just before the oldest event is no gap, nor is that of the reset itself.
    let request = Request::get("/events").header("Last-Event-ID", ids[2].as_str());
    let mut response = request.send(server.address).await;
    assert_eq!(data(&response.events(5).await), ["4", "5", "6", "7", "8"]);
}

pub(crate) async fn lets_a_page_poll(framework: &Framework) {
    let (server, log, ids) = a_log_of_five(framework).await;
    let poll = || Request::get("/polled?poll").header("Accept", "application/json");

    let mut response = poll().header("Last-Event-ID", ids[2].as_str()).send(server.address).await;
    assert_eq!(data(&response.events(2).await), ["4", "5"]);
    assert_eq!(response.end().await, End::Clean);

    let mut response = poll().header("Last-Event-ID", ids[4].as_str()).send(server.address).await;
    response.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    append(&log, [6]).await;
    assert_eq!(response.next_event().await.data, "6");
    assert_eq!(response.end().await, End::Clean);
}

/// The SDKs of OpenAI and Anthropic ask for JSON when they ask for a stream.
pub(crate) async fn streams_on_whatever_a_client_accepts(framework: &Framework) {
    let (server, log, ids) = a_log_of_five(framework).await;
    for accept in ["text/event-stream", "*/*", "application/json", "text/event-stream;q=0"] {
        let request = Request::get("/events").header("Accept", accept);
        let mut response =
            request.header("Last-Event-ID", ids[4].as_str()).send(server.address).await;
        append(&log, [6]).await;
        assert_eq!(response.next_event().await.data, "6");
        let ended = tokio::time::timeout(Duration::from_millis(100), response.event_or_end()).await;
        assert!(!matches!(ended, Ok(Err(_))), "{accept}: the stream has ended");
    }
}

/// So an id that means nothing gives no client more than it would have had without one.
pub(crate) async fn starts_over_as_a_first_visit_if_the_id_is_invalid(framework: &Framework) {
    let (server, log, _) = a_log_of_five(framework).await;
    for id in ["nonsense", "0", "another.7"] {
        let request = Request::get("/over").header("Last-Event-ID", id);
        let mut response = request.send(server.address).await;
        let events = response.events(3).await;
        assert_eq!(events[0].event_type, "reset");
        assert_eq!(data(&events[1..]), ["4", "5"]);

        // Cut off right after the reset, it comes back with the id of the reset.
        let request = Request::get("/over").header("Last-Event-ID", &events[0].last_event_id);
        let mut resumed = request.send(server.address).await;
        assert_eq!(data(&resumed.events(2).await), ["4", "5"]);
    }
    let request = Request::get("/over?lastEventId=nonsense");
    let mut response = request.send(server.address).await;
    response.events(3).await;
    append(&log, [6]).await;
    assert_eq!(response.next_event().await.data, "6");
}

/// A page writes it into its URL before it has had an event.
pub(crate) async fn takes_undefined_in_the_query_for_a_first_visit(framework: &Framework) {
    let (server, log, _) = a_log_of_five(framework).await;
    for word in ["undefined", "null", "NaN"] {
        let path = format!("/history?lastEventId={word}");
        let mut response = Request::get(&path).send(server.address).await;
        let events = response.events(2).await;
        assert_eq!(data(&events), ["4", "5"], "{word}");
        assert_eq!(events[0].event_type, "message");
    }
    let mut response = Request::get("/events?lastEventId=undefined").send(server.address).await;
    response.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    append(&log, [6]).await;
    assert_eq!(response.next_event().await.data, "6");
}
