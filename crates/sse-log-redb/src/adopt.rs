//! Whether a file is the one it was when it was written last, or a copy of what it was once: then another history begins, and so a new epoch, before
//! anything else is done.

use redb::ReadableDatabase;

use crate::beside::{Beside, Mark};
use crate::failure::{Failure, new_epoch};
use crate::identity::Identity;
use crate::once;
use crate::tables::{FILE, HEADS, Head, names_in, number_of};

/// What a file says of itself once it is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adopted {
    /// Its number, and how many transactions were stored in it.
    pub(crate) mark: Mark,
    pub(crate) clock: Option<u64>,
    /// Whether it is another one than it was.
    pub(crate) is_other: bool,
}

/// What a file remembers of itself.
struct Remembered {
    file: Option<u64>,
    inode: Option<u64>,
    born: Option<u64>,
    transactions: u64,
    clock: Option<u64>,
}

/// Begins a new epoch of each log in a file that was copied, or has gone back, since it was written last; and remembers which file it is.
pub(crate) fn adopt(
    database: &redb::Database,
    identity: Identity,
    beside: &mut Beside,
) -> Result<Adopted, Failure> {
    let it = remembered(database)?;
    let is_copy = match (it.inode, it.born) {
        (Some(inode), Some(born)) => !identity.is(inode, born),
        // Nothing was remembered yet.
        _ => false,
    };
    let seen = beside.mark();
    let has_gone_back = seen.is_some_and(|seen| {
        it.file.is_some() && (it.file != Some(seen.file) || it.transactions < seen.transactions)
    });
    let is_other = is_copy || has_gone_back;
    let mut file = it.file;
    if is_other || it.inode.is_none() {
        if is_other {
            tracing::warn!(
                "the file of event logs is a copy, or has gone back; a new epoch of each begins"
            );
        }
        file = Some(remember(database, identity, is_other)?);
    }
    let mark = Mark { file: file.unwrap_or_default(), transactions: it.transactions };
    beside.set_mark(mark);
    Ok(Adopted { mark, clock: it.clock, is_other })
}

fn remembered(database: &redb::Database) -> Result<Remembered, Failure> {
    let txn = database.begin_read()?;
    Ok(Remembered {
        file: number_of(&txn, "file")?,
        inode: number_of(&txn, "inode")?,
        born: number_of(&txn, "born")?,
        transactions: number_of(&txn, "transactions")?.unwrap_or(0),
        clock: number_of(&txn, "clock")?,
    })
}

/// Returns the number of the file: a new one, so that what was seen of an earlier history says nothing of this one.
fn remember(database: &redb::Database, identity: Identity, is_other: bool) -> Result<u64, Failure> {
    let number = new_number()?;
    let txn = database.begin_write()?;
    {
        let mut file = txn.open_table(FILE)?;
        for (what, value) in [("file", number), ("inode", identity.inode), ("born", identity.born)]
        {
            file.insert(what, value)?;
        }
        if is_other {
            let mut heads = txn.open_table(HEADS)?;
            for log in names_in(&heads)? {
                if let Some(head) = Head::load(&heads, &log)? {
                    Head { epoch: new_epoch()?, ..head }.store(&mut heads, &log)?;
                    once::begin_epoch(&txn, log.as_str(), head.newest)?;
                }
            }
        }
    }
    txn.commit()?;
    Ok(number)
}

/// At random: an epoch is, too.
fn new_number() -> Result<u64, Failure> {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    Ok(BuildHasherDefault::<DefaultHasher>::new().hash_one(new_epoch()?.as_str()))
}
