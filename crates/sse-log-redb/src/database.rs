use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use redb::{ReadTransaction, ReadableDatabase};

use crate::clock::Time;
use crate::clock::{Clock, system};
use crate::error::{Failure, catch_panic};
use crate::identity::{FileState, Identity, begin_epochs_if_copied};
use crate::open_database::{self, cannot_open};
use crate::options::EngineOptions;
use crate::reserve::{Mark, Reserve};
use crate::tables;

/// The open redb file, or the reason why it is not open. After an error of the disk redb needs the file to be opened again.
pub(crate) struct Database {
    path: PathBuf,
    options: EngineOptions,
    open: RwLock<Result<Open, String>>,
    reserve: Mutex<Reserve>,
    clock: Mutex<Clock>,
}

struct Open {
    database: redb::Database,
    identity: Identity,
    /// Number of the file, which it got when it was created.
    file: u64,
}

impl Database {
    /// Opens the file, and creates it if it is missing.
    pub(crate) fn open(path: &Path, options: &EngineOptions) -> Result<Self, Failure> {
        let (database, identity) =
            open_database::open(path, options, open_database::IfMissing::Create)?;
        let mut reserve = Reserve::open(path);
        let state = catch_panic(|| begin_epochs_if_copied(&database, identity, &mut reserve));
        let state = state.map_err(|failure| cannot_open(path, &failure.to_string()))?;
        warn_of_new_epochs(path, &state);
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            open: RwLock::new(Ok(Open { database, identity, file: state.mark.file })),
            reserve: Mutex::new(reserve),
            clock: Mutex::new(Clock::resume(state.clock, system())),
        })
    }

    /// Runs this with the file, if it is open.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&redb::Database) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match &*self.lock() {
            Ok(open) => catch_panic(|| work(&open.database)),
            Err(reason) => Err(Failure::Refused(reason.clone())),
        }
    }

    /// Runs this with a snapshot of the file.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with(|database| work(&database.begin_read()?))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_ok()
    }

    /// Returns the reason why the open file is no longer the file at its path, if it was replaced or removed.
    pub(crate) fn replaced(&self) -> Option<String> {
        let identity = self.lock().as_ref().ok().map(|open| open.identity)?;
        let what = match Identity::at(&self.path) {
            Ok(now) if now != identity => "replaced",
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                "removed"
            }
            _ => return None,
        };
        let path = self.path.display();
        Some(format!("the file {path} was {what} while it was open, so nothing is written to it"))
    }

    /// Opens the file again, and repairs it if needed. If the file is gone, say with its disk, this fails and creates no other.
    pub(crate) fn reopen(&self) -> Result<FileState, Failure> {
        self.close();
        let opened = open_database::open(&self.path, &self.options, open_database::IfMissing::Fail);
        let state = opened.and_then(|(database, identity)| {
            let mut reserve = Reserve::open(&self.path);
            let state = catch_panic(|| begin_epochs_if_copied(&database, identity, &mut reserve));
            let state = state.map_err(|failure| cannot_open(&self.path, &failure.to_string()))?;
            warn_of_new_epochs(&self.path, &state);
            *self.reserve() = reserve;
            let open = Open { database, identity, file: state.mark.file };
            Ok((open, state))
        });
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        match state {
            Ok((open, state)) => {
                self.clock().open_again(state.clock.unwrap_or(0));
                *slot = Ok(open);
                Ok(state)
            }
            Err(failure) => {
                *slot = Err(failure.to_string());
                Err(failure)
            }
        }
    }

    pub(crate) fn compact(&self) -> Result<bool, Failure> {
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *slot {
            Ok(open) => catch_panic(|| Ok(open.database.compact()?)),
            Err(reason) => Err(Failure::Refused(reason.clone())),
        }
    }

    /// Shrinks the file if the disk has no room for some of its pages, and events take less than half of its room. redb doubles a full file, and the disk
    /// allots room to a page only when the page is written: on a full disk such a page fails each transaction that gets it.
    pub(crate) fn shrink_if_sparse(&self) -> Result<(), Failure> {
        let Some(room) = self.path.metadata().ok().and_then(|file| allocated_if_sparse(&file))
        else {
            return Ok(());
        };
        let kept = self.read(tables::bytes)?;
        if kept < room / 2 {
            self.compact()?;
        }
        Ok(())
    }

    /// Closes the file.
    pub(crate) fn close(&self) {
        let closed = Err(format!("the file {} is closed", self.path.display()));
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let database = std::mem::replace(&mut *slot, closed);
        // redb may panic again when it closes a database in which it panicked.
        drop(catch_panic(|| {
            drop(database);
            Ok(())
        }));
    }

    /// Notes in the reserve file how far the file has come.
    pub(crate) fn set_mark(&self, transactions: u64) {
        let file = self.lock().as_ref().ok().map(|open| open.file);
        if let Some(file) = file {
            self.reserve().set_mark(Mark { file, transactions });
        }
    }

    pub(crate) fn reserve(&self) -> MutexGuard<'_, Reserve> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn time(&self) -> Time {
        self.clock().time()
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> RwLockReadGuard<'_, Result<Open, String>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the number of bytes that the file takes on the disk, if it is smaller than the file's length.
#[cfg(unix)]
fn allocated_if_sparse(file: &Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let room = file.blocks() * 512;
    (room < file.len()).then_some(room)
}

#[cfg(not(unix))]
fn allocated_if_sparse(_: &Metadata) -> Option<u64> {
    None
}

fn warn_of_new_epochs(path: &Path, state: &FileState) {
    if state.has_new_epochs {
        let file = path.display();
        tracing::warn!(%file, "the file of event logs is a copy, or was restored; each log begins a new epoch");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_removed_is_not_created_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log.redb");
        let aside = folder.path().join("aside.redb");
        let database = Database::open(&path, &EngineOptions::default()).expect("it is created");
        std::fs::rename(&path, &aside).expect("it is moved");
        assert!(database.replaced().is_some_and(|reason| reason.contains("removed")));
        assert!(database.reopen().is_err() && !database.is_open());
        assert!(!path.exists());
        std::fs::rename(&aside, &path).expect("it is back");
        assert!(database.reopen().is_ok_and(|state| !state.has_new_epochs) && database.is_open());
        assert_eq!(database.replaced(), None);
    }
}
