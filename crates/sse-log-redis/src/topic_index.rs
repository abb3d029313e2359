use redis::{FromRedisValue, ParsingError, Value};
use sse_core::Position;
use sse_core::store::{StoreError, TopicFilter};

use crate::log_state::LogState;
use crate::position::{invalid, position};

/// The reply of `lua/read_topics.lua`.
#[derive(Debug)]
pub(crate) struct IndexReply {
    pub(crate) state: LogState,
    /// True if the index has all events after the position that was asked for.
    pub(crate) is_complete: bool,
    /// The id of the newest event that has topics.
    topical: String,
    /// For each topic: whether it is a list of runs, whether there are more positions, and the positions.
    lists: Vec<(bool, bool, Vec<u8>)>,
}

/// A part of the log in which all events pass a filter: those after the first position, up to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Position,
    pub(crate) upto: Position,
}

/// The number of events to request of a span whose size is unknown, except of the first.
const OF_A_RUN: usize = 4;

impl Span {
    fn of_event(at: Position) -> Self {
        Self { from: at.previous(), upto: at }
    }

    /// Returns the number of events to request of it.
    fn count(&self, of_a_run: usize) -> usize {
        if *self == Self::of_event(self.upto) { 1 } else { of_a_run.max(1) }
    }
}

impl IndexReply {
    /// Returns the position of the newest event that has topics.
    pub(crate) fn newest_with_topics(&self) -> Result<Position, StoreError> {
        position(&self.topical)
    }

    /// Returns the spans after a position, in order, and the position up to which they have every event.
    pub(crate) fn spans(
        &self,
        after: Position,
        filter: &TopicFilter,
    ) -> Result<(Vec<Span>, Position), StoreError> {
        let newest = self.state.bounds()?.newest;
        let (mut spans, mut upto) = (Vec::new(), newest);
        for (is_of_runs, is_cut, bytes) in &self.lists {
            let (mut bytes, mut last) = (&bytes[..], after);
            while !bytes.is_empty() {
                last = next_position(&mut bytes)?;
                spans.push(match is_of_runs {
                    true => Span { from: next_position(&mut bytes)?, upto: last },
                    false => Span::of_event(last),
                });
            }
            if *is_cut {
                upto = upto.min(last);
            }
        }
        if filter.takes_those_without() {
            spans.push(Span { from: self.newest_with_topics()?, upto: newest });
        }
        for span in &mut spans {
            *span = Span { from: span.from.max(after), upto: span.upto.min(upto) };
        }
        spans.retain(|span| span.from < span.upto);
        // An event that has several of the topics is there several times.
        spans.sort_unstable_by_key(|span| (span.upto, span.from));
        spans.dedup();
        Ok((spans, upto))
    }
}

/// Returns the number of events to request of each of the first spans: about this many in all.
pub(crate) fn share(spans: &[Span], count: usize) -> Vec<usize> {
    let mut left = count;
    let share = |(number, span): (usize, &Span)| {
        let share = span.count(if number == 0 { count / 2 } else { OF_A_RUN });
        let fits = number == 0 || share <= left;
        left = left.saturating_sub(share);
        fits.then_some(share)
    };
    spans.iter().enumerate().map_while(share).collect()
}

/// Takes the position with which these bytes begin, as `lua/topics.lua` has written it.
fn next_position(bytes: &mut &[u8]) -> Result<Position, StoreError> {
    let mut number = || {
        let (length, rest) = bytes.split_first()?;
        let (number, rest) = rest.split_at_checked((*length).into())?;
        *bytes = rest;
        match length {
            0..=8 => Some(number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))),
            _ => std::str::from_utf8(number).ok()?.parse().ok(),
        }
    };
    let numbers = number().zip(number());
    let position = numbers.map(|(hi, lo)| Position::new(hi, lo));
    position.ok_or_else(|| invalid("index by topic", "its positions cannot be read"))
}

impl FromRedisValue for IndexReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (state, is_complete, topical, lists) = FromRedisValue::from_redis_value(value)?;
        Ok(Self { state, is_complete, topical, lists })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_the_scripts_write_it() {
        for (bytes, expected) in [
            (&b"\x00\x00"[..], Position::START),
            (b"\x01\x07\x02\x01\x00", Position::new(7, 256)),
            (b"\x06\x01\xa2\x20\xff\xb0\x2c\x00", Position::new(1_795_849_957_420, 0)),
            (b"\x01\x01\x1418446744073709551615", Position::new(1, u64::MAX)),
        ] {
            let mut left = bytes;
            assert_eq!(next_position(&mut left).expect("valid"), expected, "{bytes:?}");
            assert!(left.is_empty());
        }
        for bytes in
            [&b""[..], b"\x01", b"\x01\x01", b"\x01\x01\x02\x01", b"\x00\x10123456789012345x"]
        {
            let mut left = bytes;
            next_position(&mut left).expect_err("it is cut off");
        }
    }
}
