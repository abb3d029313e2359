//! An HTTP/1 client for event streams that hides nothing of the wire.
//!
//! It sends the bytes it was told to, also those that real clients would refuse to send, decodes
//! bodies itself, and leaves the way a test asks it to. Not reading is how to stall: see
//! [`Request::receive_buffer`].
//!
//! Every wait ends after [`PATIENCE`] with a panic that names the waiting line of the test and
//! shows what had arrived.

mod body;
mod head;
mod response;

use crate::waiting::Wait;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::time::timeout;

pub use self::response::{End, Response};
pub use crate::waiting::PATIENCE;

/// A request, written as it is told; nothing but `Host` and a POST's `Content-Length` is added.
#[derive(Debug, Clone)]
pub struct Request {
    method: &'static str,
    target: String,
    version: &'static str,
    headers: Vec<u8>,
    body: Vec<u8>,
    receive_buffer: Option<u32>,
    segment: Option<u32>,
    patience: Duration,
}

impl Request {
    /// A GET of a path, with its query if there is one.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path, &[])
    }

    /// A HEAD of a path.
    pub fn head(path: &str) -> Self {
        Self::new("HEAD", path, &[])
    }

    /// A POST to a path.
    pub fn post(path: &str, body: impl AsRef<[u8]>) -> Self {
        let length = body.as_ref().len().to_string();
        Self::new("POST", path, body.as_ref()).header("Content-Length", length)
    }

    fn new(method: &'static str, path: &str, body: &[u8]) -> Self {
        Self {
            method,
            target: path.to_owned(),
            version: "HTTP/1.1",
            headers: Vec::new(),
            body: body.to_owned(),
            receive_buffer: None,
            segment: None,
            patience: PATIENCE,
        }
    }

    /// Adds a header. The value goes out as it is, whatever bytes it holds.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for piece in [name.as_bytes(), b": ", value.as_ref(), b"\r\n"] {
            self.headers.extend_from_slice(piece);
        }
        self
    }

    /// Speaks HTTP/1.0, whose clients know no chunks.
    pub fn http10(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    /// Limits what the kernel receives ahead of this client to about twice so many bytes, so that
    /// a client that does not read soon blocks the server.
    pub fn receive_buffer(mut self, bytes: u32) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Has the server's system send no more than this at once, as over a network. On the loopback it is 64 kB, by which it
    /// reckons how much to hold for a client that does not read: 2.5 MB, which a thousand of them would have to share.
    pub fn segment(mut self, bytes: u32) -> Self {
        self.segment = Some(bytes);
        self
    }

    /// Waits for so long for the head of the response, instead of [`PATIENCE`].
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends the request over a connection of its own and reads the head of the response.
    ///
    /// # Panics
    ///
    /// When there is no whole head within [`PATIENCE`].
    #[track_caller]
    pub fn send(self, addr: SocketAddr) -> impl Future<Output = Response> {
        let wait = Wait::until("the head of a response");
        async move {
            let sent = self.try_send(addr).await;
            sent.unwrap_or_else(|error| wait.in_vain(error, &[]))
        }
    }

    /// Like [`send`](Self::send), for where the connection may well be cut within the head.
    ///
    /// # Errors
    ///
    /// When there is no whole head within [`PATIENCE`].
    pub async fn try_send(self, addr: SocketAddr) -> io::Result<Response> {
        timeout(self.patience, self.exchange(addr))
            .await
            .unwrap_or_else(|elapsed| Err(elapsed.into()))
    }

    async fn exchange(self, addr: SocketAddr) -> io::Result<Response> {
        let socket = match addr {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes)?; // the window is agreed on while connecting
        }
        if let Some(bytes) = self.segment {
            SockRef::from(&socket).set_tcp_mss(bytes)?; // told to the server while connecting
        }
        let mut stream = socket.connect(addr).await?;
        let line = format!("{} {} {}", self.method, self.target, self.version);
        let mut message = format!("{line}\r\nHost: {addr}\r\n").into_bytes();
        message.extend([&self.headers[..], b"\r\n", &self.body].concat());
        stream.write_all(&message).await?;
        Response::read(stream, self.method).await
    }
}
