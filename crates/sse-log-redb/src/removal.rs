//! Removal of events from the tables of a log.

use std::ops::ControlFlow::Break;

use redb::ReadableTable;

use crate::error::Failure;
use crate::events::{self, Row, RowBuilder};
use crate::log_tables::LogTables;
use crate::row_topics::RowTopics;
use crate::tables::Head;

impl LogTables<'_> {
    /// Removes an event. Returns true if it existed.
    pub(crate) fn remove(&mut self, position: u64) -> Result<bool, Failure> {
        let Some(Removed { size, key, topics, row }) = self.without(position)? else {
            return Ok(false);
        };
        match row {
            (_, stored, Some(rest)) => rest.write(self.events()?, stored, None)?,
            (last, _, None) => drop(self.events()?.remove(last)?),
        }
        self.head.events = self.head.events.saturating_sub(1);
        self.head.bytes = self.head.bytes.saturating_sub(size as u64);
        self.forget_key(key.as_deref(), position)?;
        self.forget_topics(position, RowTopics(&topics))?;
        Ok(true)
    }

    /// Returns what remains of a row without this event, if the event exists.
    fn without(&mut self, position: u64) -> Result<Option<Removed>, Failure> {
        let floor = self.head.floor;
        let found = self.events()?.range(position..)?.next().transpose()?;
        let Some(row) = found.as_ref().map(Row::of) else { return Ok(None) };
        let (mut removed, mut are_others) = (None, false);
        for event in row.events(floor) {
            let event = event?;
            if event.position == position {
                removed = Some((event.block.len(), event.topics.0.to_owned()));
            } else {
                are_others = true;
            }
        }
        let Some((size, topics)) = removed else { return Ok(None) };
        let rest = are_others.then(|| row.without(position)).transpose()?;
        let key = row.key.map(str::to_owned);
        Ok(Some(Removed { size, key, topics, row: (row.last(), row.stored, rest) }))
    }

    /// Drops the oldest event while `is_over` returns true for the head and for the time at which that event was stored.
    pub(crate) fn drop_oldest_while(
        &mut self,
        mut is_over: impl FnMut(&Head, u64) -> bool,
    ) -> Result<(), Failure> {
        loop {
            let mut head = self.head;
            let Some(found) = self.events()?.first()? else { return Ok(()) };
            let row = Row::of(&found);
            let mut stays = false;
            for event in row.events(head.floor) {
                let event = event?;
                if !is_over(&head, event.stored) {
                    stays = true;
                    break;
                }
                head.floor = event.position;
                head.events = head.events.saturating_sub(1);
                head.bytes = head.bytes.saturating_sub(event.block.len() as u64);
            }
            let key = row.key.map(str::to_owned);
            drop(found);
            self.head = head;
            if stays {
                return Ok(());
            }
            drop(self.events()?.pop_first()?);
            self.forget_key(key.as_deref(), head.floor)?;
        }
    }

    /// Removes a key whose newest event is gone.
    fn forget_key(&mut self, key: Option<&str>, position: u64) -> Result<(), Failure> {
        let Some(key) = key else { return Ok(()) };
        let keys = self.keys()?;
        let newest = keys.get(key)?.map(|newest| newest.value());
        if newest == Some(position) {
            keys.remove(key)?;
        }
        Ok(())
    }

    /// Removes an event from the index; and its run, if it was the last event of it.
    fn forget_topics(&mut self, position: u64, topics: RowTopics<'_>) -> Result<(), Failure> {
        if !topics.is_empty() {
            return self.topics()?.remove(position, topics);
        }
        if position < self.head.newest_with_topics
            && let Some(run) = self.topics()?.run_of(position)?
            && !self.has_any(run)?
        {
            self.topics()?.remove_run(run)?;
        }
        Ok(())
    }

    /// Removes entries of the index after retention has dropped this many events.
    pub(crate) fn forget_dropped_topics(&mut self, dropped: u64) -> Result<(), Failure> {
        let floor = self.head.floor;
        if dropped == 0 || self.head.newest_with_topics == 0 {
            return Ok(());
        }
        self.topics()?.drop_until(floor, dropped)
    }

    /// Returns true if there is an event from the first to the last position.
    pub(crate) fn has_any(&mut self, (first, last): (u64, u64)) -> Result<bool, Failure> {
        let after = (first - 1).max(self.head.floor);
        let rows = self.events()?.range(first..)?;
        let found = events::for_each(rows, after, |event| Break(event.position <= last))?;
        Ok(found.unwrap_or(false))
    }
}

/// An event to remove.
struct Removed {
    size: usize,
    key: Option<String>,
    topics: Vec<u8>,
    /// Row of the event: the last position, the time at which it was stored, and the other events.
    row: (u64, u64, Option<RowBuilder>),
}
