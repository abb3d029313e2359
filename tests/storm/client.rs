//! A client that comes back whenever it is cut off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sse_test_kit::wire::{Request, Response};

use crate::publisher::text;

/// The speed of a client's reading.
#[derive(Debug, Clone)]
pub(crate) enum Pace {
    /// It reads all that is there.
    Full,
    /// An event in this time for as long as publishing lasts, then as fast as it can.
    Slow(Duration, Arc<AtomicBool>),
}

impl Pace {
    async fn keep(&self) {
        if let Self::Slow(pause, publishing) = self
            && publishing.load(Ordering::Relaxed)
        {
            tokio::time::sleep(*pause).await;
        }
    }
}

/// The summary of a client that has all events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visits {
    /// The number of its connections.
    pub(crate) connections: usize,
    /// The number of connections that were cut before the response had begun.
    pub(crate) headless: usize,
}

/// Reads the events from 1 to `count` in this order, however often it takes, at one proxy after the other.
///
/// It starts after `last_event_id`, so that it makes no difference whether its first connection came through.
pub(crate) async fn read_all(
    proxies: Vec<SocketAddr>,
    name: usize,
    mut last_event_id: String,
    count: u64,
    pace: Pace,
) -> Visits {
    let (mut next, mut visits) = (1, Visits::none());
    while next <= count {
        let proxy = proxies[(name + visits.connections) % proxies.len()];
        visits.connections += 1;
        let request = Request::get("/events").header("Last-Event-ID", &last_event_id);
        let Ok(mut response) = request.try_send(proxy).await else {
            visits.headless += 1;
            continue;
        };
        read(name, &mut response, &mut next, count, &pace).await;
        if !response.last_event_id().is_empty() {
            last_event_id = response.last_event_id().to_owned();
        }
    }
    visits
}

/// Reads to the end of a response, or to the last event.
async fn read(name: usize, response: &mut Response, next: &mut u64, count: u64, pace: &Pace) {
    assert_eq!(response.status, 200, "client {name}");
    while *next <= count {
        let Ok(event) = response.event_or_end().await else {
            return;
        };
        assert_eq!(event.event_type, "message", "client {name}: {event:?}");
        assert_eq!(event.data, text(*next), "client {name}, event {next}");
        *next += 1;
        pace.keep().await;
    }
}

impl Visits {
    pub(crate) const fn none() -> Self {
        Self { connections: 0, headless: 0 }
    }
}

impl std::ops::AddAssign for Visits {
    fn add_assign(&mut self, other: Self) {
        self.connections += other.connections;
        self.headless += other.headless;
    }
}
