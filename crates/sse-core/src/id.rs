//! The ids that logs give: the epoch, a dot, the position.

use crate::{Epoch, EventId, Position, epoch};

impl Position {
    /// The id of this position: `epoch.position`, of letters, digits, a dot and a hyphen, since those come back unchanged from
    /// every client.
    pub fn id(self, epoch: Epoch) -> EventId {
        EventId::unchecked(self.id_text(epoch).as_str())
    }

    /// The same as a text alone, which is not stored: to be written into a block.
    pub(crate) fn id_text(self, epoch: Epoch) -> IdText {
        let mut text = IdText { bytes: [0; IdText::MAX_LEN], len: 0 };
        let mut number = itoa::Buffer::new();
        text.push(epoch.as_str());
        text.push(".");
        if self.hi() > 0 {
            text.push(number.format(self.hi()));
            text.push("-");
        }
        text.push(number.format(self.lo()));
        text
    }

    /// The length of that text.
    pub(crate) fn id_len(self, epoch: Epoch) -> usize {
        let digits = |number: u64| number.checked_ilog10().map_or(1, |log| log as usize + 1);
        let hi = if self.hi() > 0 { digits(self.hi()) + 1 } else { 0 };
        epoch.len() + 1 + hi + digits(self.lo())
    }
}

impl EventId {
    /// Returns the life of the log that gave this id; `None` if it has not the form of an id of a log. That it was given does not follow.
    ///
    /// ```
    /// use sse_core::EventId;
    ///
    /// assert_eq!(EventId::from_static("k3b9.7").epoch(), "k3b9".parse().ok());
    /// assert_eq!(EventId::from_static("7").epoch(), None);
    /// ```
    pub fn epoch(&self) -> Option<Epoch> {
        Origin::place_of(self.as_str()).map(|(epoch, _)| epoch)
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
    Here(Position),
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
    pub(crate) fn place_of(id: &str) -> Option<(Epoch, Position)> {
        let (epoch, cursor) = id.split_once('.')?;
        Some((epoch.parse().ok()?, cursor.parse().ok()?))
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
                let cursor = Position::new(hi, lo);
                assert_eq!(Origin::of(&cursor.id(epoch), epoch), Origin::Here(cursor));
                assert_eq!(cursor.id(epoch).as_str().len(), cursor.id_len(epoch));
                assert!(cursor == Position::START || cursor.previous().next() == cursor);
                assert!(cursor == Position::MAX || cursor.next().previous() == cursor);
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
            Origin::of(&Position::from(1).id(Epoch::random().expect("random numbers")), epoch),
            Origin::OtherEpoch
        );
        for id in ["", "1", ".1", "UPPER.1", "thirteenchars.1", "a-b.1"] {
            let id = EventId::try_from(id).expect("printable");
            assert_eq!(Origin::of(&id, epoch), Origin::Unknown, "{id}");
        }
    }
}
