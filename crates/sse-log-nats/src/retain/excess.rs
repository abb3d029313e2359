//! The excess of a log over its limits.

use std::time::Duration;

use sse_core::Position;
use sse_core::store::{Retention, StoreError};

use crate::core::LogCore;
use crate::lookup::{get, last_event};
use crate::tally::Size;
use crate::view::View;

/// Bytes that the server counts for a message besides its subject, headers and payload.
const FRAME: u64 = 30;

/// The excess of a log over its limits.
#[derive(Debug)]
pub(crate) struct Excess {
    /// The newest event, which is kept. It is looked up once an event is over the limits.
    pub(crate) newest: Position,
    /// The time of the oldest event that is kept, once it is known.
    pub(crate) oldest: Option<u64>,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// The time before which events are too old, in nanoseconds since 1970.
    pub(crate) before: u64,
    /// The size of the log.
    pub(crate) kept: Size,
}

impl Excess {
    /// Returns true if anything is over the limits. The oldest event is of this time.
    pub(crate) fn is_over(&self, time: u64) -> bool {
        self.events > 0 || self.bytes > 0 || time < self.before
    }

    pub(crate) fn subtract(&mut self, events: u64, bytes: u64) {
        self.events = self.events.saturating_sub(events);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.kept.events = self.kept.events.saturating_sub(events);
        self.kept.bytes = self.kept.bytes.saturating_sub(bytes);
    }
}

/// Returns the excess of the log over its limits.
pub(crate) async fn excess(
    core: &LogCore,
    view: &View,
    retention: &Retention,
    before: Duration,
) -> Result<Excess, StoreError> {
    let state = &view.info.state;
    let mut events = view.events(&core.names);
    let frame = FRAME + core.names.single().len() as u64;
    let mut bytes = state.bytes.saturating_sub(state.messages.saturating_mul(frame));
    let floor = view.record.floor;
    if floor.lo() > 0
        && let Some(message) = get(core, floor.hi() + 1).await?
    {
        let gone = message.events(&core.names).into_iter().filter(|event| event.position <= floor);
        for event in gone {
            events = events.saturating_sub(1);
            bytes = bytes.saturating_sub(event.block.len() as u64);
        }
    }
    let events = events.saturating_sub(view.record.hidden.len() as u64);
    Ok(Excess {
        newest: view.bounds.newest,
        oldest: None,
        events: events.saturating_sub(retention.events as u64),
        bytes: bytes.saturating_sub(retention.bytes as u64),
        before: before.as_nanos() as u64,
        kept: Size { events, bytes },
    })
}

/// Returns the newest event.
pub(crate) async fn newest(core: &LogCore, view: &View) -> Result<Position, StoreError> {
    let last = last_event(core).await?;
    let events = last.map_or(Vec::new(), |last| last.events(&core.names));
    let newest = events.iter().rev().map(|event| event.position);
    let newest = newest.into_iter().find(|position| !view.record.hidden.contains(position));
    Ok(newest.unwrap_or(view.bounds.newest))
}
