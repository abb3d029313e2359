//! A client that polls: when its response may end, and when it must.

use super::book::Book;
use super::track::{At, Track};

/// A client that has what was there when it came gets the end within this many polls. These are, if that was a snapshot after which the log has
/// dropped something: its last events, a reset, and what follows it.
const POLLS_TO_THE_END: usize = 3;

/// One response to a client that polls.
#[derive(Default)]
pub(crate) struct Poll {
    has_first_line: bool,
    /// The life of the log and its newest event, when the client asked for events of that life for the first time.
    goal: Option<(usize, u64)>,
    /// An event has come, or a reset.
    has_any: bool,
    /// The number of polls since it has had what was there.
    polls: usize,
}

impl Poll {
    /// Notes that the stream is asked for more.
    pub(crate) fn ask(&mut self, book: &Book) {
        if !std::mem::replace(&mut self.has_first_line, true) {
            return;
        }
        if self.goal.is_none_or(|(life, _)| life != book.life()) {
            (self.goal, self.polls) = (Some((book.life(), book.newest)), 0);
        }
    }

    /// Notes that the stream goes on. If `has_come`, the client got something.
    pub(crate) fn goes_on(&mut self, at: &At, has_come: bool) {
        self.has_any |= has_come;
        self.polls = if self.has_any && self.has_all(at) { self.polls + 1 } else { 0 };
        assert!(self.polls <= POLLS_TO_THE_END, "it has what was there, and gets no end: {at:?}");
    }

    /// Returns true if the response may end now: there is nothing more, or the client has what was there.
    pub(crate) fn may_end(&self, track: &Track, book: &Book) -> bool {
        self.has_any && (self.has_all(&track.at) || !track.is_owed(book) || track.is_silent(book))
    }

    fn has_all(&self, at: &At) -> bool {
        let At::Between(span) = at else { return false };
        self.goal.is_some_and(|(life, newest)| span.life == life && span.lo >= newest)
    }
}
