use std::fmt;

use crate::EventId;

/// The longest epoch, in bytes.
const EPOCH_LEN: usize = 12;
const EPOCH_CHARS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Which life of a log an id is from: a log that was created anew gives ids that the old one did not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch([u8; EPOCH_LEN]);

/// A position in a log: that of an event, or 0, before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor(pub(crate) u64);

impl Epoch {
    /// 62 random bits, so that no two logs share an epoch.
    pub(crate) fn random() -> Self {
        Self(std::array::from_fn(|_| EPOCH_CHARS[fastrand::usize(..EPOCH_CHARS.len())]))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an epoch is made of ASCII alone")
    }
}

impl Cursor {
    pub(crate) const START: Self = Self(0);

    /// The id of this position: `epoch.cursor`, of letters, digits and a dot, since those come back unchanged from every client.
    pub(crate) fn id(self, epoch: Epoch) -> EventId {
        let mut position = itoa::Buffer::new();
        let id = [epoch.as_str(), ".", position.format(self.0)].concat();
        EventId::try_from(id).expect("letters, digits and a dot make an id")
    }

    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) fn previous(self) -> Self {
        Self(self.0 - 1)
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
    /// Reads an id as the log of this epoch writes it. Each position has one text: no sign, no leading zeros.
    pub(crate) fn of(id: &EventId, epoch: Epoch) -> Self {
        let Some((written, position)) = id.as_str().split_once('.') else {
            return Self::Unknown;
        };
        let is_epoch = !written.is_empty()
            && written.len() <= EPOCH_LEN
            && written.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let Some(cursor) = parse_position(position).filter(|_| is_epoch) else {
            return Self::Unknown;
        };
        if written == epoch.as_str() { Self::Here(cursor) } else { Self::OtherEpoch }
    }
}

fn parse_position(text: &str) -> Option<Cursor> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical).map(Cursor)
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_the_position_it_was_made_from() {
        let epoch = Epoch::random();
        for position in [0, 1, 10, u64::MAX] {
            assert_eq!(
                Origin::of(&Cursor(position).id(epoch), epoch),
                Origin::Here(Cursor(position))
            );
        }
    }

    #[test]
    fn each_position_has_one_text() {
        let epoch = Epoch::random();
        for position in ["", "00", "01", "+1", "-1", " 1", "1.0", "18446744073709551616", "1x"] {
            let Ok(id) = EventId::try_from(format!("{epoch}.{position}")) else {
                continue;
            };
            assert_eq!(Origin::of(&id, epoch), Origin::Unknown, "{position:?}");
        }
    }

    #[test]
    fn an_id_of_another_log_is_told_from_nonsense() {
        let epoch = Epoch::random();
        assert_eq!(Origin::of(&Cursor(1).id(Epoch::random()), epoch), Origin::OtherEpoch);
        for id in ["", "1", ".1", "UPPER.1", "thirteenchars.1", "a-b.1"] {
            let id = EventId::try_from(id).expect("printable");
            assert_eq!(Origin::of(&id, epoch), Origin::Unknown, "{id}");
        }
    }
}
