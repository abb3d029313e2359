//! Identity of a file, and the new epochs that begin if the file is a copy.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use redb::ReadableDatabase;

use crate::error::Failure;
use crate::idempotency;
use crate::position::new_epoch;
use crate::reserve::{Mark, Reserve};
use crate::tables::{FILE, HEADS, Head, names_in, number_of};

/// Identity of a file, independent of its name. A file that replaces it has another identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Number of the device. No file stores it, since on some file systems it changes when the machine restarts.
    device: u64,
    pub(crate) inode: u64,
    /// Time of creation, in nanoseconds; 0 if the file system does not say. It tells a file from a removed file whose inode number it got.
    pub(crate) born: u64,
}

impl Identity {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// Returns the identity of the file that has this path now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&path.metadata()?))
    }

    /// Returns true if a file that stores these numbers is this file, and not a copy.
    pub(crate) fn matches(&self, inode: u64, born: u64) -> bool {
        self.inode == inode && (self.born == born || self.born == 0 || born == 0)
    }
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        let born = metadata.created().ok();
        let born = born.and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
        let born = born.and_then(|born| u64::try_from(born.as_nanos()).ok()).unwrap_or(0);
        let (device, inode) = numbers(metadata);
        Self { device, inode, born }
    }
}

#[cfg(unix)]
fn numbers(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Returns zeros: here only the time of creation tells files apart.
#[cfg(not(unix))]
fn numbers(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// State of a file when it is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileState {
    /// Number of the file, and the number of transactions in it.
    pub(crate) mark: Mark,
    pub(crate) clock: Option<u64>,
    /// True if the file is a copy or older than before, so that each log got a new epoch.
    pub(crate) has_new_epochs: bool,
}

/// Numbers that a file stores about itself.
struct FileRecord {
    file: Option<u64>,
    inode: Option<u64>,
    born: Option<u64>,
    transactions: u64,
    clock: Option<u64>,
}

/// Begins a new epoch of each log if the file was copied or went back in time since it was last written, and stores the file's identity in it.
pub(crate) fn begin_epochs_if_copied(
    database: &redb::Database,
    identity: Identity,
    reserve: &mut Reserve,
) -> Result<FileState, Failure> {
    let it = load_record(database)?;
    let is_copy = match (it.inode, it.born) {
        (Some(inode), Some(born)) => !identity.matches(inode, born),
        // The file is new.
        _ => false,
    };
    let seen = reserve.mark();
    let has_gone_back = seen.is_some_and(|seen| {
        it.file.is_some() && (it.file != Some(seen.file) || it.transactions < seen.transactions)
    });
    let has_new_epochs = is_copy || has_gone_back;
    let mut file = it.file;
    if has_new_epochs || it.inode.is_none() {
        file = Some(store_record(database, identity, has_new_epochs)?);
    }
    let mark = Mark { file: file.unwrap_or_default(), transactions: it.transactions };
    reserve.set_mark(mark);
    Ok(FileState { mark, clock: it.clock, has_new_epochs })
}

fn load_record(database: &redb::Database) -> Result<FileRecord, Failure> {
    let txn = database.begin_read()?;
    Ok(FileRecord {
        file: number_of(&txn, "file")?,
        inode: number_of(&txn, "inode")?,
        born: number_of(&txn, "born")?,
        transactions: number_of(&txn, "transactions")?.unwrap_or(0),
        clock: number_of(&txn, "clock")?,
    })
}

/// Stores the identity of the file, with a new number, and returns the number: marks of an earlier history have other numbers.
fn store_record(
    database: &redb::Database,
    identity: Identity,
    has_new_epochs: bool,
) -> Result<u64, Failure> {
    let number = new_number()?;
    let txn = database.begin_write()?;
    {
        let mut file = txn.open_table(FILE)?;
        for (what, value) in [("file", number), ("inode", identity.inode), ("born", identity.born)]
        {
            file.insert(what, value)?;
        }
        if has_new_epochs {
            let mut heads = txn.open_table(HEADS)?;
            for log in names_in(&heads)? {
                if let Some(head) = Head::load(&heads, &log)? {
                    Head { epoch: new_epoch()?, ..head }.store(&mut heads, &log)?;
                    idempotency::begin_epoch(&txn, log.as_str(), head.newest)?;
                }
            }
        }
    }
    txn.commit()?;
    Ok(number)
}

/// Returns a random number, drawn from a random epoch.
fn new_number() -> Result<u64, Failure> {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    Ok(BuildHasherDefault::<DefaultHasher>::new().hash_one(new_epoch()?.as_str()))
}
