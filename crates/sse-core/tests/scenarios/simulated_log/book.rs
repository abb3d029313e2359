//! The record of one log: every event that it was given, and what became of it.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use sse_core::Start;

pub(crate) struct Book {
    /// The first word of each event of this log.
    pub(crate) name: &'static str,
    /// Each life of the log has an epoch of its own.
    lives: Vec<Life>,
    epochs: HashMap<String, usize>,
    /// The events of this life that are kept, by position.
    pub(crate) kept: BTreeSet<u64>,
    /// Nothing up to this position is kept, since the log has dropped it.
    pub(crate) base: u64,
    pub(crate) newest: u64,
    pub(crate) is_finished: bool,
    /// The time at which the log was looked at last.
    pub(crate) now: Instant,
    /// Counts the changes, so that "before" and "after" can be compared.
    pub(crate) moment: usize,
}

struct Life {
    epoch: String,
    /// The position before the first event.
    start: u64,
    events: Vec<Entry>,
}

struct Entry {
    size: usize,
    came: Instant,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    /// Was over a limit. Its absence is a gap.
    Dropped,
    /// Was deleted at this moment. Its absence is not a gap, and nobody is given it who had not read it by then.
    Deleted(usize),
    /// Was replaced by a newer one of its key at this moment. Its absence is not a gap.
    Superseded(usize),
}

/// A client is after some position of `lo..=hi`. If an event told it the position, both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) life: usize,
    pub(crate) lo: u64,
    pub(crate) hi: u64,
}

impl Book {
    pub(crate) fn new(name: &'static str, newest_id: &str, now: Instant) -> Self {
        let mut book = Self {
            name,
            lives: Vec::new(),
            epochs: HashMap::new(),
            kept: BTreeSet::new(),
            base: 0,
            newest: 0,
            is_finished: false,
            now,
            moment: 0,
        };
        book.begin_life(newest_id);
        book
    }

    /// Notes that another life begins, after the position with this id.
    pub(crate) fn begin_life(&mut self, newest_id: &str) {
        let (epoch, start) = newest_id.split_once('.').expect("epoch and cursor");
        let start = start.parse().expect("a cursor in memory is one number");
        let was_known = self.epochs.insert(epoch.to_owned(), self.lives.len());
        assert_eq!(was_known, None, "two lives have the same epoch");
        self.lives.push(Life { epoch: epoch.to_owned(), start, events: Vec::new() });
        (self.base, self.newest) = (start, start);
        self.kept.clear();
        self.moment += 1;
    }

