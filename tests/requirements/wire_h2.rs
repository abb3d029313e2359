//! The suite's HTTP/2 client, against a server written by hand.

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::HeaderValue;
use sse_conformance::suite::wire_h2::Connection;
use sse_test_kit::wire::{End, PATIENCE};
use std::future::poll_fn;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A server for one connection. Every stream is answered with an event that holds the request's
/// Last-Event-ID, and is then the test's to continue.
async fn serve() -> (Connection, mpsc::Receiver<SendStream<Bytes>>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("the listener is bound");
    let (streams, opened) = mpsc::channel(8);
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a client connects");
        let handshake = h2::server::handshake(socket).await;
        let mut connection = handshake.expect("the client speaks HTTP/2");
        while let Some(Ok((request, respond))) = connection.accept().await {
            let id = request.headers()["last-event-id"].clone();
            let sent = streams.send(answer(respond, &id)).await;
            sent.expect("the test holds the receiver");
        }
    });
    (Connection::open(addr).await, opened, server)
}

fn answer(mut respond: SendResponse<Bytes>, id: &HeaderValue) -> SendStream<Bytes> {
    let head = http::Response::builder().header("content-type", "text/event-stream; charset=utf-8");
    let head = head.body(()).expect("a valid head");
    let mut stream = respond.send_response(head, false).expect("an open stream");
    let id = id.to_str().expect("the test sends ASCII");
    send(&mut stream, &format!("data: {id}\n\n"));
    stream
}

fn send(stream: &mut SendStream<Bytes>, text: &str) {
    let data = Bytes::copy_from_slice(text.as_bytes());
    stream.send_data(data, false).expect("an open stream");
}

#[tokio::test]
async fn reads_events_and_a_clean_end() {
    let (connection, mut opened, _server) = serve().await;
    let mut response = connection.get("/", &[("last-event-id", "7")]).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(response.next_event().await.data, "7");
    let mut stream = opened.recv().await.expect("one request");
    stream.send_data(Bytes::new(), true).expect("an open stream");
    assert_eq!(response.end().await, End::Clean);
}

#[tokio::test]
async fn reads_more_than_a_window() {
    let (connection, mut opened, _server) = serve().await;
    let mut response = connection.get("/", &[("last-event-id", "7")]).await;
    let mut stream = opened.recv().await.expect("one request");
    let big = "x".repeat(1_000_000);
    send(&mut stream, &format!("data: {big}\n\n"));
    assert_eq!(response.next_event().await.data, "7");
    assert!(response.next_event().await.data == big);
}

#[tokio::test]
async fn dropping_a_response_resets_its_stream_alone() {
    let (connection, mut opened, _server) = serve().await;
    let leaving = connection.get("/", &[("last-event-id", "1")]).await;
    let mut staying = connection.get("/", &[("last-event-id", "2")]).await;
    let mut left = opened.recv().await.expect("the first request");
    let mut stayed = opened.recv().await.expect("the second request");
    drop(leaving);
    let reset = timeout(PATIENCE, poll_fn(|cx| left.poll_reset(cx))).await;
    let reason = reset.expect("a reset within 5 s");
    assert_eq!(reason.expect("no other error"), Reason::CANCEL);
    send(&mut stayed, "data: still here\n\n");
    assert_eq!(staying.next_event().await.data, "2");
    assert_eq!(staying.next_event().await.data, "still here");
}

#[tokio::test]
async fn tells_a_reset_stream_from_a_closed_connection() {
    let (connection, mut opened, server) = serve().await;
    let mut reset = connection.get("/", &[("last-event-id", "1")]).await;
    let mut cut = connection.get("/", &[("last-event-id", "2")]).await;
    let mut stream = opened.recv().await.expect("the first request");
    stream.send_reset(Reason::INTERNAL_ERROR);
    assert_eq!(reset.end().await, End::Reset);
    server.abort();
    assert_eq!(cut.end().await, End::Truncated);
}

#[tokio::test]
#[should_panic(expected = "for an event over HTTP/2: the body ended (Clean)")]
async fn does_not_wait_for_an_event_beyond_the_end() {
    let (connection, mut opened, _server) = serve().await;
    let mut response = connection.get("/", &[("last-event-id", "7")]).await;
    let mut stream = opened.recv().await.expect("one request");
    stream.send_data(Bytes::new(), true).expect("an open stream");
    response.next_event().await;
    response.next_event().await;
}
