//! The checks of all that may arrive from a log.

use serde_json::Value;

use super::super::book::{Book, Fate, Span};
use super::super::choices::AfterGap;
use super::{At, Known, Track, is_live};
use crate::support::parser::Parsed;

impl Track {
    /// Checks an event of the log.
    pub(crate) fn take_event(&mut self, data: &str, book: &Book) -> Span {
        let (life, cursor) = book.event(data);
        let read_after = *self.polls.front().expect("it is connected");
        match book.fate(life, cursor) {
            Some(Fate::Deleted(when)) => assert!(when > read_after, "{data:?} had been deleted"),
            Some(Fate::Superseded(when)) => {
                // The events after a snapshot were read with it, if they could not be read again when all of the snapshot had gone out.
                let held_after =
                    self.snapshot_after.map_or(read_after, |then| then.min(read_after));
                assert!(when > held_after, "{data:?} had been superseded");
            }
            _ => {}
        }
        self.has_read_on = true;
        let is_silent = self.is_silent(book);
        let is_right = match &self.at {
            // In another life than that in which it came it has lost nothing.
            At::Begin { span, .. } if span.life != book.life() => life == book.life(),
            At::Begin { span, .. } => {
                let mut kept = book.kept.iter();
                let has_skipped = kept.any(|kept| span.hi < *kept && *kept < cursor);
                let is_first = life == span.life && cursor > span.lo && !has_skipped;
                is_first || (is_silent && life == book.life())
            }
            At::Between(span) => {
                let is_newer = life == book.life() && (life != span.life || cursor > span.lo);
                book.follows(*span, (life, cursor)) || (is_silent && is_newer)
            }
            At::Lost(_) => is_silent && life == book.life(),
            At::Snapshot { .. } => false,
        };
        assert!(is_right, "lost, repeated, or out of order: {data:?} at {:?}", self.at);
        let span = Span { life, lo: cursor, hi: cursor };
        self.gaps_before.clear();
        (self.at, self.known) = (At::Between(span), Known::At(span));
        span
    }

    /// Checks a reset: it is true, and the client has asked for one.
    pub(crate) fn take_reset(&mut self, said: &Value, book: &Book) {
        let reason = said["reason"].as_str().expect("a reason");
        let mut reasons = std::mem::take(&mut self.gaps_before);
        reasons.extend(self.gap(book));
        let is_right = reasons.contains(&reason)
            || match reason {
                // A merge does not keep an id that it has no room for.
                "unknown" => self.delay > 1 && !reasons.is_empty(),
                // An id that no log can have given may look like that of another.
                "other-epoch" if reasons.contains(&"unknown") => true,
                // The first events of a new epoch are not there either.
                "other-epoch" => matches!(self.known, Known::Uncounted("too-old")),
                // It may have begun in this life, and fallen behind.
                // In a merge, an id may be of a client that has gone on live into this life without a word.
                "too-old" if self.delay > 1 && reasons.contains(&"other-epoch") => true,
                "too-old" => matches!(&self.at, At::Begin { may_be_told: true, .. }),
                _ => false,
            };
        assert!(is_right, "no gap of this kind: {said} at {:?}, but {reasons:?}", self.at);
        let position = |id: &Value| book.position(id.as_str()?);
        let (oldest, newest) = (position(&said["oldest"]), position(&said["newest"]));
        let before = self.frozen(book);
        self.at = match self.choices.after_gap() {
            AfterGap::Reset | AfterGap::StartOver => At::Between(match oldest {
                Some(Span { life, lo, .. }) => Span { life, lo: lo - 1, hi: lo - 1 },
                None => Span { lo: self.newest_at_gap.min(book.newest), ..book.end() },
            }),
            AfterGap::Snapshot => At::Snapshot { next: 0, before },
            choice => panic!("a reset, and the choice is {choice:?}"),
        };
        if matches!(self.at, At::Between(_)) {
            self.known = self.frozen(book);
        }
        assert_eq!(oldest.is_some(), newest.is_some(), "{said}");
        assert_eq!(
            said["oldest"].is_null(),
            oldest.is_none(),
            "an id that the log never gave: {said}"
        );
        assert!(oldest.is_none_or(|oldest| newest.is_some_and(|newest| oldest.lo <= newest.lo)));
    }

    /// Checks an opening event: the stream begins live, at this position.
    pub(crate) fn take_opening(&mut self, at: Span, is_first: bool, book: &Book) {
        let is_silent = self.is_silent(book);
        let is_here = at.life != book.life() || at.lo <= book.newest;
        let is_right = match &self.at {
            // It may go on with some events that it would have missed, and never steps back.
            At::Between(span) if is_silent => at.life != span.life || at.lo >= span.lo,
            At::Begin { .. } | At::Lost(_) if is_silent => true,
            At::Begin { span, .. } if at.life != book.life() => *span == at,
            At::Begin { span, .. } => span.lo <= at.lo && !book.is_kept_after(span.hi.max(at.lo)),
            // A first visit after the newest event begins live, too.
            At::Between(span) => is_first && *span == at,
            At::Lost(_) | At::Snapshot { .. } => false,
        };
        assert!(self.choices.has_opening_event && is_right && is_here, "{at:?}: {:?}", self.at);
        self.at = At::Between(at);
    }

    /// Checks an event of a snapshot. Returns the id that it must carry, if it is the last.
    pub(crate) fn take_state(&mut self, event: &Parsed, book: &Book) -> Option<String> {
        let (number, made) = self.choices.snapshots.last_of(book.name).expect("one was made");
        let at = made.at.expect("it is ready");
        let At::Snapshot { next, .. } = &mut self.at else {
            panic!("a snapshot without a reset: {event:?}");
        };
        if made.count > 0 {
            let words = format!("{} {number} {next} ", book.name);
            assert!(event.data.starts_with(&words), "{event:?} is not {words:?}");
        } else {
            assert_eq!((event.event_type.as_str(), event.data.as_str()), ("snapshot", ""));
        }
        if *next == 0 {
            (self.snapshot_after, self.has_read_on) = (self.polls.front().copied(), false);
        }
        *next += 1;
        if *next < made.count {
            return None;
        }
        let span = book.position(at.as_str()).expect("an id of the log");
        (self.at, self.known) = (At::Between(span), Known::At(span));
        Some(at.to_string())
    }

    /// Checks that a stream which waits has nothing more to send.
    pub(crate) fn take_silence(&mut self, book: &Book) {
        let is_silent = self.is_silent(book);
        match &self.at {
            At::Snapshot { .. } => return,
            // Its id may say that there is no position to go on from.
            _ if is_silent && book.is_finished => return,
            _ if is_silent => {}
            At::Begin { span, start, .. } if span.life != book.life() && is_live(start) => {}
            At::Begin { span, start, .. } => {
                let span = if span.life == book.life() { *span } else { book.start(start) };
                assert!(!book.is_kept_after(span.hi), "it waits, and has not begun: {:?}", self.at);
            }
            At::Between(span) => {
                let is_there = book.gap(*span).is_none() || span.lo != span.hi;
                let due = book.next_due(span.life, span.hi);
                assert!(
                    is_there && due.is_none(),
                    "it waits at {:?}, and there is {due:?}",
                    self.at
                );
            }
            At::Lost(_) => panic!("it waits, and was not told of its gap: {:?}", self.at),
        }
        self.at = At::Between(book.end());
    }
}
