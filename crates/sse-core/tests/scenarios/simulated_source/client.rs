//! A client, which knows what must come next.

use fastrand::Rng;
use serde_json::Value;
use sse_core::{Feed, OnGap};

use super::connection::{Connection, Known};
use super::database::{self, Database};
use super::options::{AtGap, Options, UNUSABLE};
use crate::simulation::Reader;
use crate::support::parser::Parsed;

pub(super) struct Client {
    pub(super) reader: Reader,
    pub(super) options: Options,
    connection: Connection,
    next: Next,
    /// It has come with an id that no header can carry.
    is_unusable: bool,
    /// It has been noted that this connection begins with a gap.
    has_noted_gap: bool,
    /// The number of events that it has received.
    pub(super) count: usize,
}

/// The behaviour of a source in a step of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    /// It answered at once, or it was not asked.
    Well,
    /// It made the client wait.
    Slowly,
    /// It has failed, or ended what it streamed, since the client connected.
    Badly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Event(u64),
    /// The first event of which its subscription is told.
    FirstTold,
    /// The `reset`.
    Word,
    /// A snapshot, or the rest of one as of this event after this part.
    Snapshot(Option<(u64, usize)>),
    End,
}

impl Client {
    pub(super) fn new(database: &Database, last_event_id: &str, options: Options) -> Self {
        Self {
            reader: Reader::at(database.clock.timer(), last_event_id),
            options,
            connection: Connection::new(database, last_event_id),
            next: Next::End,
            is_unusable: false,
            has_noted_gap: false,
            count: 0,
        }
    }

    /// Connects if it is not connected, and reads what is there.
    pub(super) fn step(&mut self, database: &Database, rng: &mut Rng, cuts_within: bool) -> Did {
        if !self.reader.is_connected() {
            self.connect(database);
        }
        let waits = self.connection.known().waits;
        self.reader.read(rng, cuts_within);
        self.note_gap();
        for event in std::mem::take(&mut self.reader.arrived) {
            self.take(&event);
        }
        if std::mem::take(&mut self.reader.has_ended) {
            self.end(database);
        }
        let known = self.connection.known();
        match () {
            () if known.has_failed => Did::Badly,
            () if known.waits > waits => Did::Slowly,
            () => Did::Well,
        }
    }

    /// Tells whether it has received all events before this one.
    pub(super) fn is_at(&self, next: u64) -> bool {
        match self.next {
            Next::Event(number) => number == next,
            // Events that were not buffered may be lost, too.
            Next::FirstTold if self.has_noted_gap && self.options.is_tight => true,
            Next::FirstTold => self.first() == Some(next),
            _ => false,
        }
    }

    fn connect(&mut self, database: &Database) {
        let last_event_id = self.reader.last_event_id();
        self.connection = Connection::new(database, last_event_id);
        self.has_noted_gap = false;
        self.is_unusable = last_event_id == UNUSABLE;
        self.next = match last_event_id.parse::<u64>() {
            Ok(number) => Next::Event(number + 1),
            Err(_) if last_event_id.is_empty() => Next::FirstTold,
            Err(_) => Next::End,
        };
        let on_gap = match self.options.at_gap {
            AtGap::Reset => OnGap::Reset,
            AtGap::Live => OnGap::Live,
            AtGap::Stop => OnGap::Stop,
            AtGap::Snapshot => self.connection.snapshots(),
        };
        let feed = Feed::from(self.connection.clone())
            .on_gap(on_gap)
            .on_error({
                let connection = self.connection.clone();
                move |error| {
                    let mut known = connection.known();
                    known.reports += 1;
                    // A snapshot has 30 s, and more may pass here.
                    let source = std::error::Error::source(error).map(ToString::to_string);
                    known.has_failed |= source.is_some_and(|text| text.contains("not made within"));
                }
            })
            .buffered_events(self.options.buffered)
            .remembered_ids(self.options.remembered)
            .late_notifications(database::LATE);
        let feed = if self.options.reads_on { feed } else { feed.ends_when_caught_up() };
        if !self.reader.is_answered(feed) {
            assert_eq!((self.reader.last_event_id(), self.options.at_gap), (UNUSABLE, AtGap::Stop));
            self.forget_its_id(database);
        }
    }

