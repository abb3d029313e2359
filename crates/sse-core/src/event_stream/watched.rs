//! The record of a stream, for an observer and for the stream's span.

use std::time::Instant;

use tracing::Span;
use tracing::span::EnteredSpan;

use crate::event_stream::span;
use crate::observer::{Ended, Observing};
use crate::{Delivered, End, EventId, Gap, Observer};

/// The record of a stream that has an observer, or a subscriber of `tracing` for its span.
pub(super) struct Watched {
    observer: Option<Observing>,
    span: Span,
    opened: Instant,
    ended: Ended,
    /// True until the stream has first waited for new events.
    is_replay: bool,
    /// True while it waits for the store, behind the events in memory.
    is_behind: bool,
    /// True while the span is entered.
    is_within: bool,
}

impl Watched {
    /// Returns the record of a stream, unless there is nothing to record it for.
    pub(super) fn new(observer: Option<Observing>, span: Span, now: Instant) -> Option<Box<Self>> {
        if observer.is_none() && span.is_disabled() {
            return None;
        }
        // `Left` until another end is known: the framework may drop the body at any time.
        let ended = Ended::new(End::Left);
        let new = Self {
            observer,
            span,
            opened: now,
            ended,
            is_replay: true,
            is_behind: false,
            is_within: false,
        };
        new.tell(|observer| observer.opened());
        Some(Box::new(new))
    }

    /// Enters the span, if there is one and it is not entered yet: what is logged meanwhile is within it.
    #[cold]
    pub(super) fn enter(&mut self) -> Option<EnteredSpan> {
        if self.is_within || self.span.is_disabled() {
            return None;
        }
        self.is_within = true;
        Some(self.span.clone().entered())
    }

    /// Records that the span is left.
    pub(super) fn exit(&mut self) {
        self.is_within = false;
    }

    /// Records that the events of this stream are new, from the first on.
    pub(super) fn is_live(&mut self) {
        self.is_replay = false;
        self.tell(|observer| observer.live());
    }

    /// Records that the stream waits: for new events, or for the store.
    #[cold]
    pub(super) fn waits(&mut self, has_all: bool, is_behind: bool) {
        if has_all && self.is_replay {
            self.is_live();
        }
        match (self.is_behind, is_behind) {
            (false, true) => self.tell(|observer| observer.behind()),
            // A reader that waits for something else is still behind, until it has all.
            (true, false) if has_all => self.tell(|observer| observer.caught_up()),
            _ => return,
        }
        self.is_behind = is_behind;
    }

    pub(super) fn gap(&self, gap: &Gap) {
        self.tell(|observer| observer.gap(gap));
    }

    /// Counts the events of a chunk: whole frames, each with exactly one empty line, at its end.
    pub(super) fn delivered(&mut self, chunk: &[u8]) {
        let events = memchr::memmem::find_iter(chunk, b"\n\n").count();
        self.ended.events += events as u64;
        self.ended.replayed += if self.is_replay { events as u64 } else { 0 };
        self.ended.bytes += chunk.len() as u64;
        if self.observer.is_none() {
            return; // the span has no more than these numbers
        }
        if let Some(id) = last_id(chunk) {
            self.ended.last_event_id = Some(id);
        }
        let (is_replay, last_event_id) = (self.is_replay, self.ended.last_event_id.as_ref());
        let delivered = Delivered { events, bytes: chunk.len(), is_replay, last_event_id };
        self.tell(|observer| observer.delivered(&delivered));
    }

    pub(super) fn end(&mut self, end: End) {
        self.ended.end = end;
    }

    pub(super) fn over(mut self, now: Instant) {
        self.ended.lasted = now.saturating_duration_since(self.opened);
        span::record(&self.span, &self.ended);
        if self.is_behind {
            self.tell(|observer| observer.caught_up());
        }
        self.tell(|observer| observer.ended(&self.ended));
    }

    fn tell(&self, call: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.observer {
            observer.tell(call);
        }
    }
}

/// Returns the id that the client remembers after these frames. A line of data is never taken for it, because it begins with `data: `.
fn last_id(chunk: &[u8]) -> Option<EventId> {
    let id = memchr::memmem::rfind(chunk, b"\nid: ").map(|at| &chunk[at + 5..]);
    let id = id.or_else(|| chunk.strip_prefix(b"id: "))?;
    let line = &id[..memchr::memchr(b'\n', id)?];
    std::str::from_utf8(line).ok().map(EventId::unchecked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_id_is_that_of_the_last_frame_that_has_one() {
        let id = |frames: &str| last_id(frames.as_bytes()).map(|id| id.to_string());
        assert_eq!(id("data: one\nid: a.1\n\ndata: two\nid: a.2\n\n"), Some("a.2".into()));
        assert_eq!(id("id: a.1\ndata: one\n\nevent: b\ndata: no id\n\n"), Some("a.1".into()));
        assert_eq!(id("data: id: a.1\ndata: id: a.2\n\n"), None);
        assert_eq!(id("id: \ndata: forgets\n\n"), Some(String::new()));
    }
}
