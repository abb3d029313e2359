//! A client of HTTP/2 that sends empty DATA frames without end: RUSTSEC-2026-0258, which no release of h2 0.3 mends.

use std::time::Duration;

use sse_conformance::suite::framework::Framework;
use sse_test_kit::eventually::holds_within;
use sse_test_kit::wire::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::Process;

const FRAMES: usize = 2_000_000;
/// The most that the process may grow by, in KiB. Two million frames that wait take more than ten times as much.
const GROWTH: u64 = 16 * 1024;

/// The kinds of a frame, and the flag that ends the headers: RFC 9113, section 6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short frame");
    let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, stream];
    frame.extend(payload);
    frame
}

/// Begins a GET of `/events` whose body has no end yet.
fn beginning() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    // `:method GET` and `:scheme http` by their numbers in HPACK's table, `:path` and `:authority` as texts.
    let headers = [b"\x82\x86\x04\x07/events\x01\x09localhost".as_slice()].concat();
    bytes.extend(frame(HEADERS, END_HEADERS, 1, &headers));
    // Rocket reads the first 512 bytes of a body before it calls a handler.
    bytes.extend(frame(DATA, 0, 1, &[b'x'; 200]).repeat(3));
    bytes
}

pub(crate) async fn holds_no_memory_for_two_million_empty_data_frames(framework: &Framework) {
    let server = Process::start(framework.name).await;
    let (mut read, mut write) =
        TcpStream::connect(server.address).await.expect("it listens").into_split();
    let reading = tokio::spawn(async move {
        let mut received = vec![0; 64 * 1024];
        while read.read(&mut received).await.is_ok_and(|length| length > 0) {}
    });
    write.write_all(&beginning()).await.expect("the connection is open");
    let is_open = async || server.subscribers().await == 1;
    assert!(holds_within(Duration::from_secs(5), is_open).await, "the stream begins");
    let before = server.memory();

    let many = frame(DATA, 0, 1, &[]).repeat(10_000);
    for _ in 0..FRAMES / 10_000 {
        if write.write_all(&many).await.is_err() {
            break; // a server may close such a connection
        }
    }
    // A response to another client is later than all that the server took from this one.
    assert_eq!(Request::post("/publish", "x").send(server.address).await.status, 200);
    let growth = server.memory().saturating_sub(before);
    assert!(growth < GROWTH, "{growth} KiB more");
    reading.abort();
}
