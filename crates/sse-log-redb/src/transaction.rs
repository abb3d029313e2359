use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};
use sse_core::store::{Bounds, LogName};

use crate::bounds;
use crate::failure::Failure;
use crate::known::{Events, Known};
use crate::once::Time;
use crate::retain;
use crate::tables::{FILE, HEADS, Head, Heads};
use crate::writing::LogTables;

/// One transaction, of all that is to be written at a time, for all logs.
pub(crate) struct Transaction<'t> {
    txn: &'t WriteTransaction,
    time: Time,
    heads: Heads<'t>,
    /// The logs that were written to: their tables stay open to the end.
    open: BTreeMap<LogName, Open<'t>>,
}

/// What a transaction has changed.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// Whether there is anything to commit.
    pub(crate) anything: bool,
    pub(crate) logs: Vec<ChangedLog>,
    /// The number of the transaction in the file.
    pub(crate) number: u64,
}

/// What a transaction has changed in a log.
#[derive(Debug)]
pub(crate) struct ChangedLog {
    pub(crate) known: Arc<Known>,
    /// If it is followed, and nothing but events has come: these, and the bounds since.
    pub(crate) events: Option<Events>,
    pub(crate) bounds: Option<Bounds>,
}

struct Open<'t> {
    stored: Option<Head>,
    tables: LogTables<'t>,
}

impl<'t> Transaction<'t> {
    pub(crate) fn new(txn: &'t WriteTransaction, time: Time) -> Result<Self, Failure> {
        Ok(Self { txn, time, heads: txn.open_table(HEADS)?, open: BTreeMap::new() })
    }

    /// The tables of a log, which comes into being here.
    pub(crate) fn log(&mut self, known: &Arc<Known>) -> Result<&mut LogTables<'t>, Failure> {
        // Looked for twice: what comes into being may fail.
        if !self.open.contains_key(&known.name) {
            let stored = Head::load(&self.heads, &known.name)?;
            let head = stored.map_or_else(Head::new, Ok)?;
            let tables = LogTables::open(self.txn, known, head, self.time)?;
            self.open.insert(known.name.clone(), Open { stored, tables });
        }
        let open = self.open.get_mut(&known.name);
        Ok(&mut open.expect("it was there, or has come into being").tables)
    }

    pub(crate) fn txn(&self) -> &'t WriteTransaction {
        self.txn
    }

    /// Writes what is left to write. If there is anything it counts as a transaction of the file.
    pub(crate) fn finish(mut self) -> Result<Changed, Failure> {
        let mut changed = Changed::default();
        for (name, mut open) in self.open {
            retain::after_append(&mut open.tables)?;
            changed.anything |= open.tables.has_forgotten;
            if open.stored == Some(open.tables.head) {
                continue;
            }
            let head = open.tables.head;
            let is_followed = open.tables.given.is_some();
            let events = open.tables.events()?;
            let bounds = is_followed.then(|| bounds::of(&head, events)).transpose()?;
            let LogTables { known, given, .. } = open.tables;
            head.store(&mut self.heads, &name)?;
            changed.anything = true;
            let has_grown_only = open.stored.is_some_and(|stored| head.has_grown_only(&stored));
            let events = given.filter(|_| has_grown_only);
            changed.logs.push(ChangedLog { known, events, bounds });
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
