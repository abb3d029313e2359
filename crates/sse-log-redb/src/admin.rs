use redb::WriteTransaction;
use sse_core::{Cursor, Epoch};

use crate::bounds::position;
use crate::failure::{Failure, new_epoch};
use crate::once;
use crate::writing::LogTables;

pub(crate) fn finish(log: &mut LogTables<'_>) -> Result<(), Failure> {
    log.head.is_finished = true;
    Ok(())
}

pub(crate) fn delete(log: &mut LogTables<'_>, event: Cursor) -> Result<(), Failure> {
    let was_there = log.remove(position(event))?;
    log.head.deletions += u64::from(was_there);
    Ok(())
}

pub(crate) fn begin_epoch(
    txn: &WriteTransaction,
    log: &mut LogTables<'_>,
    instead_of: Epoch,
) -> Result<Epoch, Failure> {
    if log.head.epoch == instead_of {
        log.head.epoch = new_epoch()?;
        log.forget_once();
        once::begin_epoch(txn, log.known.name.as_str(), log.head.newest)?;
    }
    Ok(log.head.epoch)
}
