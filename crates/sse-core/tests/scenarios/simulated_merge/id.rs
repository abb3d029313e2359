//! The id of a merge, and what is known of it.

use fastrand::Rng;
use sse_core::{EventType, merge};

use super::{LOGS, Logs};
use crate::simulated_log::book::{Book, Span};
use crate::simulated_log::track::Known;
use crate::simulation::Reader;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An id, and what it says of each log.
#[derive(Clone)]
pub(crate) struct Id {
    pub(crate) text: String,
    pub(crate) says: [Known; LOGS],
}

impl Id {
    /// An id that says of each log the same.
    pub(crate) fn of(text: impl Into<String>, says: Known) -> Self {
        Self { text: text.into(), says: [(); LOGS].map(|()| says.clone()) }
    }

    /// Returns the position that it names in one log of a merge of these.
    pub(crate) fn known(&self, log: usize, of: &[usize], logs: &Logs) -> Known {
        let is_in_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let names = |log: usize| {
            // No id of anything else begins so.
            let text = self.text.strip_prefix('_').unwrap_or_default();
            let mut words = text.split(|c| !is_in_a_name(c));
            words.any(|word| word == logs[log].book.name)
        };
        let says = &self.says[log];
        if self.text.is_empty() {
            return Known::New;
        }
        if !of.iter().any(|log| names(*log)) {
            return Known::Nonsense;
        }
        if names(log) {
            return says.clone();
        }
        // There is nothing to resume in a log that is finished.
        let may_be_left_out =
            matches!(says, Known::New | Known::Fresh(_)) || logs[log].was_finished;
        assert!(may_be_left_out, "{} does not say where it is in log {log}: {says:?}", self.text);
        Known::New
    }

    /// The position that it names in a log, in the life that the log is in.
    pub(crate) fn names(&self, book: &Book) -> Option<Span> {
        let (_, place) = self
            .text
            .split_once(&format!("_{}.", book.name))
            .or_else(|| self.text.split_once(&format!(".{}.", book.name)))?;
        let place = place.split('.').next()?;
        let id = book.id(0);
        let (epoch, _) = id.split_once('.')?;
        let position = number(place.strip_prefix(&packed(epoch))?)?;
        Some(Span { life: book.life(), lo: position, hi: position })
    }
}

/// The id of a client whose endpoint was a merge of the same logs, with other names.
pub(super) fn with_other_names(logs: &Logs, rng: &mut Rng) -> String {
    let names = ["a", "b", "c"].into_iter().zip(logs);
    let feed = merge(names.map(|(name, of)| (name, &of.log))).expect("a merge");
    let mut reader = Reader::new("");
    if !reader.is_answered(feed.position_event(EventType::from_static("opening"))) {
        return "all are finished".to_owned();
    }
    while reader.last_event_id().is_empty() && reader.read(rng, false) {}
    reader.last_event_id().to_owned()
}

/// An epoch is a number to the base of 37, of twelve digits; in the id of a merge it is one to the base of 62, of eleven.
fn packed(epoch: &str) -> String {
    let of_37 = |c: char| u64::from(c.to_digit(36).expect("a digit or a small letter")) + 1;
    let digits = epoch.chars().map(of_37).chain(std::iter::repeat(0)).take(12);
    let mut number = digits.fold(0, |number, digit| number * 37 + digit);
    let mut text = [0; 11].map(|_: u8| {
        let digit = char::from(DIGITS[(number % 62) as usize]);
        number /= 62;
        digit
    });
    text.reverse();
    text.iter().collect()
}

fn number(text: &str) -> Option<u64> {
    let digit = |byte| DIGITS.iter().position(|digit| *digit == byte);
    text.bytes().try_fold(0, |number, byte| Some(number * 62 + digit(byte)? as u64))
}
