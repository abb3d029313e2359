//! More than the systems of both ends hold for a client that does not read.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream;
use sse_conformance::suite::server::Server;
use sse_core::{BoxError, Event, EventId, FeedOnce, Frame, Frames, source};
use sse_test_kit::eventually::settled;
use sse_test_kit::wire::{PATIENCE, Request, Response};

/// 16 MiB in all. What the systems hold is 4 MiB and a little.
const EVENTS: usize = 256;
const SIZE: usize = 64 * 1024;

/// Large events, numbered from 1, and how many of them the server has taken for all of its clients.
#[derive(Clone, Default)]
pub(crate) struct Flood {
    taken: Arc<AtomicUsize>,
}

impl Flood {
    pub(crate) fn feed(&self) -> FeedOnce {
        let taken = self.taken.clone();
        let fetch = move |last: EventId| {
            let taken = taken.clone();
            async move {
                let last: usize = last.as_str().parse()?;
                let events = (last + 1..=EVENTS).map(move |number| {
                    taken.fetch_add(1, Relaxed);
                    Ok::<_, BoxError>(event(number))
                });
                Ok(Frames::new(stream::iter(events)))
            }
        };
        let live = async || Ok(stream::pending::<Result<Frame, BoxError>>());
        FeedOnce::from(source(fetch, live))
    }

    /// Clients of `/large` which read no more than the head, and whose systems receive little ahead of them.
    pub(crate) async fn stalled_clients(&self, server: &Server, count: usize) -> Vec<Response> {
        let request = Request::get("/large").header("Last-Event-ID", "0").receive_buffer(4096);
        join_all((0..count).map(|_| request.clone().send(server.address))).await
    }

    /// Waits until the server is taking nothing more: nobody takes anything from it.
    pub(crate) async fn blocked(&self) {
        let quiet = Duration::from_millis(300);
        settled(quiet, PATIENCE, "what the server takes", || self.taken.load(Relaxed)).await;
    }

    /// Reads these events as far as they come, and returns the number of the next.
    pub(crate) async fn read(response: &mut Response, events: Range<usize>) -> usize {
        for number in events.clone() {
            let Ok(event) = response.event_or_end().await else {
                return number;
            };
            assert_eq!(event.last_event_id, number.to_string());
            assert_eq!(event.data.len(), SIZE);
        }
        events.end
    }

    /// The number after the last.
    pub(crate) const END: usize = EVENTS + 1;
}

fn event(number: usize) -> Event {
    let id = EventId::try_from(number.to_string()).expect("digits make an id");
    Event::new("x".repeat(SIZE)).id(id)
}
