//! A response as it arrives: its head, its body as events and as bytes, and how it ended.

use super::body::Body;
use super::head::{Head, find};
use crate::lines::closing::{close_by_fin, close_by_rst};
use crate::parser::{Parsed, Parser};
use crate::waiting::{PATIENCE, Wait};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The end of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With its final chunk or last promised byte; or by FIN where nothing else marks the end.
    Clean,
    /// A FIN before its end.
    Truncated,
    /// A reset, or another failure of the connection.
    Reset,
}

/// A response, its body read only as far as a test asked for.
///
/// Dropping it closes the connection as the kernel sees fit: by RST if anything is unread.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names and values in the order they came.
    pub headers: Vec<(String, String)>,
    stream: TcpStream,
    body: Body,
    parser: Parser,
    events: VecDeque<Parsed>,
    end: Option<End>,
}

impl Response {
    /// The value of a header, however its name is capitalised; the first if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Waits for the next event.
    ///
    /// # Panics
    ///
    /// When there is none within [`PATIENCE`], or the body ends first.
    #[track_caller]
    pub fn next_event(&mut self) -> impl Future<Output = Parsed> {
        self.next_event_for(Wait::until("an event"))
    }

    /// Waits for as many events.
    ///
    /// # Panics
    ///
    /// When one does not come within [`PATIENCE`] of its predecessor, or the body ends first.
    #[track_caller]
    pub fn events(&mut self, count: usize) -> impl Future<Output = Vec<Parsed>> {
        let wait = Wait::until("more events");
        async move {
            let mut events = Vec::new();
            while events.len() < count {
                events.push(self.next_event_for(wait).await);
            }
            events
        }
    }

    /// Waits for the next event where the body may as well end: the loop of a client that
    /// reconnects.
    ///
    /// # Errors
    ///
    /// How the body ended, once every event before that has been returned.
    ///
    /// # Panics
    ///
    /// When there is neither within [`PATIENCE`].
    #[track_caller]
    pub fn event_or_end(&mut self) -> impl Future<Output = Result<Parsed, End>> {
        self.event_or_end_for(Wait::until("an event or the end"))
    }

    /// Reads until the body so far satisfies a condition, such as holding a comment. The events
    /// read on the way remain to be asked for.
    ///
    /// # Panics
    ///
    /// When it does not within [`PATIENCE`], or the body ends first.
    #[track_caller]
    pub fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> impl Future<Output = ()> {
        let wait = Wait::until("certain bytes");
        async move {
            self.read_while(wait, PATIENCE, |response| !enough(response.bytes())).await;
            if let Some(end) = self.end.filter(|_| !enough(self.bytes())) {
                self.ended_early(wait, end)
            }
        }
    }

    /// Reads to the end of the body.
    ///
    /// # Panics
    ///
    /// When it does not end within [`PATIENCE`].
    #[track_caller]
    pub fn end(&mut self) -> impl Future<Output = End> {
        self.end_within(PATIENCE)
    }

    /// Reads to the end of the body, which has to come within `bound`.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn end_within(&mut self, bound: Duration) -> impl Future<Output = End> {
        let wait = Wait::until("the end of the body");
        async move {
            self.read_while(wait, bound, |_| true).await;
            self.end.expect("nothing else stops the reading")
        }
    }

    /// The body so far, without the transfer coding.
    pub fn bytes(&self) -> &[u8] {
        &self.body.bytes
    }

    /// The sizes of the HTTP chunks so far, which is to say, of the server's writes.
    pub fn chunks(&self) -> &[usize] {
        &self.body.chunks
    }

    /// The ID that a client must send when it reconnects; empty means no header.
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Returns the standard's reader, with the body so far.
    pub fn parser(&self) -> &Parser {
        &self.parser
    }

    /// Leaves by FIN, as a client does that closes in good order.
    pub fn leave_fin(self) {
        close_by_fin(self.stream).expect("an open socket can be closed");
    }

    /// Leaves by RST, as a client does that crashes.
    pub fn leave_rst(self) {
        close_by_rst(self.stream).expect("an open socket can be closed");
    }

    async fn next_event_for(&mut self, wait: Wait) -> Parsed {
        let next = self.event_or_end_for(wait).await;
        next.unwrap_or_else(|end| self.ended_early(wait, end))
    }

    async fn event_or_end_for(&mut self, wait: Wait) -> Result<Parsed, End> {
        self.read_while(wait, PATIENCE, |response| response.events.is_empty()).await;
        let next = self.events.pop_front();
        next.ok_or_else(|| self.end.expect("nothing else stops the reading"))
    }

    fn ended_early(&self, wait: Wait, end: End) -> ! {
        wait.in_vain(format!("the body ended ({end:?})"), self.bytes())
    }

    /// Reads as long as more is wanted and the body has not ended.
    async fn read_while(&mut self, wait: Wait, bound: Duration, wanted: impl Fn(&Self) -> bool) {
        let reading = timeout(bound, async {
            while self.end.is_none() && wanted(self) {
                self.read_more().await;
            }
        });
        if let Err(elapsed) = reading.await {
            wait.in_vain(elapsed, self.bytes())
        }
    }

    async fn read_more(&mut self) {
        let mut received = Vec::with_capacity(16 * 1024);
        match self.stream.read_buf(&mut received).await {
            Ok(0) => self.end = Some(self.body.end_by_close()),
            Ok(_) => self.accept(&received),
            Err(_) => self.end = Some(End::Reset),
        }
    }

    fn accept(&mut self, received: &[u8]) {
        let content = self.body.feed(received);
        self.events.extend(self.parser.feed(content));
        self.end = self.body.is_complete().then_some(End::Clean);
    }

    /// Reads the head, and the part of the body that came along.
    pub(super) async fn read(mut stream: TcpStream, method: &str) -> io::Result<Self> {
        let (head, rest) = Head::read(&mut stream).await?;
        let mut response = Self {
            body: head.body(method),
            status: head.status,
            headers: head.headers,
            stream,
            parser: Parser::default(),
            events: VecDeque::new(),
            end: None,
        };
        response.accept(&rest);
        Ok(response)
    }
}
