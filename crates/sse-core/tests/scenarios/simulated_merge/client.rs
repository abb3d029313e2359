//! A client of several logs, which has one position in each.

use fastrand::Rng;
use serde_json::Value;
use sse_core::{Start, merge};

use super::id::Id;
use super::{CHUNKS_OF_A_PAGE, LOGS, Logs};
use crate::simulated_log::choices::{AfterGap, Choices};
use crate::simulated_log::client::CHUNK_SIZE;
use crate::simulated_log::patience::Patience;
use crate::simulated_log::track::{At, Known, Outlook, Track};
use crate::simulation::Reader;
use crate::support::parser::Parsed;

pub(crate) struct Client {
    reader: Reader,
    /// The id that it has.
    pub(crate) id: Id,
    /// The id that `Start::After` has, if the first visit begins with one.
    start: Option<Id>,
    choices: Choices,
    /// The logs of its merge, in order.
    logs: Vec<usize>,
    tracks: [Track; LOGS],
    patience: [Patience; LOGS],
    /// The chunks that one log may send before it is the turn of the next.
    chunks: usize,
    /// The id of the last event of this connection.
    last: String,
    is_to_open: bool,
    /// It was told that there is nothing more.
    pub(crate) is_done: bool,
}

impl Client {
    pub(crate) fn new(id: Id, start: Option<Id>, choices: Choices, chunks: usize) -> Self {
        // A page may be read in one poll, and sent in parts, in turn with the other logs.
        let delay = LOGS * CHUNKS_OF_A_PAGE;
        Self {
            reader: Reader::new(&id.text),
            id,
            start,
            logs: Vec::new(),
            tracks: [(); LOGS].map(|()| Track::new(choices.clone(), delay)),
            patience: [(); LOGS].map(|()| Patience::new()),
            choices,
            chunks,
            last: String::new(),
            is_to_open: false,
            is_done: false,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.reader.is_connected()
    }

    pub(crate) fn cut(&mut self) {
        self.reader.cut();
    }

    pub(crate) fn reads(&self, log: usize) -> bool {
        self.logs.contains(&log)
    }

    /// Notes that a log begins another epoch, which is a gap beside any other.
    pub(crate) fn new_epoch(&mut self, log: usize) {
        self.patience[log].begin();
    }

    /// Connects to a merge of these logs.
    pub(crate) fn connect(&mut self, of: Vec<usize>, logs: &mut Logs) {
        self.logs = of;
        let handles: Vec<_> =
            self.logs.iter().map(|log| (logs[*log].book.name, logs[*log].log.clone())).collect();
        let feed = merge(handles.iter().map(|(name, log)| (*name, log))).expect("a merge");
        let is_first = self.id.text.is_empty();
        let id = if is_first { self.start.as_ref().unwrap_or(&self.id) } else { &self.id };
        let known: Vec<Known> =
            self.logs.iter().map(|log| id.known(*log, &self.logs, logs)).collect();
        let start = match &self.choices.start {
            Start::After(_) => Start::Live,
            start => start.clone(),
        };
        let is_answered = self.reader.is_answered(self.choices.options(feed, handles));
        let mut outlooks = Vec::new();
        for (log, known) in self.logs.iter().zip(known) {
            logs[*log].look();
            outlooks.push(self.tracks[*log].connect(known, start.clone(), &logs[*log].book));
            self.patience[*log] = Patience::of_one_of(self.logs.len(), self.chunks);
        }
        self.is_to_open =
            self.choices.has_opening_event && is_first && self.choices.start == Start::Live;
        together(&outlooks).check(is_answered);
        self.is_done = !is_answered;
        self.last.clear();
    }

    /// Reads what there is, and checks it. Returns true if the stream was polled.
    pub(crate) fn read(&mut self, logs: &mut Logs, rng: &mut Rng, cuts_within: bool) -> bool {
        let owed: Vec<bool> =
            self.logs.iter().map(|log| self.tracks[*log].is_owed(&logs[*log].book)).collect();
        if !self.reader.read(rng, cuts_within) {
            assert!(!owed.contains(&true) || !self.is_connected(), "it was not woken");
            return false;
        }
        for (log, is_owed) in self.logs.iter().zip(owed) {
            logs[*log].look();
            self.tracks[*log].widen(&logs[*log].book);
            self.patience[*log].poll(is_owed);
        }
        let arrived = std::mem::take(&mut self.reader.arrived);
        let is_whole = self.is_connected();
        let chunk = std::mem::take(&mut self.reader.chunk).len();
        assert!(!is_whole || chunk <= CHUNK_SIZE || arrived.len() == 1, "a chunk of {chunk} bytes");
        arrived.iter().for_each(|event| self.take(event, logs));
        if std::mem::take(&mut self.reader.has_ended) {
            self.end(logs);
        } else if self.reader.is_waiting() {
            assert!(!self.is_to_open || !arrived.is_empty(), "the opening event is missing");
            let silent = self.logs.iter();
            silent.for_each(|log| self.tracks[*log].take_silence(&logs[*log].book));
        }
        for log in &self.logs {
            self.tracks[*log].was_polled(&logs[*log].book);
        }
        true
    }

    /// Returns true if everything that there is has come.
    pub(crate) fn has_all(&self, logs: &Logs) -> bool {
        let mut owed = self.logs.iter().map(|log| self.tracks[*log].is_owed(&logs[*log].book));
        self.is_done || (self.reader.is_waiting() && !owed.any(|is_owed| is_owed))
    }

    fn take(&mut self, event: &Parsed, logs: &Logs) {
        let is_opening = std::mem::take(&mut self.is_to_open);
        assert_eq!(is_opening, event.event_type == "opening", "{event:?}");
        let has_id = match event.event_type.as_str() {
            "opening" => {
                for log in &self.logs {
                    if let At::Begin { span, .. } = self.tracks[*log].at {
                        self.tracks[*log].at = At::Between(span);
                    }
                }
                true
            }
            "reset" => {
                let said: Value = serde_json::from_str(&event.data).expect("JSON");
                let log = self.named(said["log"].as_str().expect("a name"), logs);
                self.tracks[log].take_reset(&said, &logs[log].book);
                self.patience[log].was_told_of_a_gap(said["oldest"].is_string());
                self.choices.after_gap() != AfterGap::Snapshot
            }
            of => {
                let name = event.data.split(' ').next().unwrap_or_default();
                let (log, is_state) = (self.named(name, logs), of == "state");
                self.patience[log].begin();
                let (track, book) = (&mut self.tracks[log], &logs[log].book);
                if is_state {
                    track.take_state(event, book).is_some()
                } else {
                    track.take_event(&event.data, book);
                    true
                }
            }
        };
        if !has_id {
            assert_eq!(event.last_event_id, self.last, "an id that moves nobody");
            return;
        }
        self.last.clone_from(&event.last_event_id);
        self.id = Id::of(&event.last_event_id, Known::New);
        for log in &self.logs {
            let (track, book) = (&mut self.tracks[*log], &logs[*log].book);
            track.freeze(book);
            if let At::Begin { span, .. } = track.at
                && let Some(named) = self.id.names(book).filter(|named| named.life != span.life)
            {
                // It has begun in the present life, in which there was nothing yet.
                track.known = Known::At(named);
            }
            self.id.says[*log] = track.known.clone();
        }
    }

    fn named(&self, name: &str, logs: &Logs) -> usize {
        let mut of = self.logs.iter();
        *of.find(|log| logs[**log].book.name == name).expect("one of its logs")
    }

    fn end(&mut self, logs: &Logs) {
        let tracks = || self.logs.iter().map(|log| (&self.tracks[*log], &logs[*log].book));
        let is_right = tracks().any(|(track, book)| track.may_be_refused(book))
            || tracks().all(|(track, book)| track.may_be_finished(book))
            || tracks().any(|(track, book)| track.has_no_snapshot(book));
        let at: Vec<_> = tracks().map(|(track, _)| &track.at).collect();
        assert!(is_right, "it ended at {at:?}");
    }
}

/// A gap that is to be the end ends the whole; otherwise the merge goes on for as long as one of its logs does.
fn together(outlooks: &[Outlook]) -> Outlook {
    let has = |outlook| outlooks.contains(&outlook);
    match () {
        () if has(Outlook::Refused) => Outlook::Refused,
        () if has(Outlook::Unclear) => Outlook::Unclear,
        () if has(Outlook::More) => Outlook::More,
        () => Outlook::Finished,
    }
}
