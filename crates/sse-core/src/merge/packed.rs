//! The id of a merge: the name of each log, and the client's place in it, `_name.place.name.place`. No id of a log begins with `_`. A place
//! is the epoch in 11 characters and the position in up to 11, or in twice 11 with a hyphen between, all in base 62. The reader's
//! [view](crate::store::View) follows, if it has one.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};

use crate::base62::{self, digits, read, write};
use crate::log::Selection;
use crate::view::{self, View};
use crate::{Epoch, EventId, LastEventId, Position};

/// The first character of an id of a merge, which no id of a log has.
const MARK: char = '_';
/// The number of digits of an epoch.
const EPOCH_LEN: usize = base62::MAX_LEN;
/// The text of an unknown place: the client must still be told of a gap in this log.
const UNKNOWN: &str = "-";

/// Returns the client's id in each log, with the log's name; `None` if the id is not of a merge.
pub(super) fn unpack(id: &EventId) -> Option<Vec<(&str, LastEventId)>> {
    let parts: Vec<&str> = id.as_str().strip_prefix(MARK)?.split('.').collect();
    let mut places: Vec<(&str, LastEventId)> = Vec::new();
    for part in parts.chunks(2) {
        let (name, place) = match part {
            [name, UNKNOWN] => (*name, LastEventId::Unusable),
            [name, place] => (*name, LastEventId::Id(read_place(place)?)),
            _ => return None,
        };
        if places.iter().any(|(known, _)| *known == name) {
            return None;
        }
        places.push((name, place));
    }
    Some(places)
}

/// Writes an id of these parts.
pub(super) fn write_id<'a>(parts: impl Iterator<Item = &'a str>, id: &mut BytesMut) {
    let mut before = MARK as u8;
    for part in parts {
        id.put_u8(before);
        id.put_slice(part.as_bytes());
        before = b'.';
    }
}

/// Writes the part of a log of this name, at this position.
pub(super) fn write_part(name: &str, at: Option<(Epoch, Position)>, part: &mut String) {
    part.push_str(name);
    part.push('.');
    let Some((epoch, position)) = at else {
        part.push_str(UNKNOWN);
        return;
    };
    write(number_of(epoch), EPOCH_LEN, part);
    write_position(position, part);
}

/// Replaces the position of a part, in the same epoch.
pub(super) fn move_part(name: &str, position: Position, part: &mut String) {
    part.truncate(name.len() + 1 + EPOCH_LEN);
    write_position(position, part);
}

fn write_position(position: Position, part: &mut String) {
    if position.hi() > 0 {
        write(position.hi(), 1, part);
        part.push('-');
    }
    write(position.lo(), 1, part);
}

/// Returns the longest length of an id of these logs, without views.
pub(super) fn longest(logs: &[(Arc<str>, Selection)]) -> usize {
    logs.iter().map(|(name, of)| longest_part(name, of.log.largest_position())).sum()
}

/// Returns the bytes that the view of a reader may take in an id of these logs: an equal share for each of what the positions leave.
pub(super) fn room(logs: &[(Arc<str>, Selection)]) -> usize {
    EventId::MAX_LEN.saturating_sub(longest(logs)) / logs.len().max(1)
}

/// Returns the longest length of the part of a log of this name, including the separator before it.
fn longest_part(name: &str, largest: Position) -> usize {
    let mut part = String::new();
    let any = "0".parse().ok();
    write_part(name, any.map(|epoch| (epoch, largest)), &mut part);
    // If there is a `hi`, then `lo` grows to its longest before `hi` grows by one.
    let lo = if largest.hi() > 0 { digits(u64::MAX) - digits(largest.lo()) } else { 0 };
    1 + part.len() + lo
}

/// Returns the log's own id of this place. Each place has one text.
fn read_place(place: &str) -> Option<EventId> {
    let (epoch, position) = place.split_at_checked(EPOCH_LEN)?;
    let (position, view) = match position.split_once(view::MARK) {
        Some((position, view)) => (position, Some(View::parse(view)?)),
        None => (position, None),
    };
    let position = match position.split_once('-') {
        Some((hi, lo)) => Position::new(read(hi)?, read(lo)?),
        None => Position::from(read(position)?),
    };
    let epoch = epoch_of(read(epoch)?)?;
    let mut canonical = String::new();
    write_part("", Some((epoch, position)), &mut canonical);
    let id = match view {
        Some(view) => {
            canonical.push_str(view.part_at(position));
            view.id_at(position, epoch)
        }
        None => position.id(epoch),
    };
    (canonical.strip_prefix('.') == Some(place)).then_some(id)
}

/// Returns an epoch as a number in base 37, of 12 digits: its characters, then zeros.
fn number_of(epoch: Epoch) -> u64 {
    let text = epoch.as_bytes().iter();
    let digits = text.map(|b| if b.is_ascii_digit() { b - b'0' + 1 } else { b - b'a' + 11 });
    digits
        .chain(std::iter::repeat(0))
        .take(12)
        .fold(0, |number, digit| number * 37 + u64::from(digit))
}

fn epoch_of(mut number: u64) -> Option<Epoch> {
    let mut text = [0; 12];
    for character in text.iter_mut().rev() {
        *character = match (number % 37) as u8 {
            0 => b' ',
            digit @ 1..=10 => b'0' + digit - 1,
            digit => b'a' + digit - 11,
        };
        number /= 37;
    }
    std::str::from_utf8(&text).ok()?.trim_ascii_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_place_is_unpacked_as_the_id_of_its_log() {
        for epoch in ["0", "z", "zzzzzzzzzzzz", "000000000000", "k3b9"] {
            let epoch: Epoch = epoch.parse().expect("an epoch");
            for hi in [0, 1, 61, 62, u64::MAX] {
                for lo in [0, 1, 61, 62, u64::MAX] {
                    let (position, mut id) = (Position::new(hi, lo), BytesMut::new());
                    let parts =
                        [("a", Some((epoch, position))), ("b_-", None)].map(|(name, place)| {
                            let mut part = String::new();
                            write_part(name, place, &mut part);
                            part
                        });
                    write_id(parts.iter().map(String::as_str), &mut id);
                    let id = String::from_utf8(id.into()).expect("ASCII");
                    assert!(id.len() <= longest_part("a", position) + 1 + 5, "{id}");
                    let id = EventId::try_from(id).expect("letters, digits, dots and hyphens");
                    let expected = [
                        ("a", LastEventId::Id(position.id(epoch))),
                        ("b_-", LastEventId::Unusable),
                    ];
                    assert_eq!(unpack(&id), Some(expected.into()), "{id}");
                }
            }
        }
    }

    #[test]
    fn what_no_merge_gives_is_refused() {
        for id in [
            "",
            "_",
            "_a",
            "_a.",
            "_a.1",
            "_a.b.c",
            "_a.-.a.-",
            "a.-",
            "a.UUUUUUUUUUU1",
            "k3b9k3b9k3b9.7",
            "_a.0000000000x1",
            "_a.00000000001",
            "_a.UUUUUUUUUUU",
            "_a.UUUUUUUUUUU1-",
            "_a.UUUUUUUUUUU01",
            "_a.UUUUUUUUUUU0-1",
            "_a.zzzzzzzzzzz1",
            "_a.UUUUUUUUUUUzzzzzzzzzzzz",
        ] {
            let id = EventId::try_from(id).expect("printable");
            assert_eq!(unpack(&id), None, "{id}");
        }
    }
}
