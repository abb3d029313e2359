//! The answer to a request: its head, its first line, and when it ends for clients that cannot read on for ever.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use sse_core::{
    BoxError, Event, EventLog, FeedOnce, Frames, OnGap, StreamContext, StreamRequest,
    StreamResponse, merge, source,
};

use crate::support::client::{Client, request, request_after};
use crate::support::clock;
use crate::support::script::{Fetch, Script, event, numbers};

pub(crate) async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        log.append(Event::new(number.to_string())).await.expect("stored");
    }
}

/// A request of a client that polls, and has been here before or not.
fn polling(last_event_id: Option<&str>) -> StreamRequest {
    let headers = last_event_id.map(|id| ("last-event-id", id.as_bytes()));
    StreamRequest::new("GET", Some("poll"), headers)
}

pub(crate) fn polled(feed: impl Into<FeedOnce>) -> FeedOnce {
    feed.into().poll_parameter("poll")
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_an_event_stream_that_nobody_on_the_way_is_to_hold_back() {
    let response = StreamResponse::new(&request(), EventLog::in_memory(1), clock::timer());
    assert_eq!(response.status, 200);
    let headers = [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ];
    assert!(response.headers.iter().eq(headers), "{:?}", response.headers);
}

#[tokio::test(start_paused = true)]
async fn the_first_line_comes_at_once_whatever_the_events_come_from() {
    let (context, feed) = StreamContext::channel();
    let hanging = Script::default();
    for feed in [FeedOnce::from(EventLog::in_memory(1)), FeedOnce::from(hanging), feed] {
        let mut client = Client::open(feed.no_retry());
        assert_eq!(client.chunk().await.as_deref(), Some(&b": ok\n"[..]));
        assert!(client.chunk_now().await.is_pending());
    }
    drop(context);
}

#[tokio::test(start_paused = true)]
async fn the_reconnection_time_stands_in_the_first_write_and_counts_with_no_event() {
    let feed = FeedOnce::from(EventLog::in_memory(1)).retry_exactly(Duration::from_millis(1500));
    let mut client = Client::open(feed);
    assert_eq!(client.chunk().await.as_deref(), Some(&b": ok\nretry: 1500\n"[..]));
    assert_eq!(client.parser.reconnection_time(), Some(1500));
    assert!(!client.parser.is_mid_event());

    let mut client =
        Client::open(FeedOnce::from(EventLog::in_memory(1)).retry_exactly(Duration::MAX));
    client.chunk().await;
    assert_eq!(client.parser.reconnection_time(), Some(2_147_483_647));
}

#[tokio::test(start_paused = true)]
async fn a_head_request_gets_the_head_alone_and_starts_nothing() {
    let (log, script) = (EventLog::in_memory(1), Script::default());
    let head = StreamRequest::new("HEAD", None, []);
    let feed = StreamContext::run(|_| async {
        panic!("nobody would read what it sends") as Result<(), BoxError>
    });
    for feed in [FeedOnce::from(&log), FeedOnce::from(script.clone()), feed] {
        let response = StreamResponse::new(&head, feed, clock::timer());
        assert_eq!(response.headers.get("content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(response.status, 200);
        let mut client = Client::new(response.body);
        client.read_to_end().await;
        assert_eq!(client.text(), "");
    }
    assert_eq!((log.stats().open_streams, log.shutdown().open_streams()), (0, 0));
    assert_eq!(script.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_polls_gets_what_it_missed_and_the_end() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    let first = log.stats().newest.to_string().replace(".3", ".1");
    let mut client = Client::with(&polling(Some(&first)), polled(&log));
    assert_eq!(client.read_to_end().await, numbers(2..=3));

    let script = Script::holding(1..=5);
    script.after_fetch(|script| script.publish(6));
    let mut client = Client::with(&polling(Some("2")), polled(script));
    assert_eq!(client.read_to_end().await, numbers(3..=6));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_polls_gets_the_whole_of_a_replay_that_takes_its_time() {
    let missed = |_| async {
        let rows = stream::iter(1..=3).then(|number| async move {
            clock::pass(100).await;
            Ok::<_, BoxError>(event(number))
        });
        Ok(Frames::new(rows))
    };
    let live = || async { Ok(stream::pending::<Result<Event, BoxError>>()) };
    let mut client = Client::with(&polling(Some("0")), polled(source(missed, live)));
    assert_eq!(client.read_to_end().await, numbers(1..=3));
    assert_eq!(client.chunks.len(), 4, "each as it came");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_polls_and_missed_nothing_waits_for_the_first_event() {
    let log = EventLog::in_memory(10);
    let mut client = Client::with(&polling(None), polled(&log));
    assert_eq!(client.read_all().await, numbers([]));
    assert!(!client.is_over());
    append(&log, [1]).await;
    assert_eq!(client.read_to_end().await, numbers([1]));

    let script = Script::holding([1]);
    let mut client = Client::with(&polling(Some("1")), polled(script.clone()));
    assert_eq!(client.read_all().await, numbers([]));
    assert!(!client.is_over());
    script.publish(2);
    assert_eq!(client.read_to_end().await, numbers([2]));
    assert_eq!(script.subscribers(), 0);
}

/// A source's reset has no id: a client that was sent home with it would come back to be told the same, for ever.
#[tokio::test(start_paused = true)]
async fn a_client_that_polls_gets_more_than_the_reset() {
    let script = Script::default();
    script.fetch_is(Fetch::TellsOfAGap);
    let mut client = Client::with(&polling(Some("7")), polled(FeedOnce::from(script.clone())));
    assert_eq!(client.read_all().await.len(), 1);
    assert!(!client.is_over());
    script.publish(9);
    assert_eq!(client.read_to_end().await[1..], numbers([9]));
    assert_eq!(client.last_event_id(), "9");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_polls_gets_all_that_a_context_sends() {
    let feed = StreamContext::run(|context| async move {
        for number in 1..=2 {
            context.send_event(event(number)).await?;
            clock::pass(1000).await;
        }
        Ok(())
    });
    let mut client = Client::with(&polling(None), polled(feed));
    assert_eq!(client.read_to_end().await, numbers(1..=2));
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_is_no_event_to_end_with() {
    let log = EventLog::in_memory(10);
    let feed = log.feed().keep_alive(Duration::from_secs(1));
    let mut client = Client::with(&polling(None), polled(feed));
    for _ in 0..3 {
        assert!(client.chunk().await.is_some());
    }
    append(&log, [1]).await;
    assert_eq!(client.read_to_end().await, numbers([1]));
}

#[tokio::test(start_paused = true)]
async fn the_last_event_id_is_read_from_the_parameter_that_was_chosen() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    let first = log.stats().newest.to_string().replace(".3", ".1");
    let query = format!("lastEventId={first}&after={first}");
    let in_query = |query: &str| StreamRequest::new("GET", Some(query), []);
    let mut client = Client::with(&in_query(&query), &log);
    assert_eq!(client.read_all().await, numbers(2..=3));
    let feed = || log.feed().last_event_id_parameter("after");
    let mut client = Client::with(&in_query(&query), feed());
    assert_eq!(client.read_all().await, numbers(2..=3));
    let mut client = Client::with(&in_query("lastEventId=nonsense"), feed());
    assert_eq!(client.read_all().await, numbers([]));
}

/// The test of a handler does this, and a thread that hands the response over to a runtime.
#[test]
fn an_answer_can_be_made_outside_of_a_runtime_and_read_within() {
    let log = EventLog::in_memory(10);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let feeds = || {
        let both = merge([("a", &log), ("b", &EventLog::in_memory(1))]).expect("two names");
        let running = StreamContext::run(|_| async { Err("at once".into()) });
        [
            FeedOnce::from(&log),
            both.into(),
            FeedOnce::from(Script::default()),
            running.cut_on_error(),
        ]
    };
    for request in [request(), StreamRequest::new("HEAD", None, [])] {
        let made = feeds().map(|feed| StreamResponse::new(&request, feed, clock::timer()));
        for mut response in made {
            assert_eq!(response.status, 200);
            runtime.block_on(async {
                let next = tokio::time::timeout(Duration::from_secs(5), response.body.next());
                let first = next.await.expect("at once").transpose().expect("no cut");
                assert_eq!(first.is_none(), request.is_head());
            });
        }
    }
    let gap = request_after("nonsense");
    let refused = StreamResponse::new(&gap, log.feed().on_gap(OnGap::Stop), clock::timer());
    assert_eq!(refused.status, 204);
}
