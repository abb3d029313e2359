use std::time::Instant;

use crate::clock::Time;
use crate::error::Failure;
use crate::transaction::{Changed, Transaction};
use crate::write_queue::WriteQueue;
use crate::write_request::{Outcome, QueuedRequest, settle};

/// How many requests a transaction is to have, if they come by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchTarget {
    pub(crate) count: usize,
    pub(crate) end: Instant,
}

/// Leaves out the requests, from this one on, for which nobody waits, and those that have waited for too long.
pub(crate) fn remove_expired(requests: &mut Vec<QueuedRequest>, from: usize) {
    let now = Instant::now();
    let is_over_limits =
        |request: &mut QueuedRequest| !request.has_caller() || request.is_late(now);
    let over = requests.extract_if(from.., is_over_limits).collect();
    let reason =
        "the disk is too slow for what is appended: an append has waited for its turn in vain";
    settle(over, &Outcome::NotStored(reason.into()));
}

/// Writes these requests, and those that come meanwhile: the writer does not wait in idleness for those that are about to come. `number` is that of
/// the transaction, once it is about to be committed.
pub(crate) fn commit(
    database: &redb::Database,
    requests: &mut Vec<QueuedRequest>,
    (queue, gather): (&WriteQueue, BatchTarget),
    time: Time,
    number: &mut Option<u64>,
) -> Result<Changed, Failure> {
    let txn = database.begin_write()?;
    let mut transaction = Transaction::new(&txn, time)?;
    let mut done = 0;
    loop {
        for request in &requests[done..] {
            request.run(&mut transaction)?;
        }
        done = requests.len();
        if !queue.more(requests, gather.count, gather.end) {
            break;
        }
        remove_expired(requests, done);
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
