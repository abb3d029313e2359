//! Holes in the sequence of messages. A replaced or deleted message leaves one; a message that a consumer skips would look the same.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Largest number of remembered holes.
const MOST: usize = 4096;
/// The holes that are known to be empty, by their first sequences. They stay empty.
#[derive(Debug, Default)]
pub(crate) struct Holes(Mutex<(String, BTreeMap<u64, u64>)>);

/// The sequences of a hole: the first, and the one after the last.
pub(crate) type Hole = (u64, u64);

impl Holes {
    pub(crate) fn is_known(&self, stream: &str, hole: Hole) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.1.range(..=hole.0).next_back();
        known.0 == stream && before.is_some_and(|(_, end)| *end >= hole.1)
    }

    pub(crate) fn remember(&self, stream: &str, (first, end): Hole) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != stream || known.1.len() >= MOST {
            *known = (stream.to_owned(), BTreeMap::new());
        }
        let known = known.1.entry(first).or_insert(end);
        *known = end.max(*known);
    }
}

/// Returns the holes after this sequence and between these, in order.
pub(crate) fn holes(after: u64, numbers: impl Iterator<Item = u64>) -> Vec<Hole> {
    let mut expected = after + 1;
    let mut holes = Vec::new();
    for number in numbers {
        if number > expected {
            holes.push((expected, number));
        }
        expected = number + 1;
    }
    holes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_known_within_one_that_was_checked() {
        assert_eq!(holes(2, [3, 4, 7, 8, 10].into_iter()), [(5, 7), (9, 10)]);
        assert_eq!(holes(0, [5].into_iter()), [(1, 5)]);
        let known = Holes::default();
        known.remember("a", (1, 5));
        known.remember("a", (9, 10));
        for hole in [(1, 5), (2, 4), (4, 5), (9, 10)] {
            assert!(known.is_known("a", hole), "{hole:?}");
            assert!(!known.is_known("b", hole), "{hole:?} of another stream");
        }
        for hole in [(1, 6), (5, 6), (8, 10), (9, 11)] {
            assert!(!known.is_known("a", hole), "{hole:?}");
        }
    }
}
