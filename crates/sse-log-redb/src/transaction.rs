use redb::{ReadableTable, WriteTransaction};
use sse_core::store::LogName;

use crate::failure::Failure;
use crate::tables::{FILE, Head, LogTables};

/// One transaction, of all that is to be written at a time, whoever wants it.
pub(crate) struct Transaction<'t> {
    txn: &'t WriteTransaction,
    /// The log that was written to last: as a rule the next one is the same.
    open: Option<Open<'t>>,
    changed: Changed,
}

/// What a transaction has changed.
#[derive(Default)]
pub(crate) struct Changed {
    /// Whether there is anything to commit.
    pub(crate) anything: bool,
    /// The logs whose followers are to be told.
    pub(crate) logs: Vec<LogName>,
}

struct Open<'t> {
    name: LogName,
    stored: Option<Head>,
    tables: LogTables<'t>,
}

impl<'t> Transaction<'t> {
    pub(crate) fn new(txn: &'t WriteTransaction) -> Self {
        Self { txn, open: None, changed: Changed::default() }
    }

    /// The tables of a log, which comes into being here.
    pub(crate) fn log(&mut self, name: &LogName) -> Result<&mut LogTables<'t>, Failure> {
        let open = match self.open.take_if(|open| open.name == *name) {
            Some(open) => open,
            None => {
                self.close_log()?;
                let stored = Head::load(self.txn, name)?;
                let head = stored.map_or_else(Head::new, Ok)?;
                let tables = LogTables::open(self.txn, name, head)?;
                Open { name: name.clone(), stored, tables }
            }
        };
        Ok(&mut self.open.insert(open).tables)
    }

    /// Writes what is left to write. Where there is anything it counts as a transaction of the file, of this number.
    pub(crate) fn finish(mut self) -> Result<(Changed, u64), Failure> {
        self.close_log()?;
        if !self.changed.anything {
            return Ok((self.changed, 0));
        }
        let mut file = self.txn.open_table(FILE)?;
        let number = file.get("transactions")?.map_or(0, |transactions| transactions.value()) + 1;
        file.insert("transactions", number)?;
        Ok((self.changed, number))
    }

    fn close_log(&mut self) -> Result<(), Failure> {
        let Some(open) = self.open.take() else { return Ok(()) };
        self.changed.anything |= open.tables.has_forgotten;
        if open.stored != Some(open.tables.head) {
            open.tables.head.store(self.txn, &open.name)?;
            self.changed.anything = true;
            self.changed.logs.push(open.name);
        }
        Ok(())
    }
}
