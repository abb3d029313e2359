//! The connection over which a server is told to publish.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::events::{Events, Publication};

/// Publishes events of one server.
#[derive(Debug)]
pub(crate) struct Publisher {
    socket: Option<BufReader<TcpStream>>,
    address: SocketAddr,
    /// The requests whose responses were not read.
    unread: usize,
    last: Instant,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// A request for all: the server makes the events.
    Server,
    /// A request for each, with the event: the server only passes on what others publish.
    Each(Events),
}

impl Publisher {
    pub(crate) fn new(address: SocketAddr, topics: usize, each: bool) -> Self {
        let way = if each { Way::Each(Events::new(topics)) } else { Way::Server };
        Self { socket: None, address, unread: 0, last: Instant::now(), way }
    }

    /// Asks for a publication.
    ///
    /// # Errors
    ///
    /// If the server does not take it.
    pub(crate) fn publish(&mut self, publication: Publication) -> Result<(), String> {
        // Servers close connections on which nothing was asked for some seconds, after what they have answered.
        if self.last.elapsed() > Duration::from_secs(1) {
            self.answers()?;
            self.socket = None;
        }
        self.last = Instant::now();
        let post = |path: &str, body: &str| {
            let length = body.len();
            format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        };
        let mut requests = String::new();
        match &self.way {
            Way::Server => {
                requests.push_str(&post(&publication.path(), ""));
                self.unread += 1;
            }
            Way::Each(events) => {
                for (topic, message) in events.take(publication) {
                    requests.push_str(&post(&format!("/publish/{topic}"), &message.data));
                    self.unread += 1;
                }
            }
        }
        let sent = self.socket()?.get_mut().write_all(requests.as_bytes());
        sent.map_err(|error| format!("publishing: {error}"))
    }

    /// Reads what was answered so far to what was asked for.
    ///
    /// # Errors
    ///
    /// If it was refused.
    pub(crate) fn answers(&mut self) -> Result<(), String> {
        for _ in 0..std::mem::take(&mut self.unread) {
            self.answer().map_err(|error| format!("publishing: {error}"))?;
        }
        Ok(())
    }

    fn answer(&mut self) -> Result<(), String> {
        let socket = self.socket()?;
        let (mut line, mut length) = (String::new(), 0);
        socket.read_line(&mut line).map_err(|error| error.to_string())?;
        if !line.starts_with("HTTP/1.1 2") {
            return Err(format!("answered by {line:?}"));
        }
        while line.trim() != "" {
            line.clear();
            socket.read_line(&mut line).map_err(|error| error.to_string())?;
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| "a length that is no number")?;
            }
        }
        socket.read_exact(&mut vec![0; length]).map_err(|error| error.to_string())
    }

    fn socket(&mut self) -> Result<&mut BufReader<TcpStream>, String> {
        if self.socket.is_none() {
            let connect = || {
                let socket = TcpStream::connect(self.address)?;
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(Duration::from_secs(30)))?;
                Ok(BufReader::new(socket))
            };
            self.socket = Some(connect().map_err(|error: std::io::Error| error.to_string())?);
        }
        self.socket.as_mut().ok_or_else(|| "it is connected".into())
    }
}
