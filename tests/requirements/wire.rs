//! The suite's HTTP client tells what is on the wire, against a server written by hand.

use sse_test_kit::wire::{End, PATIENCE, Request, Response};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const TWO_CHUNKS: &str = "9\r\ndata: 1\n\n\r\nA;x=y\r\ndata: 22\n\n\r\n";

/// Listens with a send buffer so small that hardly more is on the way than the client takes.
fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(4096)?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(1)?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// Answers a request, and returns the client's view of it, the server's socket and the request.
async fn exchange(request: Request, answer: &str) -> (Response, TcpStream, Vec<u8>) {
    let (listener, addr) = listen().expect("a free port");
    let server = async {
        let (mut socket, _) = listener.accept().await.expect("a client connects");
        let mut received = Vec::new();
        while !received.windows(4).any(|four| four == b"\r\n\r\n") {
            let read = socket.read_buf(&mut received).await;
            read.expect("the client sends a head");
        }
        let written = socket.write_all(answer.as_bytes()).await;
        written.expect("the client reads");
        (socket, received)
    };
    let (response, (socket, received)) = tokio::join!(request.send(addr), server);
    (response, socket, received)
}

async fn get(answer: &str) -> (Response, TcpStream) {
    let (response, socket, _) = exchange(Request::get("/"), answer).await;
    (response, socket)
}

/// Reads from a client that has sent its request, and returns the way in which it left.
async fn departure(socket: &mut TcpStream) -> Result<usize, ErrorKind> {
    let read = timeout(PATIENCE, socket.read(&mut [0])).await;
    read.expect("the client leaves").map_err(|e| e.kind())
}

#[tokio::test]
async fn sends_the_request_byte_for_byte() {
    let request = Request::post("/a?b", "body").http10();
    let request = request.header("Last-Event-ID", [0xE2, 0x80, 0xFF, 0x01]);
    let (_, _, received) = exchange(request, CHUNKED).await;
    let received = received.escape_ascii().to_string();
    assert!(received.starts_with("POST /a?b HTTP/1.0\\r\\nHost: 127.0.0.1:"));
    let rest = "Content-Length: 4\\r\\nLast-Event-ID: \\xe2\\x80\\xff\\x01\\r\\n\\r\\nbody";
    assert!(received.ends_with(rest), "{received}");
}

#[tokio::test]
async fn reads_the_head() {
    let (response, _) = get("HTTP/1.1 503 No\r\nRetry-AFTER:  3 \r\n\r\n").await;
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), Some("3"));
    assert_eq!(response.header("retry"), None);
}

#[tokio::test]
async fn reports_a_connection_cut_within_the_head() {
    let (listener, addr) = listen().expect("a free port");
    let server = async {
        let (mut socket, _) = listener.accept().await.expect("a client connects");
        let read = socket.read(&mut [0; 4096]).await;
        read.expect("the client sends a head");
        let written = socket.write_all(b"HTTP/1.1 200 O").await;
        written.expect("the client reads");
    };
    let (response, ()) = tokio::join!(Request::get("/").try_send(addr), server);
    let error = response.expect_err("the head is not whole");
    assert!(error.to_string().contains("HTTP/1.1 200 O"), "{error}");
}

#[tokio::test]
async fn decodes_chunks_wherever_the_network_splits_them() {
    let (mut response, mut socket) = get(CHUNKED).await;
    socket.set_nodelay(true).expect("an option of every socket");
    let server = async {
        for byte in format!("{TWO_CHUNKS}0\r\nTrailer: x\r\n\r\n").bytes() {
            let written = socket.write_all(&[byte]).await;
            written.expect("the client reads");
        }
    };
    let (events, ()) = tokio::join!(response.events(2), server);
    assert_eq!([&*events[0].data, &*events[1].data], ["1", "22"]);
    assert_eq!(response.end().await, End::Clean);
    assert_eq!(response.bytes(), b"data: 1\n\ndata: 22\n\n");
    assert_eq!(response.chunks(), [9, 10]);
}

