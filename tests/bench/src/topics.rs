//! Appends to a log of many topics, without a framework: to be run under callgrind, twice.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use clap::{Args, ValueEnum};
use futures_util::{FutureExt, Stream};
use sse_core::{
    Event, EventLog, EventStream, LogOptions, NewEvent, Start, StreamRequest, StreamResponse, Timer,
};

/// The topics, streams and appends to measure.
#[derive(Debug, Clone, Args)]
pub struct OfTopics {
    /// The number of topics. Each has an event to begin with, as far as the log keeps them.
    #[arg(long, default_value_t = 1000)]
    topics: usize,
    /// The number of streams, each of a topic of its own.
    #[arg(long, default_value_t = 10)]
    streams: usize,
    /// The number of topics that each stream asks for.
    #[arg(long, default_value_t = 1)]
    asked: usize,
    /// The number of events that are appended and measured.
    #[arg(long, default_value_t = 1000)]
    events: usize,
    /// The topic of these.
    #[arg(long, value_enum, default_value_t = To::First)]
    to: To,
    /// The number of events that the log keeps.
    #[arg(long, default_value_t = 100_000)]
    keeps: usize,
    /// The number of streams that come back to the oldest event in the end, and read all that is theirs.
    #[arg(long, default_value_t = 0)]
    behind: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    /// No topic.
    None,
    /// The first topic.
    First,
    /// Each topic in turn.
    Each,
}

/// Counts how often it is woken.
#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A stream, which is polled when it is woken.
struct Client {
    stream: EventStream,
    wakes: Arc<Wakes>,
}

impl Client {
    fn new(log: &EventLog, topics: Vec<String>, start: Start) -> Self {
        let feed = log.topics(topics).expect("in memory").start_at(start);
        let timer = Timer::new(Instant::now, |_| std::future::pending());
        let request = StreamRequest::new("GET", None, []);
        let stream = StreamResponse::new(&request, feed, timer).body;
        Self { stream, wakes: Arc::default() }
    }

    /// Reads until it waits. Returns the bytes.
    fn read(&mut self) -> usize {
        let waker = Waker::from(Arc::clone(&self.wakes));
        let mut cx = Context::from_waker(&waker);
        let mut bytes = 0;
        while let Poll::Ready(Some(Ok(chunk))) = Pin::new(&mut self.stream).poll_next(&mut cx) {
            bytes += chunk.len();
        }
        bytes
    }
}

fn append(log: &EventLog, topic: Option<usize>) {
    let event = NewEvent::from(Event::new("x".repeat(128)));
    let event = match topic {
        Some(topic) => event.topic(name(topic)).expect("a topic"),
        None => event,
    };
    pin!(log.append(event)).now_or_never().expect("in memory").expect("accepted");
}

fn name(topic: usize) -> String {
    format!("user/{topic:06}")
}

/// Does it, and prints what it took. `allocated` returns the bytes that are allocated.
///
/// # Panics
///
/// If the log refuses a topic.
pub fn measure(of: &OfTopics, allocated: impl Fn() -> usize) {
    let log = EventLog::in_memory(LogOptions::new().events(of.keeps));
    let before = allocated();
    (0..of.topics).for_each(|topic| append(&log, Some(topic)));
    let filled = allocated() - before;
    let before = allocated();
    let asked = |stream: usize| {
        let topics = (0..of.asked).map(move |topic| (stream + topic) % of.topics.max(1));
        topics.map(name).collect()
    };
    let clients = (0..of.streams).map(|number| Client::new(&log, asked(number), Start::Live));
    let mut clients: Vec<Client> = clients.collect();
    clients.iter_mut().for_each(|client| _ = client.read());
    let streams = allocated() - before;
    let (begun, mut woken, mut bytes) = (Instant::now(), 0, 0);
    for number in 0..of.events {
        append(
            &log,
            match of.to {
                To::None => None,
                To::First => Some(0),
                To::Each => Some(number % of.topics.max(1)),
            },
        );
        // Only the first is looked at: an append that touches the others shows in their counts in the end.
        if let Some(client) = clients.first_mut()
            && client.wakes.0.swap(0, Relaxed) > 0
        {
            woken += 1;
            bytes += client.read();
        }
    }
    let took = begun.elapsed();
    let others: usize = clients.iter().skip(1).map(|client| client.wakes.0.load(Relaxed)).sum();
    let mut read = 0;
    for number in 0..of.behind {
        read += Client::new(&log, asked(number), Start::Oldest).read();
    }
    println!(
        "{} topics: {filled} bytes with an event each; {} streams: {streams} bytes; {} appends in {took:.1?}, {woken} wakes and {bytes} bytes of \
         the first stream, {others} wakes of others; {} bytes read from the oldest event",
        of.topics, of.streams, of.events, read
    );
}