    /// The position after the first events, or the reason if that is a gap.
    pub(crate) fn skip(&self, count: u64) -> Result<Span, &'static str> {
        let are_kept =
            |upto: u64| self.base == 0 && self.kept.range(..=upto).count() as u64 == upto;
        match (are_kept(count.min(self.newest)), count <= self.newest) {
            (true, true) => Ok(Span { life: self.life(), lo: count, hi: count }),
            (true, false) => Err("ahead-of-head"),
            (false, _) => Err("too-old"),
        }
    }

    /// The life that the log is in.
    pub(crate) fn life(&self) -> usize {
        self.lives.len() - 1
    }

    /// Notes an event whose text has this size. Returns its position.
    pub(crate) fn append(&mut self, size: usize, came: Instant) -> u64 {
        let life = self.lives.last_mut().expect("a log has a life");
        life.events.push(Entry { size, came, fate: Fate::Kept });
        self.newest += 1;
        self.moment += 1;
        self.kept.insert(self.newest);
        self.newest
    }

    /// Notes that a kept event was deleted or replaced.
    pub(crate) fn remove(&mut self, cursor: u64, fate: fn(usize) -> Fate) {
        if self.kept.remove(&cursor) {
            self.moment += 1;
            self.entry_mut(cursor).fate = fate(self.moment);
        }
    }

    /// Notes that the oldest kept event was dropped. Returns when it came.
    pub(crate) fn drop_oldest(&mut self) -> Instant {
        let oldest = self.kept.pop_first().expect("an event that can be dropped");
        self.base = oldest;
        self.moment += 1;
        let entry = self.entry_mut(oldest);
        entry.fate = Fate::Dropped;
        entry.came
    }

    pub(crate) fn came(&self, life: usize, cursor: u64) -> Instant {
        self.entry(life, cursor).expect("an event of the log").came
    }

    pub(crate) fn fate(&self, life: usize, cursor: u64) -> Option<Fate> {
        self.entry(life, cursor).map(|entry| entry.fate)
    }

    /// The id of a position in the present life.
    pub(crate) fn id(&self, cursor: u64) -> String {
        format!("{}.{cursor}", self.lives[self.life()].epoch)
    }

    /// The position that an id of this log names.
    pub(crate) fn position(&self, id: &str) -> Option<Span> {
        let (epoch, cursor) = id.split_once('.')?;
        // Each position has one text.
        let cursor = cursor.parse().ok().filter(|number: &u64| number.to_string() == cursor)?;
        Some(Span { life: *self.epochs.get(epoch)?, lo: cursor, hi: cursor })
    }

    /// Returns the data of an event, which has a size of its own; some of it looks like a line of the protocol.
    pub(crate) fn text(&self, life: usize, cursor: u64, size: usize) -> String {
        let line = if size % 7 == 3 { "\n\nid: 1.1\n" } else { " " };
        format!("{} {life} {cursor}{line}{}", self.name, "x".repeat(size))
    }

    /// Reads the event that a client got: it is one of the log, unchanged.
    pub(crate) fn event(&self, data: &str) -> (usize, u64) {
        let mut words = data.split_ascii_whitespace().skip(1);
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let (life, cursor) = number().zip(number()).expect("an event of the log has two numbers");
        let life = life as usize;
        let entry = self.entry(life, cursor).expect("an event that was appended");
        assert_eq!(data, self.text(life, cursor, entry.size), "the text was changed");
        (life, cursor)
    }

    /// The first event after a position that a client cannot do without: it is kept, or was dropped.
    pub(crate) fn next_due(&self, life: usize, after: u64) -> Option<u64> {
        let of = &self.lives[life];
        let first = after.saturating_sub(of.start) as usize;
        let mut events = of.events.iter().enumerate().skip(first);
        let is_due = |entry: &Entry| matches!(entry.fate, Fate::Kept | Fate::Dropped);
        events.find(|(_, entry)| is_due(entry)).map(|(place, _)| of.start + 1 + place as u64)
    }

    /// Returns true if a client in this span may get the event now, with nothing lost and nothing repeated.
    pub(crate) fn follows(&self, span: Span, (life, cursor): (usize, u64)) -> bool {
        let due = if span.life == life { self.next_due(life, span.hi) } else { None };
        span.life == life && cursor > span.lo && due.is_none_or(|due| cursor <= due)
    }

    /// The reason why a client in this span cannot resume exactly; `None` if it may be able to.
    pub(crate) fn gap(&self, span: Span) -> Option<&'static str> {
        match span {
            Span { life, .. } if life != self.life() => Some("other-epoch"),
            Span { lo, .. } if lo > self.newest => Some("ahead-of-head"),
            Span { lo, .. } if lo < self.base => Some("too-old"),
            _ => None,
        }
    }

    pub(crate) fn is_kept_after(&self, cursor: u64) -> bool {
        self.kept.last().is_some_and(|newest| *newest > cursor)
    }

    /// The position at which a first visit begins if it begins now.
    pub(crate) fn start(&self, start: &Start) -> Span {
        let cursor = match start {
            Start::Since(age) => {
                // "Within 1 ms", or within a thousandth of an age of 2 s at most.
                let lo = self.older_than(age.saturating_add(Duration::from_millis(2)));
                return Span { life: self.life(), lo, hi: self.older_than(*age) };
            }
            Start::Oldest => self.base,
            Start::Last(0) => self.newest,
            Start::Last(count) if self.kept.len() <= *count => self.base,
            // The event before the last `count` of them.
            Start::Last(count) => *self.kept.iter().nth_back(*count).expect("more are kept"),
            _ => self.newest,
        };
        Span { life: self.life(), lo: cursor, hi: cursor }
    }

    /// The newest event that is older than this, or the base.
    fn older_than(&self, age: Duration) -> u64 {
        let came = |cursor| self.came(self.life(), cursor);
        let older = |cursor: &&u64| self.now.saturating_duration_since(came(**cursor)) > age;
        let within = self.kept.iter().find(|cursor| !older(cursor));
        within.map_or(self.newest, |first| first - 1).max(self.base)
    }

    /// The position after everything that there is.
    pub(crate) fn end(&self) -> Span {
        self.start(&Start::Live)
    }

    fn entry(&self, life: usize, cursor: u64) -> Option<&Entry> {
        let life = self.lives.get(life)?;
        life.events.get(cursor.checked_sub(life.start + 1)? as usize)
    }

    fn entry_mut(&mut self, cursor: u64) -> &mut Entry {
        let life = self.lives.last_mut().expect("a log has a life");
        &mut life.events[(cursor - life.start - 1) as usize]
    }
}
