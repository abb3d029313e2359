use std::sync::Arc;

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sse_core::store::{Retention, StoredEvent};

use crate::clock::Time;
use crate::error::Failure;
use crate::events::{EventRow, Row, RowBuilder};
use crate::idempotency::IdempotencyKeys;
use crate::open_logs::{Events, OpenLog};
use crate::tables::Head;

/// Tables of a log in a write transaction. Each table is opened when it is first needed and stays open to the end of the transaction, since opening a
/// table costs as much as storing some events.
pub(crate) struct LogTables<'t> {
    txn: &'t WriteTransaction,
    pub(crate) open_log: Arc<OpenLog>,
    pub(crate) head: Head,
    events: redb::Table<'t, u64, EventRow>,
    /// Newest events, not yet in a row.
    pack: Option<RowBuilder>,
    keys: Option<redb::Table<'t, &'static str, u64>>,
    idempotency_keys: Option<IdempotencyKeys<'t>>,
    pub(crate) time: Time,
    /// Limits that the last append gave, and the number of events added.
    pub(crate) retention: Option<Retention>,
    pub(crate) added: usize,
    /// Events for the followers, if only events were added.
    pub(crate) new_events: Option<Events>,
    /// True if idempotency keys were removed, which the head does not show.
    pub(crate) has_removed_keys: bool,
}

impl<'t> LogTables<'t> {
    pub(crate) fn open(
        txn: &'t WriteTransaction,
        open_log: &Arc<OpenLog>,
        head: Head,
        time: Time,
    ) -> Result<Self, Failure> {
        Ok(Self {
            txn,
            open_log: Arc::clone(open_log),
            events: txn.open_table(TableDefinition::new(&open_log.tables.events))?,
            pack: None,
            keys: None,
            idempotency_keys: None,
            time,
            retention: None,
            added: 0,
            new_events: open_log.is_followed().then(Events::new),
            has_removed_keys: false,
            head,
        })
    }

    /// Returns the table of the newest event of each key.
    pub(crate) fn keys(&mut self) -> Result<&mut redb::Table<'t, &'static str, u64>, Failure> {
        let keys = match self.keys.take() {
            Some(keys) => keys,
            None => self.txn.open_table(TableDefinition::new(&self.open_log.tables.keys))?,
        };
        Ok(self.keys.insert(keys))
    }

    /// Returns the idempotency keys.
    pub(crate) fn idempotency_keys(&mut self) -> Result<&mut IdempotencyKeys<'t>, Failure> {
        let idempotency_keys = match self.idempotency_keys.take() {
            Some(idempotency_keys) => idempotency_keys,
            None => IdempotencyKeys::open(self.txn, &self.open_log)?,
        };
        Ok(self.idempotency_keys.insert(idempotency_keys))
    }

    /// Reads again which idempotency keys are of earlier epochs: a new epoch begins.
    pub(crate) fn reset_idempotency_keys(&mut self) {
        self.idempotency_keys = None;
    }

    pub(crate) fn add_new_event(&mut self, event: impl FnOnce() -> StoredEvent) {
        if let Some(new_events) = &mut self.new_events {
            new_events.push(event());
        }
    }

    /// Adds an event, and returns its position.
    pub(crate) fn push(&mut self, key: Option<&str>, block: &[u8]) -> Result<u64, Failure> {
        let position = self.head.newest + 1;
        let time = self.time.now;
        if key.is_some() || !self.pack.as_ref().is_some_and(|pack| pack.has_room_for(block)) {
            self.flush()?;
        }
        self.pack.get_or_insert_with(|| RowBuilder::at(position)).push(Some(block));
        self.head.newest = position;
        self.head.events += 1;
        self.head.bytes += block.len() as u64;
        self.added += 1;
        if let Some(key) = key
            && let Some(pack) = self.pack.take()
        {
            pack.write(&mut self.events, time, Some(key))?;
            let older = self.keys()?.insert(key, position)?.map(|older| older.value());
            if let Some(older) = older {
                self.remove(older)?;
            }
        }
        Ok(position)
    }

    /// Returns the table of events, after all events were written to it.
    pub(crate) fn events(&mut self) -> Result<&mut redb::Table<'t, u64, EventRow>, Failure> {
        self.flush()?;
        Ok(&mut self.events)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.pack.take().map_or(Ok(()), |pack| pack.write(&mut self.events, self.time.now, None))
    }

    /// Removes an event. Returns true if it existed.
    pub(crate) fn remove(&mut self, position: u64) -> Result<bool, Failure> {
        self.flush()?;
        let Some(Removed { size, key, row }) = self.without(position)? else { return Ok(false) };
        match row {
            (_, stored, Some(rest)) => rest.write(&mut self.events, stored, None)?,
            (last, _, None) => drop(self.events.remove(last)?),
        }
        self.head.events = self.head.events.saturating_sub(1);
        self.head.bytes = self.head.bytes.saturating_sub(size as u64);
        self.forget_key(key.as_deref(), position)?;
        Ok(true)
    }

    /// Returns what remains of a row without this event, if the event exists.
    fn without(&self, position: u64) -> Result<Option<Removed>, Failure> {
        let found = self.events.range(position..)?.next().transpose()?;
        let Some(row) = found.as_ref().map(Row::of) else { return Ok(None) };
        let (mut size, mut are_others) = (None, false);
        for event in row.events(self.head.floor) {
            let event = event?;
            if event.position == position {
                size = Some(event.block.len());
            } else {
                are_others = true;
            }
        }
        let Some(size) = size else { return Ok(None) };
        let rest = are_others.then(|| row.without(position)).transpose()?;
        let key = row.key.map(str::to_owned);
        Ok(Some(Removed { size, key, row: (row.last(), row.stored, rest) }))
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
            drop(self.events.pop_first()?);
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
}

/// An event to remove.
struct Removed {
    size: usize,
    key: Option<String>,
    /// Row of the event: the last position, the time at which it was stored, and the other events.
    row: (u64, u64, Option<RowBuilder>),
}
