//! The same few calls over HTTP/2, without TLS or an upgrade ("prior knowledge").

use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use http::{HeaderMap, Request};
use sse_test_kit::parser::{Parsed, Parser};
use sse_test_kit::waiting::{PATIENCE, Wait};
use sse_test_kit::wire::End;
use std::collections::VecDeque;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A connection, over which any number of responses may stream at once; dropping it cuts them all.
#[derive(Debug)]
pub struct Connection {
    requests: SendRequest<Bytes>,
    driver: JoinHandle<()>,
    authority: SocketAddr,
}

impl Connection {
    /// Connects to a server that is known to speak HTTP/2.
    pub async fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("the server listens");
        let handshake = h2::client::handshake(stream).await; // sends, and waits for nothing
        let (requests, connection) = handshake.expect("an open connection");
        Self {
            requests,
            // The streams on the connection report its end.
            driver: tokio::spawn(async { drop(connection.await) }),
            authority: addr,
        }
    }

    /// Sends a GET and waits, for at most [`PATIENCE`], for the head of the response.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(format!("http://{}{path}", self.authority));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("the test names valid headers");
        let exchange = timeout(PATIENCE, async {
            let mut requests = self.requests.clone().ready().await?;
            requests.send_request(request, true)?.0.await
        });
        let response = exchange.await.expect("the head of a response within 5 s");
        let (head, body) = response.expect("a response").into_parts();
        Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            bytes: Vec::new(),
            parser: Parser::default(),
            events: VecDeque::new(),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A response on a stream of its own. Dropping it before its end sends RST_STREAM, and leaves the
/// connection and the other streams alone.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    body: RecvStream,
    bytes: Vec<u8>,
    parser: Parser,
    events: VecDeque<Parsed>,
}

impl Response {
    /// Waits for the next event, and panics when there is none within [`PATIENCE`].
    #[track_caller]
    pub fn next_event(&mut self) -> impl Future<Output = Parsed> {
        let wait = Wait::until("an event over HTTP/2");
        async move {
            while self.events.is_empty() {
                if let Some(end) = self.read_more(wait).await {
                    wait.in_vain(format!("the body ended ({end:?})"), &self.bytes)
                }
            }
            self.events.pop_front().expect("the loop waited for one")
        }
    }

    /// Reads to the end of the body, and panics when nothing comes for as long as [`PATIENCE`].
    /// The end is clean with END_STREAM and truncated when the connection closed.
    #[track_caller]
    pub fn end(&mut self) -> impl Future<Output = End> {
        let wait = Wait::until("the end of a body over HTTP/2");
        async move {
            loop {
                if let Some(end) = self.read_more(wait).await {
                    return end;
                }
            }
        }
    }

    /// The body so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the standard's reader, with the body so far.
    pub fn parser(&self) -> &Parser {
        &self.parser
    }

    /// Reads a DATA frame, or else returns how the body ended.
    async fn read_more(&mut self, wait: Wait) -> Option<End> {
        let Ok(next) = timeout(PATIENCE, self.body.data()).await else {
            wait.in_vain("5 s have passed", &self.bytes)
        };
        match next {
            Some(Ok(data)) => {
                self.events.extend(self.parser.feed(&data));
                self.bytes.extend_from_slice(&data);
                // The window reopens only for a reader: one that stalls blocks the server.
                let window = self.body.flow_control();
                let released = window.release_capacity(data.len());
                released.expect("no more is released than was received");
                None
            }
            Some(Err(error)) if error.is_io() => Some(End::Truncated),
            Some(Err(_)) => Some(End::Reset),
            None => Some(End::Clean),
        }
    }
}