#[tokio::test]
async fn knows_how_a_body_ended() {
    let length = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    let neither = "HTTP/1.1 200 OK\r\n\r\n";
    for (head, body, end) in [
        (CHUNKED, "1\r\nx\r\n0\r\n\r\n", End::Clean),
        (CHUNKED, "1\r\nx\r\n0\r\n", End::Truncated),
        (CHUNKED, "1\r\nx\r\n", End::Truncated),
        (CHUNKED, "2\r\nx", End::Truncated),
        (length, "1234", End::Clean),
        (length, "123", End::Truncated),
        (neither, "123", End::Clean),
    ] {
        let (mut response, socket) = get(&format!("{head}{body}")).await;
        drop(socket);
        assert_eq!(response.end().await, end, "{head}{body}");

        let (mut response, socket) = get(&format!("{head}{body}")).await;
        let complete = end == End::Clean && head != neither;
        socket.set_zero_linger().expect("an option of every socket");
        drop(socket);
        let end = if complete { End::Clean } else { End::Reset };
        assert_eq!(response.end().await, end, "{head}{body}, then RST");
    }
}

#[tokio::test]
async fn a_final_chunk_ends_the_body_while_the_connection_lives_on() {
    let (mut response, _alive) = get(&format!("{CHUNKED}0\r\n\r\n")).await;
    assert_eq!(response.end().await, End::Clean);
}

#[tokio::test]
async fn a_response_to_head_has_no_body() {
    let (mut response, _alive, _) = exchange(Request::head("/"), CHUNKED).await;
    assert_eq!(response.end().await, End::Clean);
}

#[tokio::test]
async fn returns_every_event_before_the_end() {
    let (mut response, socket) = get(&format!("{CHUNKED}{TWO_CHUNKS}")).await;
    response.read_until(|body| body.ends_with(b"22\n\n")).await;
    drop(socket);
    assert_eq!(response.end().await, End::Truncated);
    assert_eq!(response.next_event().await.data, "1");
    assert_eq!(response.event_or_end().await.expect("2").data, "22");
    assert_eq!(response.event_or_end().await, Err(End::Truncated));
}

#[tokio::test]
async fn leaves_by_fin_even_with_the_body_unread() {
    let (response, mut socket) = get(CHUNKED).await;
    socket.write_all(b"7\r\nunread\n").await.expect("room");
    response.leave_fin();
    assert_eq!(departure(&mut socket).await, Ok(0));
    let after = socket.write_all(b"more").await;
    after.expect("a client that reset the connection would make this fail");
}

#[tokio::test]
async fn leaves_by_rst() {
    let (response, mut socket) = get(CHUNKED).await;
    response.leave_rst();
    let reset = Err(ErrorKind::ConnectionReset);
    assert_eq!(departure(&mut socket).await, reset);
}

#[tokio::test]
async fn a_small_receive_buffer_blocks_the_server_sooner() {
    let stalled = Request::get("/").receive_buffer(4096);
    let (_stalled, socket, _) = exchange(stalled, CHUNKED).await;
    let mut sent = 0;
    let quiet = Duration::from_millis(200);
    while timeout(quiet, socket.writable()).await.is_ok() {
        sent += socket.try_write(&[b'x'; 4096]).unwrap_or(0);
    }
    // It was 12 000 bytes here, and 170 000 with the kernel's usual receive buffer.
    assert!(sent < 64_000, "{sent} bytes");
}

#[tokio::test]
async fn names_the_place_of_a_vain_wait_and_the_bytes_that_came_instead() {
    let (mut response, _alive) = get(&format!("{CHUNKED}{TWO_CHUNKS}")).await;
    response.events(2).await;
    let line = line!() + 1;
    let waiting = tokio::spawn(async move { response.end_within(Duration::ZERO).await });
    let panic = waiting.await.expect_err("there is no end").into_panic();
    let message = panic.downcast::<String>().expect("a formatted message");
    assert!(message.contains(&format!("wire.rs:{line}:")), "{message}");
    assert!(message.contains("for the end of the body"), "{message}");
    assert!(message.contains(r"data: 22\n\n"), "{message}");
}

#[tokio::test]
#[should_panic(expected = "the body ended (Truncated); 19 bytes of body so far, ending in \"data")]
async fn does_not_wait_for_an_event_beyond_the_end() {
    let (mut response, socket) = get(&format!("{CHUNKED}{TWO_CHUNKS}")).await;
    drop(socket);
    response.events(3).await;
}
