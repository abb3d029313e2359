//! A stream that fails before its end: what its client has by then, what tells it of the failure, and how the response ends.

use futures_util::stream::{self, Pending, Stream};
use sse_conformance::suite::app::{App, Call, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::wire_h2::Connection;
use sse_core::{
    BoxError, Event, EventId, EventLog, FeedOnce, Frames, OnGap, Start, StreamContext, source,
};
use sse_test_kit::wire::{End, Request};

/// A stream that fails, and what its client has by then.
struct Failing {
    /// The query of the request for it.
    name: &'static str,
    feed: fn() -> FeedOnce,
    frames: &'static str,
}

const TWO: &str = "data: one\n\ndata: two\n\n";
const TWO_WITH_IDS: &str = "data: one\nid: 8\n\ndata: two\nid: 9\n\n";

/// A context, a source in each of its calls, and snapshots.
const FAILING: &[Failing] = &[
    Failing { name: "context", feed: context, frames: TWO },
    Failing { name: "subscribing", feed: subscribing, frames: "" },
    Failing { name: "fetching", feed: fetching, frames: "" },
    Failing { name: "replaying", feed: replaying, frames: TWO_WITH_IDS },
    Failing { name: "living", feed: living, frames: TWO_WITH_IDS },
    Failing { name: "first-state", feed: first_state, frames: "" },
    Failing { name: "state-after-a-gap", feed: state_after_a_gap, frames: "" },
];

fn died<T>() -> Result<T, BoxError> {
    Err("the upstream died".into())
}

fn context() -> FeedOnce {
    StreamContext::run(|context| async move {
        context.send_event(Event::new("one")).await?;
        context.send_event(Event::new("two")).await?;
        died()
    })
}

/// Two events and the failure.
fn two_and_no_more() -> impl Stream<Item = Result<Event, BoxError>> {
    let [one, two] = [("one", "8"), ("two", "9")]
        .map(|(data, id)| Event::new(data).id(EventId::from_static(id)));
    stream::iter([Ok(one), Ok(two), died()])
}

async fn nothing() -> Result<Vec<Event>, BoxError> {
    Ok(Vec::new())
}

async fn silence() -> Result<Pending<Result<Event, BoxError>>, BoxError> {
    Ok(stream::pending())
}

fn subscribing() -> FeedOnce {
    async fn live() -> Result<Pending<Result<Event, BoxError>>, BoxError> {
        died()
    }
    source(|_| nothing(), live).into()
}

fn fetching() -> FeedOnce {
    source(|_| async { died::<Vec<Event>>() }, silence).into()
}

fn replaying() -> FeedOnce {
    source(|_| async { Ok::<_, BoxError>(Frames::new(two_and_no_more())) }, silence).into()
}

fn living() -> FeedOnce {
    source(|_| nothing(), || async { Ok::<_, BoxError>(two_and_no_more()) }).into()
}

fn first_state() -> FeedOnce {
    EventLog::in_memory(1).feed().start_at(Start::snapshot(|_| async { died() })).into()
}

fn state_after_a_gap() -> FeedOnce {
    EventLog::in_memory(1).feed().on_gap(OnGap::snapshot(|_| async { died() })).into()
}

/// These streams, in each of the ways in which they can end.
fn app() -> App {
    let feed = |call: Call| {
        let name = call.query.as_deref().expect("the name of a stream");
        let failing = FAILING.iter().find(|failing| failing.name == name);
        (failing.expect("one of them").feed)().no_retry()
    };
    let told = |feed: FeedOnce| {
        feed.error_event(|error| {
            let source = std::error::Error::source(error).map(ToString::to_string);
            Event::typed("failed", source.unwrap_or_default())
        })
    };
    App::new(ServerOptions::default())
        .stream("plain", feed)
        .stream("told", move |call| told(feed(call)))
        .stream("cut", move |call| feed(call).cut_on_error())
        .stream("both", move |call| told(feed(call)).cut_on_error())
}

const WORD: &str = "event: failed\ndata: the upstream died\n\n";
/// The last line of a response that is broken off.
const CUT: &str = ": broken off\n";

/// What a client has of a response, but for a `reset` and for the comments that may follow the last line.
fn frames_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (begin, rest) = text.split_once("event: reset\n").unwrap_or((&text, ""));
    let rest = rest.split_once("\n\n").map_or(rest, |(_, rest)| rest);
    let text = [begin, rest].concat();
    let Some((frames, comments)) = text.split_once(CUT) else { return text };
    assert!(comments.lines().all(|line| line.starts_with(':')), "{comments}");
    format!("{frames}{CUT}")
}

