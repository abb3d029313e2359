//! The id of a merge: the name of each log, and the client's place in it, `_name.place.name.place`. No id of a log begins with `_`. A place
//! is the epoch in 11 characters and the position in up to 11, or in twice 11 with a hyphen between, all in base 62.

use bytes::{BufMut, BytesMut};

use crate::{Epoch, EventId, LastEventId, Position};

/// The first character of an id of a merge, which no id of a log has.
const MARK: char = '_';
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of digits of an epoch.
const EPOCH_LEN: usize = 11;
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

/// Returns the longest length of the part of a log of this name, including the separator before it.
pub(super) fn longest(name: &str, largest: Position) -> usize {
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
    let position = match position.split_once('-') {
        Some((hi, lo)) => Position::new(read(hi)?, read(lo)?),
        None => Position::from(read(position)?),
    };
    let epoch = epoch_of(read_digits(epoch)?)?;
    let (id, mut canonical) = (position.id(epoch), String::new());
    write_part("", Some((epoch, position)), &mut canonical);
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

/// Writes a number in at least this many digits.
fn write(mut number: u64, at_least: usize, text: &mut String) {
    let mut digits = [b'0'; EPOCH_LEN];
    let mut first = EPOCH_LEN;
    while number > 0 || EPOCH_LEN - first < at_least {
        first -= 1;
        digits[first] = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    text.extend(digits[first..].iter().map(|&digit| char::from(digit)));
}

fn digits(number: u64) -> usize {
    let mut text = String::new();
    write(number, 1, &mut text);
    text.len()
}

fn read(text: &str) -> Option<u64> {
    (!text.is_empty()).then(|| read_digits(text)).flatten()
}

fn read_digits(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = DIGITS.iter().position(|&digit| digit == byte)?;
        number.checked_mul(62)?.checked_add(digit as u64)
    })
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
                    assert!(id.len() <= longest("a", position) + 1 + 5, "{id}");
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
