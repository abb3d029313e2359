//! Live deliveries of one log, or of a merge of several, without a framework: to be counted twice, with few events and with many.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use clap::Args;
use futures_util::{FutureExt, Stream};
use sse_core::{Event, EventLog, EventStream, Feed, StreamRequest, StreamResponse, Timer, merge};

/// The deliveries to measure.
#[derive(Debug, Clone, Args)]
pub struct Deliveries {
    /// The number of logs that are merged, at most 5; one alone is not.
    #[arg(long, default_value_t = 1)]
    pub logs: usize,
    /// The number of clients.
    #[arg(long, default_value_t = 1000)]
    pub clients: usize,
    /// The number of events that are appended, each to the next log.
    #[arg(long, default_value_t = 100)]
    pub events: usize,
    /// The number of bytes of data that an event has.
    #[arg(long, default_value_t = 128)]
    pub size: usize,
}

/// Delivers them, and returns the number of bytes.
///
/// # Panics
///
/// If there are more logs than an id has room for.
pub fn measure(deliveries: &Deliveries) -> usize {
    let logs: Vec<_> = (0..deliveries.logs).map(|_| EventLog::in_memory(1000)).collect();
    let names = ["a", "b", "c", "d", "e"];
    let feed = || match &*logs {
        [log] => Feed::from(log),
        logs => merge(names.into_iter().zip(logs)).expect("at most 5"),
    };
    let request = StreamRequest::new("GET", None, []);
    let stream = |_| {
        let timer = Timer::new(Instant::now, |_| std::future::pending());
        StreamResponse::new(&request, feed(), timer).body
    };
    let mut clients: Vec<EventStream> = (0..deliveries.clients).map(stream).collect();
    let mut bytes = take_all(&mut clients);
    for log in logs.iter().cycle().take(deliveries.events) {
        let appending = log.append(Event::new("x".repeat(deliveries.size)));
        pin!(appending).now_or_never().expect("in memory").expect("an event like any other");
        bytes += take_all(&mut clients);
    }
    bytes
}

/// Polls each client until it waits, as a framework does.
fn take_all(clients: &mut [EventStream]) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let mut bytes = 0;
    for client in clients {
        while let Poll::Ready(Some(Ok(chunk))) = Pin::new(&mut *client).poll_next(&mut cx) {
            bytes += chunk.len();
        }
    }
    bytes
}
