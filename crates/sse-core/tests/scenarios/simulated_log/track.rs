//! The position of one client in one log: it knows what may come next.

use std::collections::VecDeque;

use sse_core::Start;

use super::book::{Book, Span};
use super::choices::{AfterGap, Choices};

mod arrivals;
mod outlook;

pub(crate) use outlook::Outlook;

pub(crate) struct Track {
    pub(crate) choices: Choices,
    pub(crate) at: At,
    /// The position in this log that the last event ID of the client names.
    pub(crate) known: Known,
    /// The reasons for a gap since it connected, or was told of the last one. In a merge it may be some polls until the log has its turn.
    gaps_before: Vec<&'static str>,
    /// The newest event when the first of these was found.
    newest_at_gap: u64,
    newest_before: u64,
    /// The moments of the last polls of the stream.
    polls: VecDeque<usize>,
    /// The moment after which a snapshot was read whose next events may still be held.
    snapshot_after: Option<usize>,
    /// An event of the log has come since.
    has_read_on: bool,
    /// The number of polls that may go by between reading an event and sending it.
    delay: usize,
}

/// The position in a stream.
#[derive(Debug, Clone)]
pub(crate) enum At {
    /// A first visit that has read nothing yet. It meets no gap, unless an id that names other logs says when it came.
    Begin {
        start: Start,
        span: Span,
        may_be_told: bool,
    },
    Between(Span),
    /// There is no position to go on from, for this reason. The client is still to be told.
    Lost(&'static str),
    /// A reset was sent, and a snapshot is to come, of which this event is the next. If the client is cut off now it is where it was before.
    Snapshot {
        next: usize,
        before: Known,
    },
}

/// The position in a log that an id names.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// There is no id.
    New,
    /// An id of a merge that may leave out this log, since nothing was read from it yet.
    Fresh(Span),
    At(Span),
    /// There is no id, and the first events are not all there, for this reason.
    Uncounted(&'static str),
    /// An id of an epoch that the log never had.
    Foreign,
    Nonsense,
    /// Nonsense still, or the position at which the stream went on live without a word.
    Unclear,
}

impl Track {
    pub(crate) fn new(choices: Choices, delay: usize) -> Self {
        let nowhere = Span { life: 0, lo: 0, hi: 0 };
        Self {
            choices,
            at: At::Between(nowhere),
            known: Known::New,
            gaps_before: Vec::new(),
            newest_at_gap: 0,
            newest_before: 0,
            polls: VecDeque::new(),
            snapshot_after: None,
            has_read_on: false,
            delay,
        }
    }

    /// Connects with what the client's id says. Returns what is to come of it.
    pub(crate) fn connect(&mut self, known: Known, start: Start, book: &Book) -> Outlook {
        self.at = match &known {
            Known::New if self.choices.begins_with_a_snapshot => {
                At::Snapshot { next: 0, before: Known::New }
            }
            Known::New => {
                let may_be_told = is_live(&start);
                At::Begin { span: book.start(&start), start, may_be_told }
            }
            Known::Fresh(span) => At::Begin { start, span: *span, may_be_told: true },
            Known::At(span) => match book.gap(*span) {
                // Later the log may give an id that is ahead now.
                Some(reason @ "ahead-of-head") => At::Lost(reason),
                _ => At::Between(*span),
            },
            Known::Uncounted(reason) => At::Lost(reason),
            Known::Foreign => At::Lost("other-epoch"),
            Known::Nonsense | Known::Unclear => At::Lost("unknown"),
        };
        self.known = known;
        self.snapshot_after = None;
        self.polls.clear();
        self.gaps_before.clear();
        self.was_polled(book);
        self.outlook(book)
    }

    /// Notes the end of a poll.
    pub(crate) fn was_polled(&mut self, book: &Book) {
        self.widen(book);
        if self.delay > 1
            && !self.polls.is_empty()
            && let At::Begin { span, start, may_be_told } = &mut self.at
            && !book.is_kept_after(if let Start::Since(_) = start { span.hi } else { span.lo })
        {
            // The log was looked at in its turn, had nothing, and goes on from its end.
            (*may_be_told, span.hi) = (true, book.newest);
        }
        if self.gaps_before.is_empty() {
            self.newest_at_gap = book.newest;
        }
        self.gaps_before.extend(self.gap(book));
        self.newest_before = book.newest;
        if self.has_read_on {
            self.snapshot_after = None;
        }
        self.polls.push_back(book.moment);
        if self.polls.len() > self.delay {
            self.polls.pop_front();
        }
    }

    /// Notes that a first visit may begin at the present position, too.
    pub(crate) fn widen(&mut self, book: &Book) {
        if let At::Begin { start, span, may_be_told } = &mut self.at {
            let now = book.start(start);
            if span.life == now.life {
                (span.lo, span.hi) = (span.lo.min(now.lo), span.hi.max(now.hi));
            } else if !*may_be_told {
                *span = now;
            }
        }
    }

    /// The reason for a gap that the client is to be told of now; `None` if it may be able to go on.
    fn gap(&self, book: &Book) -> Option<&'static str> {
        match &self.at {
            At::Begin { span, may_be_told: true, .. } | At::Between(span) => book.gap(*span),
            At::Lost(reason) => Some(reason),
            At::Begin { .. } | At::Snapshot { .. } => None,
        }
    }

    /// Returns true if the stream may go on after a gap without a word.
    pub(crate) fn is_silent(&self, book: &Book) -> bool {
        self.choices.after_gap() == AfterGap::Live && self.gap(book).is_some()
    }

    /// Returns true if something can be sent to the client now.
    pub(crate) fn is_owed(&self, book: &Book) -> bool {
        let is_silent = self.is_silent(book);
        match &self.at {
            _ if is_silent => book.newest > self.newest_before,
            // It may have begun in the present life, in which there is nothing yet.
            At::Begin { span, start, .. } if span.life != book.life() => {
                book.is_kept_after(book.start(start).hi)
            }
            At::Begin { span, .. } | At::Between(span) => {
                span.life != book.life() || book.next_due(span.life, span.hi).is_some()
            }
            At::Lost(_) => true,
            // Until it is ready it is the application that takes its time.
            At::Snapshot { .. } => {
                let made = self.choices.snapshots.last_of(book.name);
                made.is_some_and(|(_, made)| made.at.is_some())
            }
        }
    }

    /// Fixes the position of an id that the stream sends now for another reason.
    pub(crate) fn freeze(&mut self, book: &Book) {
        self.known = self.frozen(book);
    }

    fn frozen(&self, book: &Book) -> Known {
        let is_silent = self.is_silent(book);
        match &self.at {
            At::Begin { span, start, .. } if is_live(start) => Known::At(*span),
            At::Begin { span, .. } => Known::Fresh(*span),
            At::Between(span) if is_silent && span.life == book.life() => {
                Known::At(Span { hi: span.hi.max(book.newest), ..*span })
            }
            // It may have gone on in the present life by now.
            At::Between(_) | At::Lost(_) if is_silent => Known::Unclear,
            At::Between(span) => Known::At(*span),
            At::Lost(_) => self.known.clone(),
            At::Snapshot { before, .. } => before.clone(),
        }
    }
}

/// Returns true if a first visit begins with the next event.
pub(crate) fn is_live(start: &Start) -> bool {
    matches!(start, Start::Live | Start::Last(0))
}
