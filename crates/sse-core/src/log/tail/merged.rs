use std::collections::{BinaryHeap, VecDeque};

use crate::Position;

/// Several sequences as one: the largest item first, an item that stands in several once. Each sequence begins with its largest.
pub(super) struct Merged<I: Iterator> {
    sequences: Vec<I>,
    /// The next item of each sequence, and the sequence.
    next: BinaryHeap<(I::Item, usize)>,
}

impl<I> Merged<I>
where
    I: Iterator,
    I::Item: Ord,
{
    pub(super) fn new(sequences: impl IntoIterator<Item = I>) -> Self {
        let mut sequences: Vec<_> = sequences.into_iter().collect();
        let next = sequences.iter_mut().enumerate();
        let next = next.filter_map(|(number, sequence)| Some((sequence.next()?, number))).collect();
        Self { sequences, next }
    }

    fn advance(&mut self) -> Option<I::Item> {
        let (item, number) = self.next.pop()?;
        if let Some(next) = self.sequences[number].next() {
            self.next.push((next, number));
        }
        Some(item)
    }
}

impl<I> Iterator for Merged<I>
where
    I: Iterator,
    I::Item: Ord,
{
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let item = self.advance()?;
        while self.next.peek().is_some_and(|(other, _)| *other == item) {
            self.advance();
        }
        Some(item)
    }
}

/// The events of a topic, or those without one.
pub(super) enum Sequence<T, R> {
    Topic(T),
    Rest(R),
}

impl<T, R> Iterator for Sequence<T, R>
where
    T: Iterator,
    R: Iterator<Item = T::Item>,
{
    type Item = T::Item;

    fn next(&mut self) -> Option<T::Item> {
        match self {
            Self::Topic(events) => events.next(),
            Self::Rest(events) => events.next(),
        }
    }
}

/// Returns the events before this position, newest first.
pub(super) fn earlier(
    events: &VecDeque<Position>,
    position: Position,
) -> impl Iterator<Item = Position> + '_ {
    events.range(..events.partition_point(|event| *event < position)).rev().copied()
}

/// Returns the events after this position.
pub(super) fn later(
    events: &VecDeque<Position>,
    position: Position,
) -> impl Iterator<Item = Position> + '_ {
    let first = match events.back() {
        Some(newest) if *newest <= position => events.len(),
        _ => events.partition_point(|event| *event <= position),
    };
    events.range(first..).copied()
}
