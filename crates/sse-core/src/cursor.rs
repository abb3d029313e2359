use std::fmt;
use std::str::FromStr;

use crate::{Epoch, EventId, InvalidField, epoch};

/// A position in a log: that of an event, or the one before the first, [`Cursor::START`].
///
/// Two numbers, of which the first counts for more: engines that number their events by one have `hi` 0, others (Redis: milliseconds and
/// a counter) need both. Its text is `lo`, or `hi-lo` where `hi` is not 0; each position has one text.
///
/// ```
/// use sse_core::Cursor;
///
/// assert_eq!(Cursor::from(7).to_string(), "7");
/// assert_eq!("1700000000000-7".parse(), Ok(Cursor::new(1_700_000_000_000, 7)));
/// assert!("007".parse::<Cursor>().is_err());
/// assert!(Cursor::from(u64::MAX) < Cursor::new(1, 0));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    hi: u64,
    lo: u64,
}

impl Cursor {
    /// Before the first event of any log.
    pub const START: Self = Self::new(0, 0);
    /// The last there is.
    pub const MAX: Self = Self::new(u64::MAX, u64::MAX);

    /// The position of these two numbers.
    pub const fn new(hi: u64, lo: u64) -> Self {
        Self { hi, lo }
    }

    /// The number that counts for more.
    pub const fn hi(self) -> u64 {
        self.hi
    }

    /// The other.
    pub const fn lo(self) -> u64 {
        self.lo
    }

    /// The position right after this one; [`Cursor::MAX`] has none, and is given back.
    #[must_use]
    pub const fn next(self) -> Self {
        match (self.lo.checked_add(1), self.hi.checked_add(1)) {
            (Some(lo), _) => Self { lo, ..self },
            (None, Some(hi)) => Self { hi, lo: 0 },
            (None, None) => self,
        }
    }

    /// The position right before this one; [`Cursor::START`] has none, and is given back.
    #[must_use]
    pub const fn previous(self) -> Self {
        match (self.lo.checked_sub(1), self.hi.checked_sub(1)) {
            (Some(lo), _) => Self { lo, ..self },
            (None, Some(hi)) => Self { hi, lo: u64::MAX },
            (None, None) => self,
        }
    }

    /// The id of this position: `epoch.cursor`, of letters, digits, a dot and a hyphen, since those come back unchanged from
    /// every client.
    pub fn id(self, epoch: Epoch) -> EventId {
        EventId::of_a_log(&self.id_text(epoch))
    }

    /// The same as a text alone, which is not stored: to be written into a block.
    pub(crate) fn id_text(self, epoch: Epoch) -> IdText {
        let mut text = IdText { bytes: [0; IdText::MAX_LEN], len: 0 };
        let mut number = itoa::Buffer::new();
        text.push(epoch.as_str());
        text.push(".");
        if self.hi > 0 {
            text.push(number.format(self.hi));
            text.push("-");
        }
        text.push(number.format(self.lo));
        text
    }

    /// The length of that text.
    pub(crate) fn id_len(self, epoch: Epoch) -> usize {
        let digits = |number: u64| number.checked_ilog10().map_or(1, |log| log as usize + 1);
        let hi = if self.hi > 0 { digits(self.hi) + 1 } else { 0 };
        epoch.len() + 1 + hi + digits(self.lo)
    }
}

/// The text of an id of a log.
pub(crate) struct IdText {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl IdText {
    /// An epoch, two numbers, and what stands between them.
    const MAX_LEN: usize = epoch::MAX_LEN + 1 + 20 + 1 + 20;

    fn push(&mut self, part: &str) {
        let end = self.len + part.len();
        self.bytes[self.len..end].copy_from_slice(part.as_bytes());
        self.len = end;
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("letters, digits, a dot and a hyphen")
    }
}

/// What an id says of where it is from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A position of this log, which may or may not exist.
    Here(Cursor),
    /// An id that a log gave, though not this one.
    OtherEpoch,
    /// No id that any log gives.
    Unknown,
}

impl Origin {
    /// Reads an id as the log of this epoch writes it.
    pub(crate) fn of(id: &EventId, epoch: Epoch) -> Self {
        match Self::place_of(id.as_str()) {
            Some((written, cursor)) if written == epoch => Self::Here(cursor),
            Some(_) => Self::OtherEpoch,
            None => Self::Unknown,
        }
    }

    /// What an id of any log names.
    pub(crate) fn place_of(id: &str) -> Option<(Epoch, Cursor)> {
        let (epoch, cursor) = id.split_once('.')?;
        Some((epoch.parse().ok()?, cursor.parse().ok()?))
    }
}

impl From<u64> for Cursor {
    fn from(lo: u64) -> Self {
        Self { hi: 0, lo }
    }
}

impl FromStr for Cursor {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let cursor = match text.split_once('-') {
            // Positions without a first number are written without it.
            Some((hi, lo)) => number(hi).filter(|&hi| hi > 0).zip(number(lo)),
            None => number(text).map(|lo| (0, lo)),
        };
        let invalid = InvalidField::new(
            "cursor",
            "it is written as `lo`, or as `hi-lo`, without leading zeros",
        );
        let (hi, lo) = cursor.ok_or(invalid)?;
        Ok(Self { hi, lo })
    }
}

/// Each number has one text: no sign, no leading zeros.
fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hi {
            0 => write!(f, "{}", self.lo),
            hi => write!(f, "{hi}-{}", self.lo),
        }
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_the_position_it_was_made_from() {
        let epoch = Epoch::random().expect("random numbers");
        for hi in [0, 1, u64::MAX] {
            for lo in [0, 1, 10, u64::MAX] {
                let cursor = Cursor::new(hi, lo);
                assert_eq!(Origin::of(&cursor.id(epoch), epoch), Origin::Here(cursor));
                assert_eq!(cursor.id(epoch).as_str().len(), cursor.id_len(epoch));
                assert!(cursor == Cursor::START || cursor.previous().next() == cursor);
                assert!(cursor == Cursor::MAX || cursor.next().previous() == cursor);
            }
        }
    }

    #[test]
    fn each_position_has_one_text() {
        let epoch = Epoch::random().expect("random numbers");
        for position in [
            "",
            "00",
            "01",
            "+1",
            "-1",
            " 1",
            "1.0",
            "18446744073709551616",
            "1x",
            "0-1",
            "1-",
            "1-01",
            "1-2-3",
            "01-1",
        ] {
            let Ok(id) = EventId::try_from(format!("{epoch}.{position}")) else {
                continue;
            };
            assert_eq!(Origin::of(&id, epoch), Origin::Unknown, "{position:?}");
        }
    }

    #[test]
    fn an_id_of_another_log_is_told_from_nonsense() {
        let epoch = Epoch::random().expect("random numbers");
        assert_eq!(
            Origin::of(&Cursor::from(1).id(Epoch::random().expect("random numbers")), epoch),
            Origin::OtherEpoch
        );
        for id in ["", "1", ".1", "UPPER.1", "thirteenchars.1", "a-b.1"] {
            let id = EventId::try_from(id).expect("printable");
            assert_eq!(Origin::of(&id, epoch), Origin::Unknown, "{id}");
        }
    }
}
