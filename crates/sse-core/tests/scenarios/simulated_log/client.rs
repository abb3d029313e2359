//! A client of one log, and what it checks.

use fastrand::Rng;
use sse_core::{Epoch, Position, Start};

use super::book::Book;
use super::choices::{AfterGap, Choices};
use super::patience::Patience;
use super::polling::Poll;
use super::recorded::Recorded;
use super::track::{At, Known, Track, is_live};
use crate::simulation::Reader;
use crate::support::parser::Parsed;

/// The largest chunk, unless a single event is larger.
pub(crate) const CHUNK_SIZE: usize = 64 * 1024;

pub(crate) struct Client {
    reader: Reader,
    track: Track,
    pub(crate) patience: Patience,
    /// This is its first visit, and nothing has come yet.
    is_new: bool,
    /// It was told that there is nothing more.
    pub(crate) is_done: bool,
    /// Its response, if it polls.
    poll: Option<Poll>,
}

impl Client {
    pub(crate) fn new(last_event_id: &str, choices: Choices) -> Self {
        Self {
            reader: Reader::new(last_event_id),
            // An event may be read in one poll, beside a reset, and sent in the next.
            track: Track::new(choices, 1),
            patience: Patience::new(),
            is_new: false,
            is_done: false,
            poll: None,
        }
    }

    /// The same, and its responses end once it has what was there when it came.
    pub(crate) fn polling(self) -> Self {
        Self { poll: Some(Poll::default()), ..self }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.reader.is_connected()
    }

    pub(crate) fn cut(&mut self) {
        self.reader.cut();
    }

    /// Connects, with the id that it has.
    pub(crate) fn connect(&mut self, of: &mut Recorded) {
        let choices = self.track.choices.clone();
        let mut feed = choices.options(of.log.feed(), vec![(of.book.name, of.log.clone())]);
        if self.poll.is_some() {
            (feed, self.poll) = (feed.ends_when_caught_up(), Some(Poll::default()));
        }
        self.is_new = self.reader.last_event_id().is_empty();
        let known = match &choices.start {
            _ if self.is_new && choices.begins_with_a_snapshot => Known::New,
            Start::After(id) if self.is_new => known(id.as_str(), &of.book),
            Start::Skip(count) if self.is_new => {
                of.look();
                of.book.skip(*count as u64).map_or_else(Known::Uncounted, Known::At)
            }
            _ if self.is_new => Known::New,
            _ => known(self.reader.last_event_id(), &of.book),
        };
        let is_answered = self.reader.is_answered(feed);
        of.look();
        self.track.connect(known, choices.start, &of.book).check(is_answered);
        self.is_done = !is_answered;
        self.patience.begin();
    }

    /// Reads what there is, and checks it. Returns true if the stream was polled.
    pub(crate) fn read(&mut self, of: &mut Recorded, rng: &mut Rng, cuts_within: bool) -> bool {
        let is_owed = self.track.is_owed(&of.book);
        if !self.reader.read(rng, cuts_within) {
            assert!(!is_owed || !self.is_connected(), "it was not woken");
            return false;
        }
        of.look();
        self.track.widen(&of.book);
        self.patience.poll(is_owed);
        let arrived = std::mem::take(&mut self.reader.arrived);
        let is_whole = self.is_connected();
        let chunk = std::mem::take(&mut self.reader.chunk).len();
        assert!(!is_whole || chunk <= CHUNK_SIZE || arrived.len() == 1, "a chunk of {chunk} bytes");
        arrived.iter().for_each(|event| self.take(event, &of.book));
        let has_ended = std::mem::take(&mut self.reader.has_ended);
        if let Some(poll) = &mut self.poll {
            poll.ask(&of.book);
            if !has_ended {
                poll.goes_on(&self.track.at, !arrived.is_empty());
            }
        }
        if has_ended {
            self.end(&of.book);
        } else if self.reader.is_waiting() {
            self.track.take_silence(&of.book);
        }
        self.track.was_polled(&of.book);
        true
    }

    /// Returns true if everything that there is has come.
    pub(crate) fn has_all(&self, book: &Book) -> bool {
        self.is_done || (self.reader.is_waiting() && !self.track.is_owed(book))
    }

    fn take(&mut self, event: &Parsed, book: &Book) {
        let is_new = std::mem::take(&mut self.is_new);
        let id = event.last_event_id.as_str();
        match event.event_type.as_str() {
            "reset" => {
                let said: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
                let mut has_events = said["oldest"].is_string();
                self.track.take_reset(&said, book);
                if let At::Between(span) = &mut self.track.at {
                    let from = book.position(id).expect("the id of a position");
                    let oldest = (span.life, span.lo + 1);
                    let is_before = said["oldest"].is_null() || book.follows(from, oldest);
                    match self.track.choices.after_gap() {
                        AfterGap::StartOver => {
                            assert!(from.life != book.life() || from.lo <= book.newest);
                        }
                        _ => assert!(is_before, "it is not just before the oldest: {event:?}"),
                    }
                    *span = from;
                    has_events = book.is_kept_after(from.lo);
                }
                self.patience.was_told_of_a_gap(has_events);
            }
            "opening" => {
                let span = book.position(id).expect("the id of a position");
                self.track.take_opening(span, is_new, book);
                if !is_new {
                    self.patience.was_told_of_a_gap(book.is_kept_after(span.lo));
                }
            }
            "state" | "snapshot" => {
                if let Some(at) = self.track.take_state(event, book) {
                    assert_eq!(id, at, "the last event has the id of the snapshot");
                }
                self.patience.begin();
            }
            _ => {
                let is_live = is_new
                    && is_live(&self.track.choices.start)
                    && !self.track.choices.begins_with_a_snapshot;
                let is_open = !is_live || !self.track.choices.has_opening_event;
                assert!(is_open, "the opening event is missing");
                let span = self.track.take_event(&event.data, book);
                assert_eq!(book.position(id), Some(span), "the id is that of the event");
                self.patience.begin();
            }
        }
    }

    fn end(&mut self, book: &Book) {
        let track = &self.track;
        let is_right = track.may_be_refused(book)
            || track.may_be_finished(book)
            || track.has_no_snapshot(book)
            || self.poll.as_ref().is_some_and(|poll| poll.may_end(track, book));
        assert!(is_right, "it ended at {:?}", track.at);
    }
}

/// Reads an id, as the log has to.
fn known(id: &str, book: &Book) -> Known {
    let is_an_id = |id: &str| {
        let (epoch, cursor) = id.split_once('.')?;
        epoch.parse::<Epoch>().ok().zip(cursor.parse::<Position>().ok())
    };
    match book.position(id) {
        Some(span) => Known::At(span),
        None if is_an_id(id).is_some() => Known::Foreign,
        None => Known::Nonsense,
    }
}
