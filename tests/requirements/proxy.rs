//! The suite's bad network cuts where it said, and lets pass what it said.

use sse_test_kit::lines::{Cuts, CuttingProxy};
use sse_test_kit::wire::PATIENCE;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const LENGTH: usize = 10_000;

/// The end of a connection for one of its sides.
type Ending = Result<usize, ErrorKind>;

fn message() -> Vec<u8> {
    (0..LENGTH).map(|position| position as u8).collect()
}

/// A server that sends the message at once and then waits for its client to leave; how each
/// client left comes over the channel.
async fn serve() -> (SocketAddr, mpsc::Receiver<Ending>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("the listener is bound");
    let (endings, receiver) = mpsc::channel(100);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let endings = endings.clone();
            tokio::spawn(async move {
                // A RST may come before everything is written; reading then reports it.
                drop(socket.write_all(&message()).await);
                let left = socket.read(&mut [0; 100]).await.map_err(|e| e.kind());
                let _ = endings.send(left).await;
            });
        }
    });
    (addr, receiver)
}

/// Returns the way in which the next client left.
async fn left(endings: &mut mpsc::Receiver<Ending>) -> Ending {
    let ending = timeout(PATIENCE, endings.recv()).await;
    ending.expect("a client leaves within 5 s").expect("the server runs")
}

fn cuts(seed: u64, bytes: Range<usize>, rst_share: f64, limit: usize) -> Cuts {
    Cuts { seed, bytes, rst_share, limit }
}

async fn connect(proxy: &CuttingProxy) -> TcpStream {
    let connected = TcpStream::connect(proxy.addr()).await;
    connected.expect("the proxy listens")
}

/// A client that has received the whole message and is still connected.
async fn whole_message(proxy: &CuttingProxy) -> TcpStream {
    let mut stream = connect(proxy).await;
    let mut received = vec![0; LENGTH];
    let reading = timeout(PATIENCE, stream.read_exact(&mut received)).await;
    reading.expect("5 s suffice").expect("the whole message");
    assert_eq!(received, message());
    stream
}

/// Reads as a client that expects no more bytes.
async fn end(stream: &mut TcpStream) -> Ending {
    let read = timeout(PATIENCE, stream.read(&mut [0])).await;
    read.expect("an end within 5 s").map_err(|e| e.kind())
}

/// Reads to the end, and returns what was read and how it ended.
async fn fetch(proxy: &CuttingProxy) -> (Vec<u8>, Ending) {
    let mut stream = connect(proxy).await;
    let mut received = Vec::new();
    let reading = stream.read_to_end(&mut received);
    let end = timeout(PATIENCE, reading).await.expect("an end within 5 s");
    (received, end.map_err(|e| e.kind()))
}

/// The lengths that a number of clients received, one after the other.
async fn lengths(proxy: &CuttingProxy, count: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    for _ in 0..count {
        lengths.push(fetch(proxy).await.0.len());
    }
    lengths
}

#[tokio::test]
async fn forwards_the_drawn_number_of_bytes_and_closes_both_sides() {
    let (upstream, mut endings) = serve().await;
    let proxy = CuttingProxy::start(upstream, cuts(1, 4321..4322, 0.0, 9)).await;
    assert_eq!(fetch(&proxy).await, (message()[..4321].into(), Ok(4321)));
    assert_eq!(left(&mut endings).await, Ok(0));
    assert_eq!(proxy.cuts(), 1);
}

#[tokio::test]
async fn resets_both_sides() {
    let (upstream, mut endings) = serve().await;
    let proxy = CuttingProxy::start(upstream, cuts(1, 4321..4322, 1.0, 9)).await;
    let (received, end) = fetch(&proxy).await;
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    assert_eq!(received, message()[..4321]);
    assert_eq!(left(&mut endings).await, end);
}

#[tokio::test]
async fn cuts_the_share_it_was_told_by_rst() {
    let (upstream, _endings) = serve().await;
    let proxy = CuttingProxy::start(upstream, cuts(1, 0..LENGTH, 0.5, 100)).await;
    let mut resets = 0;
    for _ in 0..100 {
        resets += usize::from(fetch(&proxy).await.1.is_err());
    }
    assert!((30..70).contains(&resets), "{resets} of 100");
}

#[tokio::test]
async fn cuts_at_the_same_bytes_for_the_same_seed() {
    let (upstream, _endings) = serve().await;
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let cuts = cuts(seed, 100..LENGTH, 0.0, 100);
        let proxy = CuttingProxy::start(upstream, cuts).await;
        runs.push(lengths(&proxy, 20).await);
    }
    assert!(runs[0].iter().all(|length| (100..LENGTH).contains(length)));
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn lets_everything_pass_after_the_last_cut() {
    let (upstream, mut endings) = serve().await;
    let proxy = CuttingProxy::start(upstream, cuts(1, 10..11, 0.0, 2)).await;
    for _ in 0..2 {
        assert_eq!(fetch(&proxy).await.0, message()[..10]);
        assert_eq!(left(&mut endings).await, Ok(0));
    }
    let mut stream = whole_message(&proxy).await;
    stream.write_all(b"bye!").await.expect("an open connection");
    assert_eq!(left(&mut endings).await, Ok(4));
    assert_eq!(proxy.cuts(), 2);
}

#[tokio::test]
async fn passes_on_that_a_side_has_closed() {
    let (upstream, mut endings) = serve().await;
    let proxy = CuttingProxy::start(upstream, cuts(1, 0..1, 0.0, 0)).await;
    let mut client_first = whole_message(&proxy).await;
    let closed = client_first.shutdown().await;
    closed.expect("an open connection");
    assert_eq!(left(&mut endings).await, Ok(0));

    let mut server_first = whole_message(&proxy).await;
    let prompted = server_first.write_all(b"x").await; // the server reads once and closes
    prompted.expect("an open connection");
    assert_eq!(end(&mut server_first).await, Ok(0));
}

#[tokio::test]
async fn closes_its_connections_when_dropped() {
    let (upstream, mut endings) = serve().await;
    let proxy = CuttingProxy::start(upstream, cuts(1, 0..1, 0.0, 0)).await;
    let mut stream = whole_message(&proxy).await;
    drop(proxy);
    assert_eq!(end(&mut stream).await, Ok(0));
    assert_eq!(left(&mut endings).await, Ok(0));
}
