//! The text of the hidden events in a record: a log can have ten thousand, and the record is loaded with each page.
//!
//! It is the base64 of three numbers for each run of positions that follow one another: the first part of the position, less that of the run before; the
//! second part, less the end of the run before if the first part is the same; and the length of the run. Each number has seven bits a byte, the lowest
//! first, and the highest bit of each byte but the last is set.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sse_core::Position;

/// Returns the text of these positions.
pub(crate) fn to_text(hidden: &BTreeSet<Position>) -> String {
    let (mut bytes, mut end) = (Vec::new(), (0, 0));
    let mut positions = hidden.iter().map(|at| (at.hi(), at.lo())).peekable();
    while let Some((hi, lo)) = positions.next() {
        let mut length = 1;
        while positions.next_if_eq(&(hi, lo + length)).is_some() {
            length += 1;
        }
        let from = if hi == end.0 { end.1 } else { 0 };
        for number in [hi - end.0, lo - from, length] {
            put(&mut bytes, number);
        }
        end = (hi, lo + length);
    }
    STANDARD.encode(bytes)
}

/// Returns the positions of this text, or `None` if it is invalid or has more than `most`.
pub(crate) fn from_text(text: &str, most: usize) -> Option<BTreeSet<Position>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (mut hidden, mut rest, mut end) = (BTreeSet::new(), &bytes[..], (0_u64, 0_u64));
    while !rest.is_empty() {
        let hi = end.0.checked_add(take(&mut rest)?)?;
        let from = if hi == end.0 { end.1 } else { 0 };
        let (lo, length) = (from.checked_add(take(&mut rest)?)?, take(&mut rest)?);
        let after = lo.checked_add(length)?;
        if length > most.saturating_sub(hidden.len()) as u64 {
            return None;
        }
        hidden.extend((lo..after).map(|lo| Position::new(hi, lo)));
        end = (hi, after);
    }
    Some(hidden)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(positions: impl IntoIterator<Item = (u64, u64)>) -> BTreeSet<Position> {
        positions.into_iter().map(|(hi, lo)| Position::new(hi, lo)).collect()
    }

    #[test]
    fn any_positions_come_back() {
        let most = u64::MAX - 1;
        for hidden in [
            set([]),
            set([(1, 0)]),
            set([(0, 0), (0, 1), (0, 3), (7, 0), (7, 1), (300, 128), (most, most)]),
            set((0..1000).map(|n| (n / 10, n % 10 * (n % 3 + 1)))),
        ] {
            assert_eq!(from_text(&to_text(&hidden), 1000), Some(hidden));
        }
    }

    #[test]
    fn ten_thousand_of_one_batch_are_short() {
        let all = to_text(&set((1..=10_000).map(|n| (123_456_789, n))));
        let every_other = to_text(&set((1..=10_000).map(|n| (123_456_789, 2 * n))));
        assert!(all.len() < 20, "{}", all.len());
        assert!(every_other.len() < 41_000, "{}", every_other.len());
    }

    #[test]
    fn an_invalid_text_is_refused() {
        for text in ["?", "AQ==", "AQE=", "gICAgICAgICAgAE="] {
            assert_eq!(from_text(text, 10), None, "{text}");
        }
        assert_eq!(from_text(&to_text(&set((0..11).map(|n| (1, n)))), 10), None, "too many");
    }
}
