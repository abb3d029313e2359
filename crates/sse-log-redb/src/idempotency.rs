//! Idempotency keys: the first event of each key, kept for a limited time and in a limited number.

use std::time::Duration;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition, TableError, WriteTransaction};

use crate::clock::{Time, millis};
use crate::error::Failure;
use crate::open_logs::OpenLog;
use crate::tables::{OnceRow, OrderRow};

/// Table of the newest event of each log before its epoch began. Idempotency keys of events up to it are unknown.
const EARLIER: TableDefinition<&str, u64> = TableDefinition::new("earlier-epochs");

/// Limits of idempotency keys: the window in which each is known, and the number of keys that may follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyLimits {
    pub(crate) window: Duration,
    pub(crate) events: usize,
}

/// Window and current time, which decide if an idempotency key has expired.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry {
    pub(crate) window: Duration,
    pub(crate) time: Time,
}

impl Expiry {
    /// Returns true if the window of a key that was stored at this time has passed by this process's own clock, since the key was stored or since the
    /// file was opened. Time before the opening does not count: the clock that measured it may have been set.
    pub(crate) fn is_expired(&self, came: u64) -> bool {
        let Time { now, opened } = self.time;
        let since = if came > now { opened } else { came.max(opened) };
        now.saturating_sub(since) > millis(self.window)
    }
}

pub(crate) struct IdempotencyKeys<'t> {
    once: redb::Table<'t, &'static str, OnceRow>,
    order: redb::Table<'t, u64, OrderRow>,
    /// Position of the newest event of earlier epochs.
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

    /// Returns the position of the event of this key, if the key is known.
    pub(crate) fn find(&self, key: &str, expiry: Expiry) -> Result<Option<u64>, Failure> {
        let Some((at, came)) = self.once.get(key)?.map(|first| first.value()) else {
            return Ok(None);
        };
        Ok((at > self.earlier && !expiry.is_expired(came)).then_some(at))
    }

    /// Stores a key, and removes the oldest keys if there are too many.
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

    /// Removes the oldest key if it has expired. Returns true if it has removed it.
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
        // The key belongs to a newer event if it was stored again.
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

/// Notes that a new epoch of this log begins after this position.
pub(crate) fn begin_epoch(txn: &WriteTransaction, log: &str, newest: u64) -> Result<(), Failure> {
    txn.open_table(EARLIER)?.insert(log, newest)?;
    Ok(())
}
