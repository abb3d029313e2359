//! Encoding of events in rows of a table. Events of one transaction share a row, since redb spends about as much on a row as on an event.

use std::ops::ControlFlow;

use redb::{AccessGuard, StorageError};

use crate::error::Failure;

/// Row of events. Its key is the position of its last event. Its value is the position of its first event, the time at which the events were stored
/// (milliseconds by the clock of the file), their key or nothing, and one entry for each position. An event with a key has its own row, since another
/// event may supersede it.
///
/// An entry is the length of the block (4 bytes, little-endian; [`REMOVED`] instead, if the event was deleted), and the block.
pub(crate) type EventRow = (u64, u64, &'static str, &'static [u8]);

/// Largest size of the entries in a row that events share, in bytes: with redb's overhead the row takes four pages. A larger event has its own row.
const ROOM: usize = 16 * 1024 - 256;
const REMOVED: u32 = u32::MAX;

/// An event in a row.
pub(crate) struct RowEvent<'r> {
    pub(crate) position: u64,
    pub(crate) stored: u64,
    pub(crate) key: Option<&'r str>,
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
            Ok((position, Some(block))) if position > after => {
                Some(Ok(RowEvent { position, stored, key, block }))
            }
            Ok(_) => None,
            Err(failure) => Some(Err(failure)),
        })
    }

    /// Returns the row without the block at this position.
    pub(crate) fn without(&self, position: u64) -> Result<RowBuilder, Failure> {
        let mut pack = RowBuilder::at(self.first);
        for entry in self.entries() {
            let (at, block) = entry?;
            pack.push(block.filter(|_| at != position));
        }
        Ok(pack)
    }

    fn entries(&self) -> Entries<'r> {
        Entries { next: self.first, last: self.last, rest: self.entries }
    }
}

/// Iterator over the positions of a row, each with its block, unless that was removed.
struct Entries<'r> {
    next: u64,
    last: u64,
    rest: &'r [u8],
}

impl<'r> Iterator for Entries<'r> {
    type Item = Result<(u64, Option<&'r [u8]>), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let position = self.next;
        if position > self.last {
            return None;
        }
        let Some(block) = self.block() else {
            self.last = 0;
            let what = format!("the row of the event {position} is too short");
            return Some(Err(redb::Error::Corrupted(what).into()));
        };
        self.next = position.saturating_add(1);
        Some(Ok((position, block)))
    }
}

impl<'r> Entries<'r> {
    fn block(&mut self) -> Option<Option<&'r [u8]>> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length);
        let (block, rest) = if length == REMOVED {
            (None, rest)
        } else {
            let (block, rest) = rest.split_at_checked(length as usize)?;
            (Some(block), rest)
        };
        self.rest = rest;
        Some(block)
    }
}

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

    pub(crate) fn has_room_for(&self, block: &[u8]) -> bool {
        self.count == 0 || self.entries.len() + size_of::<u32>() + block.len() <= ROOM
    }

    /// Adds the next position, with its block if it has a block.
    pub(crate) fn push(&mut self, block: Option<&[u8]>) {
        // A block is shorter than 4 GiB: a log accepts at most `largest_event`, and redb accepts no row of that size.
        let length = block.map_or(REMOVED, |block| block.len() as u32);
        self.entries.extend_from_slice(&length.to_le_bytes());
        self.entries.extend_from_slice(block.unwrap_or_default());
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
