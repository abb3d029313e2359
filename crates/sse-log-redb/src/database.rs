use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{Builder, ReadTransaction, ReadableDatabase, TableError};

use crate::failure::{Failure, guarded};
use crate::tables::{FILE, transactions_of};
use crate::{Options, create};

/// The version of the tables in a file.
const FORMAT: u64 = 1;

/// The open file; or why it is not open at the moment. redb wants to be opened anew after an error of the disk.
pub(crate) struct Database {
    path: PathBuf,
    options: Options,
    open: RwLock<Result<redb::Database, String>>,
}

impl Database {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Failure> {
        let database = open(path, || {
            create::if_missing(path)?;
            Ok(builder(options).create(path)?)
        })?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            open: RwLock::new(Ok(database)),
        })
    }

    /// Does this with the file, while it is open.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&redb::Database) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match &*self.lock() {
            Ok(database) => guarded(|| work(database)),
            Err(reason) => Err(Failure::Refused(reason.clone())),
        }
    }

    /// Reads what holds at one moment.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with(|database| work(&database.begin_read()?))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_ok()
    }

    /// Opens the file anew, which repairs it where that is needed. Answers how many transactions were stored in it. Where it is gone, with the
    /// disk that it is on, say, none takes its place.
    pub(crate) fn reopen(&self) -> Result<u64, Failure> {
        self.close();
        let database = open(&self.path, || Ok(builder(&self.options).open(&self.path)?));
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let (database, answer) = match database {
            Ok(database) => {
                let transactions = guarded(|| transactions_of(&database.begin_read()?));
                (Ok(database), transactions)
            }
            Err(failure) => (Err(failure.to_string()), Err(failure)),
        };
        *slot = database;
        answer
    }

    pub(crate) fn compact(&self) -> Result<bool, Failure> {
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *slot {
            Ok(database) => guarded(|| Ok(database.compact()?)),
            Err(reason) => Err(Failure::Refused(reason.clone())),
        }
    }

    /// Lets go of the file.
    pub(crate) fn close(&self) {
        let closed = Err(format!("{} is closed", self.path.display()));
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let database = std::mem::replace(&mut *slot, closed);
        // A database in which something has panicked may do so once more.
        drop(guarded(|| {
            drop(database);
            Ok(())
        }));
    }

    fn lock(&self) -> RwLockReadGuard<'_, Result<redb::Database, String>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn builder(options: &Options) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder.set_check_integrity_on_open(options.check_on_open);
    builder
}

fn open(
    path: &Path,
    open: impl FnOnce() -> Result<redb::Database, Failure>,
) -> Result<redb::Database, Failure> {
    let opened = guarded(|| {
        let database = open()?;
        check_format(&database)?;
        Ok(database)
    });
    opened.map_err(|failure| match failure {
        // It may be let go of soon.
        failure if is_taken(&failure) => failure,
        failure => named(path, &failure.to_string()),
    })
}

pub(crate) fn named(path: &Path, reason: &str) -> Failure {
    Failure::Refused(format!("the event log {} cannot be opened: {reason}", path.display()))
}

/// Whether the file is ours; one without any tables is from now on.
pub(crate) fn check_format(database: &redb::Database) -> Result<(), Failure> {
    let txn = database.begin_read()?;
    match txn.open_table(FILE) {
        Ok(table) => match table.get("format")?.map(|format| format.value()) {
            Some(FORMAT) => Ok(()),
            format => Err(Failure::Refused(format!(
                "its format is {format:?}, and this version of sse-log-redb knows {FORMAT}: take a newer one"
            ))),
        },
        Err(TableError::TableDoesNotExist(_)) => {
            if txn.list_tables()?.next().is_some() || txn.list_multimap_tables()?.next().is_some() {
                return Err(Failure::Refused("it is a redb file of something else".into()));
            }
            let txn = database.begin_write()?;
            txn.open_table(FILE)?.insert("format", FORMAT)?;
            txn.commit()?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether another process, or another path, has the file.
pub(crate) fn is_taken(failure: &Failure) -> bool {
    matches!(failure, Failure::Engine(redb::Error::DatabaseAlreadyOpen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_gone_is_not_begun_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log.redb");
        let aside = folder.path().join("aside.redb");
        let database = Database::open(&path, &Options::default()).expect("it is created");
        std::fs::rename(&path, &aside).expect("it is moved");
        assert!(database.reopen().is_err() && !database.is_open());
        assert!(!path.exists());
        std::fs::rename(&aside, &path).expect("it is back");
        assert!(database.reopen().is_ok() && database.is_open());
    }
}