    fn note_gap(&mut self) {
        let known = self.connection.known();
        // The source is not asked about such an id.
        let has_gap = known.gaps > 0 || self.is_unusable && known.first.is_some();
        if self.has_noted_gap || !has_gap {
            return;
        }
        self.has_noted_gap = true;
        self.next = match self.options.at_gap {
            AtGap::Reset | AtGap::Snapshot => Next::Word,
            AtGap::Live => Next::FirstTold,
            AtGap::Stop => Next::End,
        };
    }

    fn take(&mut self, event: &Parsed) {
        let said = format!("{event:.200?}, not {:?}", self.next);
        match (event.event_type.as_str(), self.next) {
            ("reset", Next::Word) => {
                let data: Value = serde_json::from_str(&event.data).expect("JSON");
                assert_eq!((data["reason"].as_str(), &*event.last_event_id), (Some("unknown"), ""));
                let is_reset = self.options.at_gap == AtGap::Reset;
                self.next = if is_reset { Next::FirstTold } else { Next::Snapshot(None) };
            }
            ("snapshot", Next::Snapshot(None)) => {
                let at: u64 = event.last_event_id.parse().expect("a number");
                self.next = Next::Event(at + 1);
            }
            ("message", Next::Snapshot(before)) => self.take_part(event, before),
            ("message", next @ (Next::Event(_) | Next::FirstTold)) => {
                let number = event.data.split(' ').next().and_then(|number| number.parse().ok());
                let number: u64 = number.unwrap_or_else(|| panic!("{said}"));
                assert_eq!(event.last_event_id, number.to_string());
                let is_due = match next {
                    Next::Event(due) => number == due,
                    // After a gap what was not buffered may be lost, too.
                    _ if self.has_noted_gap && self.options.is_tight => {
                        self.first().is_some_and(|first| number >= first)
                    }
                    _ => self.first() == Some(number),
                };
                assert!(is_due, "{said}; the first it is told of is {:?}", self.first());
                self.next = Next::Event(number + 1);
                self.count += 1;
            }
            _ => panic!("{said}"),
        }
    }

    /// Checks a part of a state. Only the last part has an id: that of the newest event which is in the state.
    fn take_part(&mut self, event: &Parsed, before: Option<(u64, usize)>) {
        let words: Vec<&str> = event.data.split(' ').collect();
        let ["state", at, part, parts, ..] = words[..] else {
            panic!("{event:.200?}, not a state");
        };
        let (Ok(number), Ok(part), Ok(parts)) = (at.parse(), part.parse(), parts.parse::<usize>())
        else {
            panic!("three numbers");
        };
        let (whose, last) = before.unwrap_or((number, 0));
        assert_eq!((number, part), (whose, last + 1), "the next part of the same state");
        let is_whole = part == parts;
        assert_eq!(event.last_event_id, if is_whole { at } else { "" });
        self.next =
            if is_whole { Next::Event(number + 1) } else { Next::Snapshot(Some((number, part))) };
    }

    /// A response ends for a reason.
    fn end(&mut self, database: &Database) {
        let at_gap = self.options.at_gap;
        let Known { has_failed, gaps, errors, reports, .. } = *self.connection.known();
        let is_stopped = self.has_noted_gap && at_gap == AtGap::Stop;
        // Beyond a snapshot the source is asked once; about an id that no header can carry it is not.
        let gaps = gaps + usize::from(self.is_unusable);
        let is_without_way_on = at_gap == AtGap::Snapshot && gaps > 1;
        let is_limited = self.options.is_tight || !self.options.reads_on;
        let has_reason = has_failed || is_limited || is_stopped || is_without_way_on;
        assert!(has_reason, "an end without a reason");
        let is_told_why = errors == 0 || is_limited || is_stopped;
        assert!(is_told_why || reports == 1, "an error that is not reported");
        if is_stopped {
            self.forget_its_id(database);
        }
    }

    /// A browser would ask no more; its user does, with a page that knows nothing.
    fn forget_its_id(&mut self, database: &Database) {
        self.reader = Reader::at(database.clock.timer(), "");
    }

    fn first(&self) -> Option<u64> {
        self.connection.known().first
    }
}
