//! The pages of a log, handed out without the log.

use std::sync::Arc;
use std::time::Instant;

use crate::readers::spread;
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use sse_conformance::suite::app::{Answer, Call};
use sse_conformance::suite::chunks::{Chunks, Place};
use sse_core::{EventId, EventLog, Start, StreamRequest, StreamResponse, Timer};

/// The number of events of the log after the last position: 4 MB, more than systems and frameworks take for a client that does
/// not read.
const AHEAD: usize = 4000;

/// The beginning of an event stream.
pub(crate) const FIRST_LINE: Bytes = Bytes::from_static(b": ok\n");

/// The log's pages, and different positions in them.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The id of the event before each position.
    pub(crate) ids: Vec<EventId>,
    pages: Arc<[Bytes]>,
    places: Vec<Place>,
}

impl Shared {
    /// So many positions of a log whose events have these ids.
    pub(crate) fn new(log: &EventLog, ids: &[EventId], positions: usize) -> Self {
        let pages = pages(log);
        let starts: Vec<Place> =
            pages.iter().enumerate().flat_map(|(chunk, page)| starts(chunk, page)).collect();
        assert_eq!(starts.len(), ids.len(), "the log has kept all");
        let usable = ids.len().saturating_sub(AHEAD);
        assert!(usable >= positions, "a log of so many events has no {positions} positions");
        let chosen = (0..positions).map(|number| 1 + (spread(number) * usable as f64) as usize);
        let (ids, places) = chosen.map(|event| (ids[event - 1].clone(), starts[event])).unzip();
        Self { ids, pages: pages.into(), places }
    }

    /// The body that begins at the position whose number is the query.
    pub(crate) fn answer(&self, call: &Call) -> Answer {
        let number = call.query.as_deref().and_then(|query| query.parse::<usize>().ok());
        match number.and_then(|number| self.places.get(number)) {
            Some(place) => Answer::Chunks(Chunks::new(FIRST_LINE, self.pages.clone(), *place)),
            None => Answer::Text(404, "no such position".into()),
        }
    }
}

/// Returns the pages that a reader gets, so that they are shared with every other reader.
fn pages(log: &EventLog) -> Vec<Bytes> {
    let never = |_| std::future::pending::<()>();
    let feed = log.feed().start_at(Start::Oldest).no_retry();
    let request = StreamRequest::new("GET", None, []);
    let mut body = StreamResponse::new(&request, feed, Timer::new(Instant::now, never)).body;
    let mut next = || body.next().now_or_never()?.and_then(Result::ok);
    assert_eq!(next(), Some(FIRST_LINE), "it begins so");
    std::iter::from_fn(next).collect()
}

/// Returns where the events of a page begin.
fn starts(chunk: usize, page: &Bytes) -> impl Iterator<Item = Place> {
    let ends = page.windows(2).enumerate().filter(|(_, two)| two == b"\n\n").map(|(at, _)| at + 2);
    let starts = std::iter::once(0).chain(ends).filter(|start| *start < page.len());
    starts.map(move |offset| Place { chunk, offset })
}
