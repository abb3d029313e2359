//! The client: one thread that reads very many streams, and checks the number of each event.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::SockRef;

use super::events::now;
use super::parser::Parser;

/// The bytes that are read at once.
const READ: usize = 256 * 1024;

/// Streams of one server.
#[derive(Debug)]
pub(crate) struct Client {
    epoll: Epoll,
    streams: Vec<Stream>,
    buffer: Vec<u8>,
    /// The bytes and events they have received.
    pub(crate) received: Received,
}

/// The events that the streams of a client have received so far.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Events.
    pub(crate) events: u64,
    /// Events whose number is not one more than the last's.
    pub(crate) out_of_order: u64,
    /// Bytes.
    bytes: u64,
    /// Streams that ended.
    pub(crate) ended: usize,
    /// From the append to the receipt of each event, in nanoseconds, if they are to be kept.
    pub(crate) delays: Option<Vec<u64>>,
    begun: usize,
    /// Streams that have had an event.
    pub(crate) reached: usize,
}

#[derive(Debug)]
struct Stream {
    socket: Option<TcpStream>,
    parser: Parser,
    next: Option<u64>,
    reading: Reading,
}

/// The way in which a stream reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It reads at once when there is something.
    AtOnce,
    /// A little when it is told to, and its system takes little.
    Slowly,
}

impl Client {
    /// A client without streams.
    pub(crate) fn new() -> Self {
        let epoll = Epoll::new(EpollCreateFlags::empty()).expect("Linux has it");
        Self { epoll, streams: Vec::new(), buffer: vec![0; READ], received: Received::default() }
    }

    /// Opens streams, by a request of each path, and waits until each has begun.
    ///
    /// # Errors
    ///
    /// As [`until`](Self::until).
    pub(crate) fn open(
        &mut self,
        address: SocketAddr,
        paths: impl Iterator<Item = String>,
    ) -> Result<(), String> {
        let begun = self.received.begun + self.connect(address, paths, Reading::AtOnce).len();
        self.until("the streams have begun", |received| received.begun >= begun)
    }

    /// Opens streams, and waits for nothing.
    pub(crate) fn connect(
        &mut self,
        address: SocketAddr,
        paths: impl Iterator<Item = String>,
        reading: Reading,
    ) -> Range<usize> {
        let first = self.streams.len();
        for path in paths {
            let mut socket = TcpStream::connect(address).expect("the server listens");
            if reading == Reading::Slowly {
                SockRef::from(&socket).set_recv_buffer_size(4096).expect("Linux allows it");
            }
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
            );
            socket.write_all(request.as_bytes()).expect("the server has accepted it");
            socket.set_nonblocking(true).expect("Linux allows it");
            if reading == Reading::AtOnce {
                let event = EpollEvent::new(EpollFlags::EPOLLIN, self.streams.len() as u64);
                self.epoll.add(&socket, event).expect("Linux allows it");
            }
            self.streams.push(Stream {
                socket: Some(socket),
                parser: Parser::default(),
                next: None,
                reading,
            });
        }
        first..self.streams.len()
    }

    /// Reads a little from each stream that reads slowly.
    pub(crate) fn read_slowly(&mut self) {
        let Self { streams, buffer, .. } = self;
        for stream in streams.iter_mut().filter(|stream| stream.reading == Reading::Slowly) {
            drop(stream.socket.as_mut().map(|socket| socket.read(&mut buffer[..4096])));
        }
    }

    /// Closes all streams.
    pub(crate) fn close(&mut self) {
        self.streams.clear();
        self.received = Received::default();
    }

    /// Reads until so many events have come in all.
    ///
    /// # Errors
    ///
    /// As [`until`](Self::until).
    pub(crate) fn until_events(&mut self, events: u64) -> Result<(), String> {
        self.until("the events have come", |received| received.events >= events)
    }

    /// Reads for this long.
    ///
    /// # Errors
    ///
    /// If a stream is not as it must be.
    pub(crate) fn read_for(&mut self, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.wait(left.min(Duration::from_millis(20)))?;
        }
        Ok(())
    }

    /// Reads until that holds.
    ///
    /// # Errors
    ///
    /// If no event comes for 20 s before that, or a stream is not as it must be.
    pub(crate) fn until(
        &mut self,
        what: &str,
        holds: impl Fn(&Received) -> bool,
    ) -> Result<(), String> {
        let (mut last, mut known) = (Instant::now(), None);
        while !holds(&self.received) {
            self.wait(Duration::from_secs(1))?;
            let Received { events, ended, begun, bytes, .. } = self.received;
            // Keep-alives are no progress; parts of large events are.
            if known.replace((events, begun, bytes >> 20)) != Some((events, begun, bytes >> 20)) {
                last = Instant::now();
            }
            if last.elapsed() > Duration::from_secs(20) {
                return Err(format!(
                    "20 s without an event before {what}: {begun} streams, {events} events, {ended} streams ended"
                ));
            }
        }
        Ok(())
    }

    /// Waits for what comes next, and reads it. Returns how many streams had something.
    fn wait(&mut self, at_most: Duration) -> Result<usize, String> {
        let mut ready = [EpollEvent::empty(); 256];
        let timeout = EpollTimeout::try_from(at_most).expect("less than a month");
        let count = match self.epoll.wait(&mut ready, timeout) {
            Ok(count) => count,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(error) => return Err(format!("epoll: {error}")),
        };
        for event in &ready[..count] {
            self.read(event.data() as usize)?;
        }
        Ok(count)
    }

    fn read(&mut self, number: usize) -> Result<(), String> {
        let Self { streams, buffer, received, .. } = self;
        let stream = &mut streams[number];
        let Some(socket) = &mut stream.socket else { return Ok(()) };
        let length = match socket.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Ok(length) if length > 0 => length,
            Ok(_) | Err(_) => {
                received.ended += 1;
                stream.socket = None;
                return Ok(());
            }
        };
        received.bytes += length as u64;
        let begun = stream.parser.begun();
        let arrived = received.delays.is_some().then(now);
        let next = &mut stream.next;
        let read = stream.parser.read(&buffer[..length], |data| {
            received.events += 1;
            match next.replace(data.number + 1) {
                Some(next) => received.out_of_order += u64::from(next != data.number),
                None => received.reached += 1,
            }
            if let Some((delays, arrived)) = received.delays.as_mut().zip(arrived) {
                delays.push(arrived.saturating_sub(data.appended));
            }
        });
        received.begun += usize::from(!begun && stream.parser.begun());
        read
    }
}
