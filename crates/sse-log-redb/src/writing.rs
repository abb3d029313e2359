use std::sync::Arc;

use redb::{AccessGuard, ReadableTable, TableDefinition, WriteTransaction};
use sse_core::store::{Retention, StoredEvent};

use crate::failure::Failure;
use crate::known::{Events, Known};
use crate::once::{Once, Time};
use crate::tables::{EventRow, Head};

/// A log while a transaction writes to it. Its tables are opened when they are needed, and stay so to the end of the transaction: to open one
/// costs as much as some events do.
pub(crate) struct LogTables<'t> {
    txn: &'t WriteTransaction,
    pub(crate) known: Arc<Known>,
    pub(crate) head: Head,
    pub(crate) events: redb::Table<'t, u64, EventRow>,
    keys: Option<redb::Table<'t, &'static str, u64>>,
    once: Option<Once<'t>>,
    pub(crate) time: Time,
    /// What it keeps, as the last append said, and how many events were added.
    pub(crate) retention: Option<Retention>,
    pub(crate) added: usize,
    /// What is given to followers: as long as only events are added.
    pub(crate) given: Option<Events>,
    /// Whether idempotency keys were forgotten, which the head does not show.
    pub(crate) has_forgotten: bool,
}

impl<'t> LogTables<'t> {
    pub(crate) fn open(
        txn: &'t WriteTransaction,
        known: &Arc<Known>,
        head: Head,
        time: Time,
    ) -> Result<Self, Failure> {
        Ok(Self {
            txn,
            known: Arc::clone(known),
            events: txn.open_table(TableDefinition::new(&known.tables.events))?,
            keys: None,
            once: None,
            time,
            retention: None,
            added: 0,
            given: known.is_followed().then(Events::new),
            has_forgotten: false,
            head,
        })
    }

    /// The position of the newest event of each key.
    pub(crate) fn keys(&mut self) -> Result<&mut redb::Table<'t, &'static str, u64>, Failure> {
        let keys = match self.keys.take() {
            Some(keys) => keys,
            None => self.txn.open_table(TableDefinition::new(&self.known.tables.keys))?,
        };
        Ok(self.keys.insert(keys))
    }

    /// The idempotency keys.
    pub(crate) fn once(&mut self) -> Result<&mut Once<'t>, Failure> {
        let once = match self.once.take() {
            Some(once) => once,
            None => Once::open(self.txn, &self.known)?,
        };
        Ok(self.once.insert(once))
    }

    /// A new epoch begins: it is to be asked for again which keys are of an earlier one.
    pub(crate) fn forget_once(&mut self) {
        self.once = None;
    }

    pub(crate) fn give(&mut self, event: impl FnOnce() -> StoredEvent) {
        if let Some(given) = &mut self.given {
            given.push(event());
        }
    }

    /// Forgets an event, and returns its size if it was there.
    pub(crate) fn remove(&mut self, position: u64) -> Result<Option<usize>, Failure> {
        let removed = self.events.remove(position)?.map(|event| Removed::of(position, &event));
        removed.map(|removed| self.forget(removed)).transpose()
    }

    /// Forgets the oldest event, and returns its position and its size.
    pub(crate) fn remove_oldest(&mut self) -> Result<Option<(u64, usize)>, Failure> {
        let removed = self.events.pop_first()?.map(|(at, event)| Removed::of(at.value(), &event));
        let Some(removed) = removed else { return Ok(None) };
        let position = removed.position;
        self.forget(removed).map(|size| Some((position, size)))
    }

    fn forget(&mut self, Removed { position, size, key }: Removed) -> Result<usize, Failure> {
        self.head.bytes = self.head.bytes.saturating_sub(size as u64);
        if let Some(key) = key {
            let keys = self.keys()?;
            let newest = keys.get(&*key)?.map(|newest| newest.value());
            if newest == Some(position) {
                keys.remove(&*key)?;
            }
        }
        Ok(size)
    }
}

/// What is to be known of an event that is not in its table any more.
struct Removed {
    position: u64,
    size: usize,
    key: Option<String>,
}

impl Removed {
    fn of(position: u64, event: &AccessGuard<'_, EventRow>) -> Self {
        let (_, key, block) = event.value();
        Self { position, size: block.len(), key: (!key.is_empty()).then(|| key.to_owned()) }
    }
}
