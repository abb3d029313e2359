use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};
use sse_core::Epoch;
use sse_core::store::LogName;

use crate::failure::{Failure, new_epoch};
use crate::name::TableNames;

/// What kind of file it is (`format`), and how many transactions were stored in it (`transactions`).
pub(crate) const FILE: TableDefinition<&str, u64> = TableDefinition::new("sse-log");
/// The state of each log by its name. Here, not in its events, so that letting go of all of them does not begin the numbers anew.
const HEADS: TableDefinition<&str, HeadRow> = TableDefinition::new("heads");
/// The epoch, the floor, the newest, the bytes, the deletions, and whether it is finished.
type HeadRow = (&'static str, u64, u64, u64, u64, bool);

/// When it was stored (milliseconds of the system's clock), its key or nothing, its block.
pub(crate) type EventRow = (u64, &'static str, &'static [u8]);
pub(crate) type Events<'t> = redb::Table<'t, u64, EventRow>;

/// The state of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) epoch: Epoch,
    /// The highest position that was let go of.
    pub(crate) floor: u64,
    /// The last position that was given.
    pub(crate) newest: u64,
    /// Of the blocks that are kept.
    pub(crate) bytes: u64,
    pub(crate) deletions: u64,
    pub(crate) is_finished: bool,
}

impl Head {
    pub(crate) fn new() -> Result<Self, Failure> {
        let epoch = new_epoch()?;
        Ok(Self { epoch, floor: 0, newest: 0, bytes: 0, deletions: 0, is_finished: false })
    }

    pub(crate) fn read(txn: &ReadTransaction, name: &LogName) -> Result<Self, Failure> {
        Self::get(&txn.open_table(HEADS)?, name)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn load(txn: &WriteTransaction, name: &LogName) -> Result<Option<Self>, Failure> {
        Self::get(&txn.open_table(HEADS)?, name)
    }

    pub(crate) fn store(&self, txn: &WriteTransaction, name: &LogName) -> Result<(), Failure> {
        let epoch = self.epoch;
        let row =
            (epoch.as_str(), self.floor, self.newest, self.bytes, self.deletions, self.is_finished);
        txn.open_table(HEADS)?.insert(name.as_str(), row)?;
        Ok(())
    }

    fn get(
        heads: &impl ReadableTable<&'static str, HeadRow>,
        name: &LogName,
    ) -> Result<Option<Self>, Failure> {
        let Some(row) = heads.get(name.as_str())? else { return Ok(None) };
        let (epoch, floor, newest, bytes, deletions, is_finished) = row.value();
        let epoch = epoch.parse().map_err(|_| {
            redb::Error::Corrupted(format!("{epoch:?} is no epoch of the log {name}"))
        })?;
        Ok(Some(Self { epoch, floor, newest, bytes, deletions, is_finished }))
    }
}

fn missing(name: &LogName) -> Failure {
    Failure::Refused(format!("there is no log {name} in the file any more"))
}

/// The tables of a log while a transaction writes to it.
pub(crate) struct LogTables<'t> {
    pub(crate) head: Head,
    pub(crate) events: Events<'t>,
    /// The position of the newest event of each key.
    pub(crate) keys: redb::Table<'t, &'static str, u64>,
    /// The idempotency keys: the position of the event, and when it was stored.
    pub(crate) once: redb::Table<'t, &'static str, (u64, u64)>,
    /// The same in the order in which they came, to forget them: when the event was stored, and its idempotency key.
    pub(crate) once_order: redb::Table<'t, u64, (u64, &'static str)>,
    /// Whether idempotency keys were forgotten, which the head does not show.
    pub(crate) has_forgotten: bool,
}

impl<'t> LogTables<'t> {
    pub(crate) fn open(
        txn: &'t WriteTransaction,
        name: &LogName,
        head: Head,
    ) -> Result<Self, Failure> {
        let tables = TableNames::of(name);
        Ok(Self {
            head,
            events: txn.open_table(TableDefinition::new(&tables.events))?,
            keys: txn.open_table(TableDefinition::new(&tables.keys))?,
            once: txn.open_table(TableDefinition::new(&tables.once))?,
            once_order: txn.open_table(TableDefinition::new(&tables.once_order))?,
            has_forgotten: false,
        })
    }
}

/// The tables of a log, to read.
pub(crate) struct LogView {
    pub(crate) head: Head,
    pub(crate) events: redb::ReadOnlyTable<u64, EventRow>,
    pub(crate) once_order: redb::ReadOnlyTable<u64, (u64, &'static str)>,
}

impl LogView {
    pub(crate) fn open(txn: &ReadTransaction, name: &LogName) -> Result<Self, Failure> {
        let tables = TableNames::of(name);
        Ok(Self {
            head: Head::read(txn, name)?,
            events: txn.open_table(TableDefinition::new(&tables.events))?,
            once_order: txn.open_table(TableDefinition::new(&tables.once_order))?,
        })
    }
}

/// What a file says of itself: how many transactions were stored in it.
pub(crate) fn transactions_of(txn: &ReadTransaction) -> Result<u64, Failure> {
    match txn.open_table(FILE) {
        Ok(table) => Ok(table.get("transactions")?.map_or(0, |transactions| transactions.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
