use std::fmt;
use std::str::FromStr;

use crate::InvalidField;

/// A position in a log: the position of an event, or the position before the first event, [`Position::START`].
///
/// It has two numbers, ordered by `hi`, then by `lo`. Engines that number their events with one number have `hi` 0, others (Redis:
/// milliseconds and a counter) need both. Its text is `lo`, or `hi-lo` if `hi` is not 0; each position has one text.
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
    /// The position before the first event of any log.
    ///
    /// ```
    /// use sse_core::Position;
    ///
    /// assert_eq!(Position::START.next(), Position::from(1));
    /// ```
    pub const START: Self = Self::new(0, 0);
    /// The largest position.
    ///
    /// ```
    /// use sse_core::Position;
    ///
    /// assert_eq!(Position::MAX.next(), Position::MAX);
    /// ```
    pub const MAX: Self = Self::new(u64::MAX, u64::MAX);

    /// Returns the position of these two numbers.
    ///
    /// ```
    /// assert_eq!(sse_core::Position::new(1_700_000_000_000, 7).to_string(), "1700000000000-7");
    /// ```
    pub const fn new(hi: u64, lo: u64) -> Self {
        Self { hi, lo }
    }

    /// Returns the number by which positions are ordered first.
    ///
    /// ```
    /// assert_eq!(sse_core::Position::from(7).hi(), 0);
    /// ```
    pub const fn hi(self) -> u64 {
        self.hi
    }

    /// Returns the number by which positions of one `hi` are ordered.
    ///
    /// ```
    /// assert_eq!(sse_core::Position::from(7).lo(), 7);
    /// ```
    pub const fn lo(self) -> u64 {
        self.lo
    }

    /// Returns the position right after this one, or [`Position::MAX`] if there is none.
    ///
    /// ```
    /// use sse_core::Position;
    ///
    /// assert_eq!(Position::from(7).next(), Position::from(8));
    /// assert_eq!(Position::from(u64::MAX).next(), Position::new(1, 0));
    /// ```
    #[must_use]
    pub const fn next(self) -> Self {
        match (self.lo.checked_add(1), self.hi.checked_add(1)) {
            (Some(lo), _) => Self { lo, ..self },
            (None, Some(hi)) => Self { hi, lo: 0 },
            (None, None) => self,
        }
    }

    /// Returns the position right before this one, or [`Position::START`] if there is none.
    ///
    /// ```
    /// use sse_core::Position;
    ///
    /// assert_eq!(Position::from(7).previous(), Position::from(6));
    /// assert_eq!(Position::new(1, 0).previous(), Position::from(u64::MAX));
    /// ```
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
            // A `hi` of 0 is not written.
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

/// Reads a number in its one text: no sign, no leading zeros.
fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}

/// Writes its text.
impl serde::Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads its text.
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
