//! The default of [`Store::read_before`]: it reads backwards by reading forwards, from further back each time.

use std::collections::VecDeque;

use crate::Position;
use crate::store::{Page, PageLimit, Store, StoreError, StoredEvent, TopicFilter};

/// The events that are read at a time.
const AT_ONCE: usize = 1000;

/// Reads the events before this position, newest first.
pub(super) async fn read_before<S: Store + ?Sized>(
    store: &S,
    before: Position,
    filter: Option<&TopicFilter>,
    limit: PageLimit,
) -> Result<Page, StoreError> {
    let mut bounds = store.bounds().await?;
    let (epoch, mut end, mut step) = (bounds.epoch, before.min(bounds.newest.next()), None);
    let mut found = Found { events: Vec::new(), bytes: 0, limit };
    while end > bounds.floor.next() && limit.events > 0 {
        let further = step.map_or(1, |step: u64| step.saturating_mul(4));
        step = Some(further);
        let after = back(end, further, limit.events).max(bounds.floor);
        let mut run = Run { events: VecDeque::new(), bytes: 0 };
        let mut at = after;
        while at < end.previous() {
            let (page, upto) = read(store, at, filter, limit).await?;
            bounds = page.bounds;
            if bounds.epoch != epoch {
                // The position is of the epoch before.
                return Ok(Page { bounds, events: Vec::new() });
            }
            let earlier = page.events.into_iter().take_while(|event| event.position < end);
            earlier.for_each(|event| run.push(event, limit));
            if upto <= at {
                break;
            }
            at = upto;
        }
        if !found.take(run) {
            break;
        }
        end = after.next();
    }
    Ok(Page { bounds, events: found.events })
}

/// Reads a page. Returns it, and the position up to which there is nothing more; the same position at the end of the log.
async fn read<S: Store + ?Sized>(
    store: &S,
    after: Position,
    filter: Option<&TopicFilter>,
    limit: PageLimit,
) -> Result<(Page, Position), StoreError> {
    let limit = PageLimit { events: AT_ONCE, ..limit };
    Ok(match filter {
        Some(filter) => {
            let read = store.read_topics(after, filter, limit).await?;
            (read.page, read.upto)
        }
        None => {
            let page = store.read(after, limit).await?;
            let upto = page.events.last().map_or(after, |last| last.position);
            (page, upto)
        }
    })
}

/// Returns a position before this one. If the store numbers its events with one number, that many events may lie between.
fn back(end: Position, step: u64, events: usize) -> Position {
    match end.hi() {
        0 => Position::from(
            end.lo().saturating_sub(step.saturating_mul(events as u64)).saturating_sub(1),
        ),
        hi => Position::new(hi.saturating_sub(step), 0),
    }
}

/// The newest events of a run of the log, oldest first: as many as the limit allows.
struct Run {
    events: VecDeque<StoredEvent>,
    bytes: usize,
}

impl Run {
    fn push(&mut self, event: StoredEvent, limit: PageLimit) {
        self.bytes += event.block.len();
        self.events.push_back(event);
        while self.events.len() > limit.events
            || (self.events.len() > 1 && self.bytes > limit.bytes)
        {
            let oldest = self.events.pop_front();
            self.bytes -= oldest.map_or(0, |oldest| oldest.block.len());
        }
    }
}

/// The events that go into the page, newest first.
struct Found {
    events: Vec<StoredEvent>,
    bytes: usize,
    limit: PageLimit,
}

impl Found {
    /// Adds the events of an earlier run. Returns true if there is room for more.
    fn take(&mut self, run: Run) -> bool {
        for event in run.events.into_iter().rev() {
            self.bytes += event.block.len();
            let is_over = self.bytes > self.limit.bytes && !self.events.is_empty();
            if is_over || self.events.len() == self.limit.events {
                return false;
            }
            self.events.push(event);
        }
        self.events.len() < self.limit.events && self.bytes < self.limit.bytes
    }
}
