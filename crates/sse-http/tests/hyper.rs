//! Responses as a client of hyper sees them, byte by byte.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sse_http::{
    Event, EventLog, EventStreamBody, FeedOnce, SseRequest, Start, StreamContext, stream_events,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The most time that anything may take.
const AT_MOST: Duration = Duration::from_secs(10);

/// Returns all that the server sends for this request, until it closes the connection.
async fn answer(feed: impl Fn() -> FeedOnce, request: &str) -> String {
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    let service = service_fn(|request| {
        let response: Response<EventStreamBody> = stream_events(&request, feed()).into();
        ready(Ok::<_, Infallible>(response))
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(server), service);
    let mut answer = String::new();
    let reading = async {
        client.write_all(request.as_bytes()).await.expect("the server reads");
        client.read_to_string(&mut answer).await.expect("UTF-8, until the server closes");
    };
    // A response that is broken off is an error of the connection.
    let both = async { tokio::join!(reading, async { drop(serving.await) }) };
    tokio::time::timeout(AT_MOST, both).await.expect("the server closes");
    answer
}

/// A stream of one event, which ends then.
fn one_event() -> FeedOnce {
    StreamContext::run(|context| async move { Ok(context.send_event(Event::new("hello")).await?) })
}

/// The head of an answer, without the date, and what follows it.
fn parts(answer: &str) -> (Vec<&str>, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends with an empty line");
    (head.split("\r\n").filter(|line| !line.starts_with("date:")).collect(), body)
}

#[tokio::test]
async fn a_get_is_answered_in_chunks_up_to_the_last() {
    let answer = answer(one_event, "GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let (head, body) = parts(&answer);
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert!(head.contains(&"content-type: text/event-stream; charset=utf-8"), "{head:?}");
    assert!(head.contains(&"transfer-encoding: chunked"), "{head:?}");
    assert!(body.contains("data: hello\n"), "{body}");
    assert!(body.ends_with("\r\n0\r\n\r\n"), "{body}");
}

#[tokio::test]
async fn a_head_has_the_headers_of_the_get_and_no_body() {
    let get = answer(one_event, "GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let head = answer(one_event, "HEAD / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    // hyper says how a body is sent only if there is one.
    let mut expected = parts(&get).0;
    expected.retain(|line| *line != "transfer-encoding: chunked");
    assert_eq!(parts(&head), (expected, ""));
}

#[tokio::test]
async fn an_answer_to_http_1_0_ends_with_the_connection() {
    let answer = answer(one_event, "GET / HTTP/1.0\r\n\r\n").await;
    let (head, body) = parts(&answer);
    assert!(head[0].ends_with(" 200 OK"), "{head:?}");
    assert!(!head.iter().any(|line| line.starts_with("transfer-encoding")), "{head:?}");
    assert!(!head.iter().any(|line| line.starts_with("content-length")), "{head:?}");
    assert!(body.starts_with(": ok\nretry: ") && body.ends_with("\ndata: hello\n\n"), "{body}");
}

#[tokio::test]
async fn a_response_that_is_broken_off_has_no_last_chunk() {
    let failing = || {
        let feed = StreamContext::run(|context| async move {
            context.send_event(Event::new("hello")).await?;
            Err("the upstream died".into())
        });
        feed.cut_on_error()
    };
    let answer = answer(failing, "GET / HTTP/1.1\r\n\r\n").await;
    assert!(answer.contains("data: hello\n"), "{answer}");
    assert!(!answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_client_that_is_not_to_ask_again_gets_a_204_without_content_type() {
    let log = EventLog::in_memory(10);
    let last = log.append(Event::new("hello")).await.expect("the log has room");
    log.finish().await.expect("a log in memory can end");
    let request =
        format!("GET / HTTP/1.1\r\nlast-event-id: {}\r\nconnection: close\r\n\r\n", last.as_str());
    let answer = answer(|| (&log).into(), &request).await;
    let (head, body) = parts(&answer);
    assert_eq!((head[0], body), ("HTTP/1.1 204 No Content", ""));
    assert!(!head.iter().any(|line| line.starts_with("content-type")), "{head:?}");
}

#[tokio::test]
async fn the_id_is_read_from_the_header_and_the_query_whole_or_in_parts() {
    let log = EventLog::in_memory(10);
    let seen = log.append(Event::new("one")).await.expect("the log has room");
    log.append(Event::new("two")).await.expect("the log has room");
    let in_header = Request::get("/").header("Last-Event-ID", seen.as_str()).body(());
    let in_query = Request::get(format!("/?lastEventId={}", seen.as_str())).body(());
    for request in [in_header, in_query] {
        let request = request.expect("a path and a header make a request");
        let whole = SseRequest::from(&request);
        let parts = SseRequest::from(&request.into_parts().0);
        for request in [whole, parts] {
            let feed = log.feed().start_at(Start::Oldest).ends_when_caught_up();
            let response = Response::from(stream_events(request, feed));
            let body = response.into_body().collect().await.expect("the stream ends").to_bytes();
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains("data: two\n") && !body.contains("data: one\n"), "{body}");
        }
    }
}
