use std::time::Instant;

use crate::clock::Time;
use crate::error::Failure;
use crate::transaction::{Changed, Transaction};
use crate::write_queue::WriteQueue;
use crate::write_request::{Outcome, QueuedRequest, settle};

/// Number of requests that a transaction waits for, and the end of that wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchTarget {
    pub(crate) count: usize,
    pub(crate) end: Instant,
}

/// Removes the requests from this index on that have no caller, or have waited for too long. The latter fail.
pub(crate) fn remove_expired(requests: &mut Vec<QueuedRequest>, from: usize) {
    let now = Instant::now();
    let is_expired = |request: &mut QueuedRequest| !request.has_caller() || request.is_late(now);
    let expired = requests.extract_if(from.., is_expired).collect();
    let reason = "the append waited longer than four fifths of `store_timeout` for its turn and was not stored: the disk is too slow; append less, or raise `store_timeout`";
    settle(expired, &Outcome::NotStored(reason.into()));
}

/// Writes these requests in one transaction, with those that arrive meanwhile: the writer does not idle while the next ones are on their way.
/// Sets `number` to the transaction's number just before the commit.
pub(crate) fn commit(
    database: &redb::Database,
    requests: &mut Vec<QueuedRequest>,
    (queue, target): (&WriteQueue, BatchTarget),
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
        if !queue.more(requests, target.count, target.end) {
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
