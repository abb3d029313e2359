use std::fmt;
use std::str::FromStr;

use crate::InvalidField;

/// A position in a log: that of an event, or the one before the first, [`Position::START`].
///
/// Two numbers, of which the first counts for more: engines that number their events by one have `hi` 0, others (Redis: milliseconds and
/// a counter) need both. Its text is `lo`, or `hi-lo` where `hi` is not 0; each position has one text.
///
/// ```
/// use sse_core::Position;
///
/// assert_eq!(Position::from(7).to_string(), "7");
/// assert_eq!("1700000000000-7".parse(), Ok(Position::new(1_700_000_000_000, 7)));
/// assert!("007".parse::<Position>().is_err());
/// assert!(Position::from(u64::MAX) < Position::new(1, 0));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    hi: u64,
    lo: u64,
}

impl Position {
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

    /// The position right after this one; [`Position::MAX`] has none, and is given back.
    #[must_use]
    pub const fn next(self) -> Self {
        match (self.lo.checked_add(1), self.hi.checked_add(1)) {
            (Some(lo), _) => Self { lo, ..self },
            (None, Some(hi)) => Self { hi, lo: 0 },
            (None, None) => self,
        }
    }

    /// The position right before this one; [`Position::START`] has none, and is given back.
    #[must_use]
    pub const fn previous(self) -> Self {
        match (self.lo.checked_sub(1), self.hi.checked_sub(1)) {
            (Some(lo), _) => Self { lo, ..self },
            (None, Some(hi)) => Self { hi, lo: u64::MAX },
            (None, None) => self,
        }
    }
}

impl From<u64> for Position {
    fn from(lo: u64) -> Self {
        Self { hi: 0, lo }
    }
}

impl FromStr for Position {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let position = match text.split_once('-') {
            // Positions without a first number are written without it.
            Some((hi, lo)) => number(hi).filter(|&hi| hi > 0).zip(number(lo)),
            None => number(text).map(|lo| (0, lo)),
        };
        let invalid = InvalidField::new(
            "position",
            "it is written as `lo`, or as `hi-lo`, without leading zeros",
        );
        let (hi, lo) = position.ok_or(invalid)?;
        Ok(Self { hi, lo })
    }
}

/// Each number has one text: no sign, no leading zeros.
fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}

/// As its text.
impl serde::Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From its text.
impl<'de> serde::Deserialize<'de> for Position {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hi {
            0 => write!(f, "{}", self.lo),
            hi => write!(f, "{hi}-{}", self.lo),
        }
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
