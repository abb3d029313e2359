use std::time::Instant;

use crate::failure::Failure;
use crate::once::Time;
use crate::queue::Queue;
use crate::transaction::{Changed, Transaction};
use crate::work::{Job, Outcome, settle};

/// How many requests a transaction is to have, if they come by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gather {
    pub(crate) count: usize,
    pub(crate) end: Instant,
}

/// Leaves out the requests, from this one on, for which nobody waits, and those that have waited for too long.
pub(crate) fn sort_out(works: &mut Vec<Job>, from: usize) {
    let now = Instant::now();
    let is_over = |work: &mut Job| !work.is_wanted() || work.is_late(now);
    let over = works.extract_if(from.., is_over).collect();
    let reason =
        "the disk is too slow for what is appended: an append has waited for its turn in vain";
    settle(over, &Outcome::NotStored(reason.into()));
}

/// Writes these requests, and those that come meanwhile: the writer does not wait in idleness for those that are about to come. `number` is that of
/// the transaction, once it is about to be committed.
pub(crate) fn commit(
    database: &redb::Database,
    works: &mut Vec<Job>,
    (queue, gather): (&Queue, Gather),
    time: Time,
    number: &mut Option<u64>,
) -> Result<Changed, Failure> {
    let txn = database.begin_write()?;
    let mut transaction = Transaction::new(&txn, time)?;
    let mut done = 0;
    loop {
        for work in &works[done..] {
            work.run(&mut transaction)?;
        }
        done = works.len();
        if !queue.more(works, gather.count, gather.end) {
            break;
        }
        sort_out(works, done);
    }
    let changed = transaction.finish()?;
    if !changed.anything {
        txn.abort()?;
        return Ok(changed);
    }
    *number = Some(changed.number);
    txn.commit()?;
    Ok(changed)
}
