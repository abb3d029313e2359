//! Idempotency keys: which event was the first of each, for how long, and of how many.

use std::time::Duration;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition, TableError, WriteTransaction};

use crate::clock::{Time, millis};
use crate::error::Failure;
use crate::open_logs::OpenLog;
use crate::tables::{OnceRow, OrderRow};

/// The last event of each log that an earlier epoch had. An idempotency key of that time is not known.
const EARLIER: TableDefinition<&str, u64> = TableDefinition::new("earlier-epochs");

/// For how long idempotency keys are remembered, and how many that came after one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyLimits {
    pub(crate) window: Duration,
    pub(crate) events: usize,
}

/// Says when an idempotency key is to be forgotten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry {
    pub(crate) window: Duration,
    pub(crate) time: Time,
}

impl Expiry {
    /// Whether the time of a key that came then is over by this process's own clock: since it was stored, or since the file was opened. How long
    /// before that it was stored only a clock can tell that may have been set.
    pub(crate) fn is_expired(&self, came: u64) -> bool {
        let Time { now, opened } = self.time;
        let since = if came > now { opened } else { came.max(opened) };
        now.saturating_sub(since) > millis(self.window)
    }
}

pub(crate) struct IdempotencyKeys<'t> {
    once: redb::Table<'t, &'static str, OnceRow>,
    order: redb::Table<'t, u64, OrderRow>,
    /// The last event of earlier epochs.
    earlier: u64,
}

impl<'t> IdempotencyKeys<'t> {
    pub(crate) fn open(txn: &'t WriteTransaction, open_log: &OpenLog) -> Result<Self, Failure> {
        Ok(Self {
            once: txn.open_table(TableDefinition::new(&open_log.tables.once))?,
            order: txn.open_table(TableDefinition::new(&open_log.tables.once_order))?,
            earlier: earlier(txn, open_log.name.as_str())?,
        })
    }

    /// Returns the position of the event of this key, if that is still remembered.
    pub(crate) fn find(&self, key: &str, expiry: Expiry) -> Result<Option<u64>, Failure> {
        let Some((at, came)) = self.once.get(key)?.map(|first| first.value()) else {
            return Ok(None);
        };
        Ok((at > self.earlier && !expiry.is_expired(came)).then_some(at))
    }

    /// Remembers a key, and forgets the oldest if there are too many.
    pub(crate) fn remember(
        &mut self,
        key: &str,
        at: u64,
        came: u64,
        events: usize,
    ) -> Result<(), Failure> {
        let before = self.once.insert(key, (at, came))?.map(|before| before.value());
        if let Some((before, _)) = before {
            self.order.remove(before)?;
        }
        self.order.insert(at, (came, key))?;
        while self.order.len()? > (events as u64).saturating_add(1) {
            self.forget_first()?;
        }
        Ok(())
    }

    /// Forgets the oldest key, if its time is over.
    pub(crate) fn forget_if_expired(&mut self, expiry: Expiry) -> Result<bool, Failure> {
        let first = self.order.first()?.map(|(_, once)| once.value().0);
        match first {
            Some(came) if expiry.is_expired(came) => self.forget_first(),
            _ => Ok(false),
        }
    }

    fn forget_first(&mut self) -> Result<bool, Failure> {
        let Some((at, key)) = self.order.pop_first()? else { return Ok(false) };
        let (at, (_, key)) = (at.value(), key.value());
        // A key that came again since has a newer event.
        let first = self.once.get(key)?.map(|first| first.value().0);
        if first == Some(at) {
            self.once.remove(key)?;
        }
        Ok(true)
    }
}

fn earlier(txn: &WriteTransaction, log: &str) -> Result<u64, Failure> {
    match txn.open_table(EARLIER) {
        Ok(earlier) => Ok(earlier.get(log)?.map_or(0, |newest| newest.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Takes note that a new epoch of this log begins after this position.
pub(crate) fn begin_epoch(txn: &WriteTransaction, log: &str, newest: u64) -> Result<(), Failure> {
    txn.open_table(EARLIER)?.insert(log, newest)?;
    Ok(())
}
