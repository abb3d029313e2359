use sse_core::{Cursor, Epoch};

use crate::append::remove;
use crate::bounds::position;
use crate::failure::{Failure, new_epoch};
use crate::tables::LogTables;

pub(crate) fn finish(log: &mut LogTables<'_>) -> Result<(), Failure> {
    log.head.is_finished = true;
    Ok(())
}

pub(crate) fn delete(log: &mut LogTables<'_>, event: Cursor) -> Result<(), Failure> {
    let was_there = remove(log, position(event))?;
    log.head.deletions += u64::from(was_there);
    Ok(())
}

pub(crate) fn begin_epoch(log: &mut LogTables<'_>, instead_of: Epoch) -> Result<Epoch, Failure> {
    if log.head.epoch == instead_of {
        log.head.epoch = new_epoch()?;
    }
    Ok(log.head.epoch)
}
