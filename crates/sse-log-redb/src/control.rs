//! Operations that change the state of a log: finish, delete, and begin an epoch.

use redb::WriteTransaction;
use sse_core::{Epoch, Position};

use crate::error::Failure;
use crate::idempotency;
use crate::log_tables::LogTables;
use crate::position::{new_epoch, number};

pub(crate) fn finish(log: &mut LogTables<'_>) -> Result<(), Failure> {
    log.head.is_finished = true;
    Ok(())
}

pub(crate) fn delete(log: &mut LogTables<'_>, event: Position) -> Result<(), Failure> {
    let was_there = log.remove(number(event))?;
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
        log.reset_idempotency_keys();
        idempotency::begin_epoch(txn, log.open_log.name.as_str(), log.head.newest)?;
    }
    Ok(log.head.epoch)
}
