use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError};
use sse_core::Epoch;
use sse_core::store::LogName;

use crate::error::Failure;
use crate::events::EventRow;
use crate::names::TableNames;
use crate::position::{new_epoch, stored_epoch};
use crate::topics::TopicView;

/// Table of numbers that the file stores about itself: the version of its tables (`format`), the number of its transactions (`transactions`), the time by
/// its clock (`clock`), and its identity: a number of its own (`file`), its `inode`, and its time of creation (`born`).
pub(crate) const FILE: TableDefinition<&str, u64> = TableDefinition::new("sse-log");
/// Table of the state of each log, by name. The events do not hold the state, so that positions do not restart when all events were dropped.
pub(crate) const HEADS: TableDefinition<&str, HeadRow> = TableDefinition::new("heads");
/// State of a log: epoch, floor, newest position, number of events, their bytes, number of deletions, true if it is finished, and the newest position with
/// topics.
pub(crate) type HeadRow = (&'static str, u64, u64, u64, u64, u64, bool, u64);

/// Table of the heads in a write transaction.
pub(crate) type Heads<'t> = redb::Table<'t, &'static str, HeadRow>;

/// Row of an idempotency key: the position of the event, and the time at which it was stored.
pub(crate) type OnceRow = (u64, u64);
/// Row of the order in which idempotency keys came, by position: the time at which the event was stored, and the key. Retention removes keys in this order.
pub(crate) type OrderRow = (u64, &'static str);

/// State of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) epoch: Epoch,
    /// Highest position that was dropped.
    pub(crate) floor: u64,
    /// Last position that an event got.
    pub(crate) newest: u64,
    /// Number of events in the log.
    pub(crate) events: u64,
    /// Size of the blocks of these events.
    pub(crate) bytes: u64,
    pub(crate) deletions: u64,
    pub(crate) is_finished: bool,
    /// Position of the newest event that had topics, or 0. The events after it have none.
    pub(crate) newest_with_topics: u64,
}

impl Head {
    pub(crate) fn new() -> Result<Self, Failure> {
        let epoch = new_epoch()?;
        Ok(Self {
            epoch,
            floor: 0,
            newest: 0,
            events: 0,
            bytes: 0,
            deletions: 0,
            is_finished: false,
            newest_with_topics: 0,
        })
    }

    /// Returns true if since then events were only added, or dropped from the start.
    pub(crate) fn has_grown_only(&self, since: &Self) -> bool {
        self.epoch == since.epoch
            && self.deletions == since.deletions
            && self.is_finished == since.is_finished
    }

    pub(crate) fn read(txn: &ReadTransaction, name: &LogName) -> Result<Self, Failure> {
        Self::get(&txn.open_table(HEADS)?, name)?.ok_or_else(|| missing(name))
    }

    /// Returns true if the file has this log.
    pub(crate) fn is_in(txn: &ReadTransaction, name: &LogName) -> Result<bool, Failure> {
        match txn.open_table(HEADS) {
            Ok(heads) => Ok(heads.get(name.as_str())?.is_some()),
            Err(TableError::TableDoesNotExist(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn load(heads: &Heads<'_>, name: &LogName) -> Result<Option<Self>, Failure> {
        Self::get(heads, name)
    }

    pub(crate) fn store(&self, heads: &mut Heads<'_>, name: &LogName) -> Result<(), Failure> {
        let Self { epoch, floor, newest, events, bytes, deletions, is_finished, .. } = *self;
        let epoch = epoch.as_str();
        let topics = self.newest_with_topics;
        let row = (epoch, floor, newest, events, bytes, deletions, is_finished, topics);
        heads.insert(name.as_str(), row)?;
        Ok(())
    }

    fn get(
        heads: &impl ReadableTable<&'static str, HeadRow>,
        name: &LogName,
    ) -> Result<Option<Self>, Failure> {
        let Some(row) = heads.get(name.as_str())? else { return Ok(None) };
        let (epoch, floor, newest, events, bytes, deletions, is_finished, topics) = row.value();
        Ok(Some(Self {
            epoch: stored_epoch(epoch, name)?,
            floor,
            newest,
            events,
            bytes,
            deletions,
            is_finished,
            newest_with_topics: topics,
        }))
    }
}

fn missing(name: &LogName) -> Failure {
    Failure::Refused(format!("the file no longer holds the log {name}: open the log again"))
}

/// Tables of a log in a read transaction. The tables of idempotency keys and of topics exist after the first key and the first topic.
pub(crate) struct LogView<'t> {
    txn: &'t ReadTransaction,
    tables: &'t TableNames,
    pub(crate) head: Head,
    pub(crate) events: redb::ReadOnlyTable<u64, EventRow>,
}

impl<'t> LogView<'t> {
    pub(crate) fn open(
        txn: &'t ReadTransaction,
        name: &LogName,
        tables: &'t TableNames,
    ) -> Result<Self, Failure> {
        Ok(Self {
            txn,
            tables,
            head: Head::read(txn, name)?,
            events: txn.open_table(TableDefinition::new(&tables.events))?,
        })
    }

    /// Returns the index by topic. The log had an event with topics.
    pub(crate) fn topics(&self) -> Result<TopicView, Failure> {
        TopicView::open(self.txn, self.tables)
    }
}

/// Returns the table of the order of idempotency keys, if the log ever had such keys.
pub(crate) fn once_order(
    txn: &ReadTransaction,
    tables: &TableNames,
) -> Result<Option<redb::ReadOnlyTable<u64, OrderRow>>, Failure> {
    match txn.open_table(TableDefinition::new(&tables.once_order)) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns a number that the file stores about itself.
pub(crate) fn number_of(txn: &ReadTransaction, what: &str) -> Result<Option<u64>, Failure> {
    match txn.open_table(FILE) {
        Ok(table) => Ok(table.get(what)?.map(|number| number.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the names of all logs.
pub(crate) fn names(txn: &ReadTransaction) -> Result<Vec<LogName>, Failure> {
    match txn.open_table(HEADS) {
        Ok(heads) => names_in(&heads),
        Err(TableError::TableDoesNotExist(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn names_in(
    heads: &impl ReadableTable<&'static str, HeadRow>,
) -> Result<Vec<LogName>, Failure> {
    let mut names = Vec::new();
    for head in heads.iter()? {
        names.extend(LogName::try_from(head?.0.value()));
    }
    Ok(names)
}

/// Returns the size of all events in all logs, in bytes.
pub(crate) fn bytes(txn: &ReadTransaction) -> Result<u64, Failure> {
    let mut bytes = 0;
    for head in txn.open_table(HEADS)?.iter()? {
        bytes += head?.1.value().4;
    }
    Ok(bytes)
}
