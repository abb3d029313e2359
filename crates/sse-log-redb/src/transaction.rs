use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};
use sse_core::store::LogName;

use crate::bounds;
use crate::clock::Time;
use crate::error::Failure;
use crate::log_tables::LogTables;
use crate::open_logs::{ChangedLog, OpenLog};
use crate::retain;
use crate::tables::{FILE, HEADS, Head, Heads};

/// Write transaction of all requests that wait together, for all logs.
pub(crate) struct Transaction<'t> {
    txn: &'t WriteTransaction,
    time: Time,
    heads: Heads<'t>,
    /// Logs that were written to. Their tables stay open to the end.
    open: BTreeMap<LogName, Open<'t>>,
}

/// Changes of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// True if there is anything to commit.
    pub(crate) anything: bool,
    pub(crate) logs: Vec<ChangedLog>,
    /// Number of the transaction in the file.
    pub(crate) number: u64,
}

struct Open<'t> {
    stored: Option<Head>,
    tables: LogTables<'t>,
}

impl<'t> Transaction<'t> {
    pub(crate) fn new(txn: &'t WriteTransaction, time: Time) -> Result<Self, Failure> {
        Ok(Self { txn, time, heads: txn.open_table(HEADS)?, open: BTreeMap::new() })
    }

    /// Returns the tables of a log, and creates the log if it is missing.
    pub(crate) fn log(&mut self, open_log: &Arc<OpenLog>) -> Result<&mut LogTables<'t>, Failure> {
        // The map is searched twice, since creating the tables may fail.
        if !self.open.contains_key(&open_log.name) {
            let stored = Head::load(&self.heads, &open_log.name)?;
            let head = stored.map_or_else(Head::new, Ok)?;
            let tables = LogTables::open(self.txn, open_log, head, self.time)?;
            self.open.insert(open_log.name.clone(), Open { stored, tables });
        }
        let open = self.open.get_mut(&open_log.name);
        Ok(&mut open.expect("it was inserted above if it was missing").tables)
    }

    pub(crate) fn txn(&self) -> &'t WriteTransaction {
        self.txn
    }

    /// Writes the heads of the changed logs. If anything changed, the file counts the transaction.
    pub(crate) fn finish(mut self) -> Result<Changed, Failure> {
        let mut changed = Changed::default();
        for (name, mut open) in self.open {
            retain::after_append(&mut open.tables)?;
            changed.anything |= open.tables.has_removed_keys;
            if open.stored == Some(open.tables.head) {
                continue;
            }
            let head = open.tables.head;
            let is_followed = open.tables.new_events.is_some();
            let events = open.tables.events()?;
            let bounds = is_followed.then(|| bounds::of(&head, events)).transpose()?;
            let LogTables { open_log, new_events, .. } = open.tables;
            head.store(&mut self.heads, &name)?;
            changed.anything = true;
            let has_grown_only = open.stored.is_some_and(|stored| head.has_grown_only(&stored));
            let events = new_events.filter(|_| has_grown_only);
            changed.logs.push(ChangedLog { open_log, events, bounds });
        }
        if changed.anything {
            let mut file = self.txn.open_table(FILE)?;
            let before = file.get("transactions")?.map_or(0, |transactions| transactions.value());
            changed.number = before + 1;
            file.insert("transactions", changed.number)?;
            file.insert("clock", self.time.now)?;
        }
        Ok(changed)
    }
}
