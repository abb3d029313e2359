//! The end of a stream, and of a response without a body: what justifies it.

use sse_core::Start;

use super::super::book::{Book, Span};
use super::super::choices::AfterGap;
use super::{At, Track};

/// The future of a stream if nothing more happens to its logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// There is more to come, or there will be.
    More,
    /// The log is finished, and the client has all of it.
    Finished,
    /// A gap is the end.
    Refused,
    /// The simulation cannot tell.
    Unclear,
}

impl Outlook {
    /// Checks the status of a response: true is 200, false 204.
    pub(crate) fn check(self, is_answered: bool) {
        match self {
            Self::More => assert!(is_answered, "204, though there is more to come"),
            Self::Finished | Self::Refused => assert!(!is_answered, "200, though it is {self:?}"),
            Self::Unclear => {}
        }
    }
}

impl Track {
    /// Returns what is to come for the client.
    pub(crate) fn outlook(&self, book: &Book) -> Outlook {
        let has_more = match &self.at {
            At::Begin { span, .. } | At::Between(span) => {
                let span =
                    if span.life == book.life() { *span } else { book.start(&Start::Oldest) };
                (book.is_kept_after(span.hi), book.is_kept_after(span.lo))
            }
            At::Lost(_) | At::Snapshot { .. } => (true, true),
        };
        let is_uncertain = |span: &Span| span.lo != span.hi && book.gap(*span).is_some();
        match (self.gap(book), self.choices.after_gap()) {
            (Some(_), _) if matches!(&self.at, At::Begin { .. }) => Outlook::Unclear,
            (Some(_), _) if matches!(&self.at, At::Between(span) if is_uncertain(span)) => {
                Outlook::Unclear
            }
            (Some(_), AfterGap::Stop) => Outlook::Refused,
            // A merge may have gone on from here without an event to say so.
            (Some(_), AfterGap::Live) if book.is_finished && self.delay > 1 => Outlook::Unclear,
            (Some(_), AfterGap::Live) if book.is_finished => Outlook::Finished,
            (Some(_), _) => Outlook::More,
            (None, _) if !book.is_finished => Outlook::More,
            (None, _) => match has_more {
                (true, _) => Outlook::More,
                (_, false) => Outlook::Finished,
                _ => Outlook::Unclear,
            },
        }
    }

    /// Returns true if the client may be refused now.
    pub(crate) fn may_be_refused(&self, book: &Book) -> bool {
        self.choices.after_gap() == AfterGap::Stop && self.gap(book).is_some()
    }

    /// Returns true if there may be nothing more for the client.
    pub(crate) fn may_be_finished(&self, book: &Book) -> bool {
        let is_silent = self.is_silent(book);
        book.is_finished
            && match &self.at {
                At::Begin { span, .. } | At::Between(span) => {
                    let is_at_the_end = span.life == book.life() && !book.is_kept_after(span.hi);
                    is_silent || (is_at_the_end && self.gap(book).is_none())
                }
                At::Lost(_) => is_silent,
                At::Snapshot { .. } => false,
            }
    }

    /// Returns true if the snapshot that is to come has failed, or is of a position that is itself a gap.
    pub(crate) fn has_no_snapshot(&self, book: &Book) -> bool {
        let At::Snapshot { next: 0, .. } = self.at else { return false };
        let Some((_, made)) = self.choices.snapshots.last_of(book.name) else { return false };
        let is_gap = |at: &str| book.position(at).is_none_or(|span| book.gap(span).is_some());
        made.has_failed || made.at.is_some_and(|at| is_gap(at.as_str()))
    }
}
