//! Encoding of events in rows of a table. Events of one transaction share a row, since redb spends about as much on a row as on an event.

use std::ops::ControlFlow;

use redb::{AccessGuard, StorageError};

use crate::error::Failure;
use crate::row_topics::RowTopics;

/// Row of events. Its key is the position of its last event. Its value is the position of its first event, the time at which the events were stored
/// (milliseconds by the clock of the file), their key or nothing, and one entry for each position. An event with a key has its own row, since another
/// event may supersede it.
///
/// An entry is the length of the block (4 bytes, little-endian; [`REMOVED`] instead, if the event was deleted), and the block. Before the entry of an event
/// with topics are [`TOPICS`] (4 bytes), the length of the topics (2 bytes), and the topics.
pub(crate) type EventRow = (u64, u64, &'static str, &'static [u8]);

/// Largest size of the entries in a row that events share, in bytes: with redb's overhead the row takes four pages. A larger event has its own row.
const ROOM: usize = 16 * 1024 - 256;
const REMOVED: u32 = u32::MAX;
const TOPICS: u32 = u32::MAX - 1;

/// An event in a row.
pub(crate) struct RowEvent<'r> {
    pub(crate) position: u64,
    pub(crate) stored: u64,
    pub(crate) key: Option<&'r str>,
    pub(crate) topics: RowTopics<'r>,
    pub(crate) block: &'r [u8],
}

/// A row. Some of its events may be removed.
pub(crate) struct Row<'r> {
    first: u64,
    last: u64,
    pub(crate) stored: u64,
    pub(crate) key: Option<&'r str>,
    entries: &'r [u8],
}

/// Row as a table returns it.
pub(crate) type Found<'t> = (AccessGuard<'t, u64>, AccessGuard<'t, EventRow>);

impl<'r> Row<'r> {
    pub(crate) fn of((last, row): &'r Found<'_>) -> Self {
        let (first, stored, key, entries) = row.value();
        Self {
            first,
            last: last.value(),
            stored,
            key: Some(key).filter(|key| !key.is_empty()),
            entries,
        }
    }

    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Returns the events after this position that were not removed.
    pub(crate) fn events(&self, after: u64) -> impl Iterator<Item = Result<RowEvent<'r>, Failure>> {
        let (stored, key) = (self.stored, self.key);
        self.entries().filter_map(move |entry| match entry {
            Ok((position, Some((topics, block)))) if position > after => {
                Some(Ok(RowEvent { position, stored, key, topics, block }))
            }
            Ok(_) => None,
            Err(failure) => Some(Err(failure)),
        })
    }

    /// Returns the row without the block at this position.
    pub(crate) fn without(&self, position: u64) -> Result<RowBuilder, Failure> {
        let mut pack = RowBuilder::at(self.first);
        for entry in self.entries() {
            match entry? {
                (at, Some((topics, block))) if at != position => pack.push(topics, block),
                _ => pack.push_removed(),
            }
        }
        Ok(pack)
    }

    fn entries(&self) -> Entries<'r> {
        Entries { next: self.first, last: self.last, rest: self.entries }
    }
}

/// Iterator over the positions of a row, each with its topics and its block, unless these were removed.
struct Entries<'r> {
    next: u64,
    last: u64,
    rest: &'r [u8],
}

impl<'r> Iterator for Entries<'r> {
    type Item = Result<(u64, Option<Entry<'r>>), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let position = self.next;
        if position > self.last {
            return None;
        }
        let Some(entry) = self.entry() else {
            self.last = 0;
            let what = format!("the row of the event {position} is too short");
            return Some(Err(redb::Error::Corrupted(what).into()));
        };
        self.next = position.saturating_add(1);
        Some(Ok((position, entry)))
    }
}

impl<'r> Entries<'r> {
    fn entry(&mut self) -> Option<Option<Entry<'r>>> {
        let mut topics = RowTopics::default();
        let mut length = u32::from_le_bytes(self.chunk()?);
        if length == TOPICS {
            let size = u16::from_le_bytes(self.chunk()?);
            topics = RowTopics(self.bytes(size.into())?);
            length = u32::from_le_bytes(self.chunk()?);
        }
        if length == REMOVED {
            return Some(None);
        }
        Some(Some((topics, self.bytes(length as usize)?)))
    }

    fn bytes(&mut self, count: usize) -> Option<&'r [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*chunk)
    }
}

/// Topics and block of an event in a row.
type Entry<'r> = (RowTopics<'r>, &'r [u8]);

/// Builder of a row.
#[derive(Debug)]
pub(crate) struct RowBuilder {
    first: u64,
    count: u64,
    entries: Vec<u8>,
}

impl RowBuilder {
    pub(crate) fn at(first: u64) -> Self {
        Self { first, count: 0, entries: Vec::new() }
    }

    pub(crate) fn has_room_for(&self, topics: RowTopics<'_>, block: &[u8]) -> bool {
        let size = size_of::<u32>() + size_of_topics(topics) + block.len();
        self.count == 0 || self.entries.len() + size <= ROOM
    }

    /// Adds the event at the next position.
    pub(crate) fn push(&mut self, topics: RowTopics<'_>, block: &[u8]) {
        if !topics.is_empty() {
            self.entries.extend_from_slice(&TOPICS.to_le_bytes());
            // An event has at most 8 topics of at most 128 bytes.
            self.entries.extend_from_slice(&(topics.0.len() as u16).to_le_bytes());
            self.entries.extend_from_slice(topics.0);
        }
        // A block is shorter than 4 GiB: a log accepts at most `largest_event`, and redb accepts no row of that size.
        self.entries.extend_from_slice(&(block.len() as u32).to_le_bytes());
        self.entries.extend_from_slice(block);
        self.count += 1;
    }

    /// Adds the next position, whose event was removed.
    fn push_removed(&mut self) {
        self.entries.extend_from_slice(&REMOVED.to_le_bytes());
        self.count += 1;
    }

    pub(crate) fn write(
        self,
        events: &mut redb::Table<'_, u64, EventRow>,
        stored: u64,
        key: Option<&str>,
    ) -> Result<(), Failure> {
        if let Some(more) = self.count.checked_sub(1) {
            let row = (self.first, stored, key.unwrap_or_default(), &*self.entries);
            events.insert(self.first + more, row)?;
        }
        Ok(())
    }
}

fn size_of_topics(topics: RowTopics<'_>) -> usize {
    match topics.is_empty() {
        true => 0,
        false => size_of::<u32>() + size_of::<u16>() + topics.0.len(),
    }
}

/// Visits the events of these rows after a position in order, until `see` breaks, and returns the value of the break.
pub(crate) fn for_each<'t, T>(
    rows: impl Iterator<Item = Result<Found<'t>, StorageError>>,
    after: u64,
    mut see: impl FnMut(RowEvent<'_>) -> ControlFlow<T>,
) -> Result<Option<T>, Failure> {
    for row in rows {
        let row = row?;
        for event in Row::of(&row).events(after) {
            if let ControlFlow::Break(found) = see(event?) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Visits the events of these rows as [`for_each`] does, from the last event to the first.
pub(crate) fn for_each_reversed<'t, T>(
    rows: impl DoubleEndedIterator<Item = Result<Found<'t>, StorageError>>,
    after: u64,
    mut see: impl FnMut(RowEvent<'_>) -> ControlFlow<T>,
) -> Result<Option<T>, Failure> {
    for row in rows.rev() {
        let row = row?;
        let events: Vec<_> = Row::of(&row).events(after).collect::<Result<_, _>>()?;
        for event in events.into_iter().rev() {
            if let ControlFlow::Break(found) = see(event) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
