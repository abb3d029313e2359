//! The ids that logs give: the epoch, a dot, the position, and a [view](crate::store::View), if a reader has one.

use crate::view::{self, View};
use crate::{Epoch, EventId, Position, epoch};

impl Position {
    /// Returns the id of this position: `epoch.position`, of letters, digits, a dot and a hyphen, because every client returns those
    /// unchanged.
    ///
    /// ```
    /// use sse_core::{Epoch, Position};
    ///
    /// let epoch: Epoch = "k3b9".parse()?;
    /// assert_eq!(Position::from(7).id(epoch), "k3b9.7");
    /// # Ok::<(), sse_core::InvalidField>(())
    /// ```
    pub fn id(self, epoch: Epoch) -> EventId {
        EventId::unchecked(self.id_text(epoch).as_str())
    }

    /// Returns the text of the id, on the stack, to write it into a block.
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

    /// Returns the length of the text of the id.
    pub(crate) fn id_len(self, epoch: Epoch) -> usize {
        let digits = |number: u64| number.checked_ilog10().map_or(1, |log| log as usize + 1);
        let hi = if self.hi() > 0 { digits(self.hi()) + 1 } else { 0 };
        epoch.len() + 1 + hi + digits(self.lo())
    }
}

impl EventId {
    /// Returns the epoch of the log that gave this id; `None` if the id does not have the form of a log's id. No log need have given it.
    ///
    /// ```
    /// use sse_core::EventId;
    ///
    /// assert_eq!(EventId::from_static("k3b9.7").epoch(), "k3b9".parse().ok());
    /// assert_eq!(EventId::from_static("7").epoch(), None);
    /// ```
    pub fn epoch(&self) -> Option<Epoch> {
        Origin::parse(self.as_str()).map(|(epoch, _)| epoch)
    }
}

/// The text of an id of a log.
pub(crate) struct IdText {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl IdText {
    /// The length of an epoch, two numbers, and the dot and hyphen between them.
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

/// The origin of an id, by its text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A position of this log, which may or may not exist.
    Here(Position),
    /// An id of another log, or of another epoch of this one.
    OtherEpoch,
    /// An invalid id: no log gives it.
    Unknown,
}

impl Origin {
    /// Returns the origin of an id, in the log of this epoch.
    pub(crate) fn of(id: &EventId, epoch: Epoch) -> Self {
        match Self::parse(id.as_str()) {
            Some((written, position)) if written == epoch => Self::Here(position),
            Some(_) => Self::OtherEpoch,
            None => Self::Unknown,
        }
    }

    /// Returns the epoch and the position of an id of any log.
    pub(crate) fn parse(id: &str) -> Option<(Epoch, Position)> {
        let (epoch, place) = id.split_once('.')?;
        let (position, view) = match place.split_once(view::MARK) {
            Some((position, view)) => (position, Some(view)),
            None => (place, None),
        };
        let position: Position = position.parse().ok()?;
        let reaches = |view| View::parse(view).is_some_and(|view| view.reaches(position));
        let is_id = view.is_none_or(reaches);
        is_id.then_some((epoch.parse().ok()?, position))
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
                let position = Position::new(hi, lo);
                assert_eq!(Origin::of(&position.id(epoch), epoch), Origin::Here(position));
                assert_eq!(position.id(epoch).as_str().len(), position.id_len(epoch));
                assert!(position == Position::START || position.previous().next() == position);
                assert!(position == Position::MAX || position.next().previous() == position);
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