/// A client comes back to this one.
const LAST_EVENT_ID: &str = "7";

impl Failing {
    /// Returns the last event ID that its client sends.
    fn last_event_id(&self) -> &'static str {
        if self.name == "first-state" { "" } else { LAST_EVENT_ID }
    }

    #[track_caller]
    fn check(&self, body: &[u8], rest: &str) {
        assert_eq!(frames_of(body), format!(": ok\n{}{rest}", self.frames), "{}", self.name);
    }
}

/// Reads each of the streams to its end over HTTP/1.1: what follows its events is this. Returns true if all end cleanly, and false if none does.
async fn ends_cleanly(framework: &Framework, path: &str, rest: &str) -> bool {
    let server = framework.start(app());
    let mut clean = 0;
    for failing in FAILING {
        let request = Request::get(&format!("{path}?{}", failing.name))
            .header("Last-Event-ID", failing.last_event_id());
        let mut response = request.send(server.address).await;
        assert_eq!(response.status, 200);
        clean += usize::from(response.end().await == End::Clean);
        failing.check(response.bytes(), rest);
    }
    assert!([0, FAILING.len()].contains(&clean), "{clean} of {}", FAILING.len());
    clean > 0
}

/// The same over HTTP/2, whose other streams go on.
async fn ends_cleanly_over_http2(framework: &Framework, path: &str, rest: &str) -> bool {
    let server = framework.start(app());
    let connection = Connection::open(server.address).await;
    let mut clean = 0;
    for failing in FAILING {
        let path = format!("{path}?{}", failing.name);
        let mut response =
            connection.get(&path, &[("last-event-id", failing.last_event_id())]).await;
        clean += usize::from(response.end().await == End::Clean);
        failing.check(response.bytes(), rest);
    }
    assert_eq!(connection.get("/plain?context", &[]).await.end().await, End::Clean);
    assert!([0, FAILING.len()].contains(&clean), "{clean} of {}", FAILING.len());
    clean > 0
}

/// The ends of the streams that are broken off, with the event of the failure and without it.
fn cuts() -> [(&'static str, String); 2] {
    [("/cut", CUT.to_owned()), ("/both", [WORD, CUT].concat())]
}

pub(crate) async fn ends_cleanly_after_whole_events_when_a_stream_fails(framework: &Framework) {
    assert!(ends_cleanly(framework, "/plain", "").await);
    assert!(ends_cleanly_over_http2(framework, "/plain", "").await);
}

pub(crate) async fn sends_the_event_of_a_failure_and_ends_cleanly(framework: &Framework) {
    assert!(ends_cleanly(framework, "/told", WORD).await);
    assert!(ends_cleanly_over_http2(framework, "/told", WORD).await);
}

pub(crate) async fn breaks_the_response_off_after_whole_events(framework: &Framework) {
    let [(path, rest), _] = cuts();
    assert!(!ends_cleanly(framework, path, &rest).await);
}

pub(crate) async fn breaks_the_response_off_after_the_event_of_a_failure(framework: &Framework) {
    let [_, (path, rest)] = cuts();
    assert!(!ends_cleanly(framework, path, &rest).await);
}

pub(crate) async fn resets_an_http2_stream_after_whole_events(framework: &Framework) {
    let [(path, rest), _] = cuts();
    assert!(!ends_cleanly_over_http2(framework, path, &rest).await);
}

pub(crate) async fn resets_an_http2_stream_after_the_event_of_a_failure(framework: &Framework) {
    let [_, (path, rest)] = cuts();
    assert!(!ends_cleanly_over_http2(framework, path, &rest).await);
}

pub(crate) async fn ends_cleanly_though_it_is_to_break_off(framework: &Framework) {
    for (path, rest) in cuts() {
        assert!(ends_cleanly(framework, path, &rest).await);
    }
}

pub(crate) async fn ends_an_http2_stream_cleanly_though_it_is_to_break_off(framework: &Framework) {
    for (path, rest) in cuts() {
        assert!(ends_cleanly_over_http2(framework, path, &rest).await);
    }
}
