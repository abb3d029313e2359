//! The limit: a plain loop that encodes once, and calls `send` once for each stream. It knows just enough of HTTP.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use super::super::events::{Events, Message, Publication};
use super::{KEEP_ALIVE, Serving, tell};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
const PUBLISHED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// The most chunks that wait for a stream: then the next is dropped.
const WAITING: usize = 1024;

/// The size of the chunks of a replay.
const CHUNK: usize = 64 * 1024;

/// The number under which epoll knows the listening socket.
const LISTENER: u64 = u64::MAX;

struct Raw {
    epoll: Epoll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    /// The streams of each topic.
    streams: Vec<Vec<usize>>,
    events: Events,
    kept: VecDeque<String>,
    keep: usize,
}

struct Connection {
    socket: TcpStream,
    request: Vec<u8>,
    waiting: VecDeque<Arc<[u8]>>,
    /// The part of the first that waits was sent.
    sent: usize,
    last: Instant,
}

pub(super) fn serve(serving: &Serving) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    tell(listener.local_addr()?);
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut raw = Raw {
        epoll,
        listener,
        connections: Vec::new(),
        streams: vec![Vec::new(); serving.topics],
        events: Events::new(serving.topics),
        kept: VecDeque::new(),
        keep: serving.kept,
    };
    let mut looked = Instant::now();
    loop {
        let mut ready = [EpollEvent::empty(); 256];
        let count = raw.epoll.wait(&mut ready, 1000_u16)?;
        for event in &ready[..count] {
            match event.data() {
                LISTENER => raw.accept()?,
                number => raw.go_on(number as usize),
            }
        }
        if looked.elapsed() > Duration::from_secs(1) {
            looked = Instant::now();
            raw.keep_alive(looked);
        }
    }
}

impl Raw {
    fn accept(&mut self) -> io::Result<()> {
        while let Ok((socket, _)) = self.listener.accept() {
            socket.set_nonblocking(true)?;
            let number = self.connections.len();
            let both = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
            self.epoll.add(&socket, EpollEvent::new(both, number as u64))?;
            let (request, waiting, last) = (Vec::new(), VecDeque::new(), Instant::now());
            self.connections.push(Some(Connection { socket, request, waiting, sent: 0, last }));
        }
        Ok(())
    }

    /// Sends what waits, and answers what has come.
    fn go_on(&mut self, number: usize) {
        let Some(connection) = &mut self.connections[number] else { return };
        connection.flush();
        let mut buffer = [0; 1024];
        loop {
            match connection.socket.read(&mut buffer) {
                Ok(length) if length > 0 => connection.request.extend(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {
                    self.connections[number] = None;
                    self.streams
                        .iter_mut()
                        .for_each(|streams| streams.retain(|one| *one != number));
                    return;
                }
            }
        }
        while let Some(path) = self.next_request(number) {
            self.answer(number, &path);
        }
    }

    /// Takes the path of the next request that has come whole: several may have come at once.
    fn next_request(&mut self, number: usize) -> Option<String> {
        let connection = self.connections[number].as_mut()?;
        let mut ends = connection.request.windows(4);
        let end = ends.position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let request: Vec<u8> = connection.request.drain(..end).collect();
        let request = String::from_utf8_lossy(&request).into_owned();
        request.split(' ').nth(1).map(str::to_owned)
    }

    fn answer(&mut self, number: usize, path: &str) {
        let Some(connection) = &mut self.connections[number] else { return };
        if let Some(publication) = Publication::from_path(path) {
            connection.send(PUBLISHED.into());
            self.publish(publication);
        } else if path == "/replay" {
            connection.send(HEAD.into());
            for part in replay(&self.kept) {
                connection.send(part);
            }
            self.streams[0].push(number);
        } else {
            connection.send(HEAD.into());
            let topic =
                path.rsplit('/').next().and_then(|topic| topic.parse().ok()).unwrap_or(0_usize);
            let topics = self.streams.len();
            self.streams[topic % topics].push(number);
        }
    }

    fn publish(&mut self, publication: Publication) {
        let mut texts = vec![String::new(); self.streams.len()];
        for (topic, Message { number, data }) in self.events.take(publication) {
            let text = format!("id: {number}\ndata: {data}\n\n");
            texts[topic].push_str(&text);
            if self.keep > 0 {
                self.kept.push_back(text);
                if self.kept.len() > self.keep {
                    self.kept.pop_front();
                }
            }
        }
        let now = Instant::now();
        for (text, streams) in texts.iter().zip(&self.streams).filter(|(text, _)| !text.is_empty())
        {
            let chunk = chunk(text);
            for number in streams {
                let Some(connection) = &mut self.connections[*number] else { continue };
                connection.last = now;
                connection.send(chunk.clone());
            }
        }
    }

    fn keep_alive(&mut self, now: Instant) {
        let comment = chunk(":\n\n");
        for number in self.streams.iter().flatten() {
            let Some(connection) = &mut self.connections[*number] else { continue };
            if now - connection.last > KEEP_ALIVE {
                connection.last = now;
                connection.send(comment.clone());
            }
        }
    }
}

fn replay(kept: &VecDeque<String>) -> Vec<Arc<[u8]>> {
    let (mut chunks, mut text) = (Vec::new(), String::new());
    for event in kept {
        if text.len() + event.len() > CHUNK {
            chunks.push(chunk(&std::mem::take(&mut text)));
        }
        text.push_str(event);
    }
    if !text.is_empty() {
        chunks.push(chunk(&text)); // an empty chunk would be the end
    }
    chunks
}

fn chunk(text: &str) -> Arc<[u8]> {
    let mut chunk = String::with_capacity(text.len() + 20);
    write!(chunk, "{:x}\r\n{text}\r\n", text.len()).expect("a string takes all");
    chunk.into_bytes().into()
}

impl Connection {
    fn send(&mut self, chunk: Arc<[u8]>) {
        if !self.waiting.is_empty() {
            if self.waiting.len() < WAITING {
                self.waiting.push_back(chunk);
            }
            return;
        }
        let sent = self.socket.write(&chunk).unwrap_or(0);
        if sent < chunk.len() {
            self.sent = sent;
            self.waiting.push_back(chunk);
            self.flush();
        }
    }

    fn flush(&mut self) {
        while let Some(chunk) = self.waiting.front() {
            // If the connection is gone, reading says so.
            let Ok(sent) = self.socket.write(&chunk[self.sent..]) else { return };
            self.sent += sent;
            if self.sent == chunk.len() {
                self.sent = 0;
                self.waiting.pop_front();
            }
        }
    }
}
