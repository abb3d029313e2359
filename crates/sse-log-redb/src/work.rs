use std::time::{Duration, Instant};

use futures_channel::oneshot;
use sse_core::store::StoreError;

use crate::failure::Failure;
use crate::transaction::Transaction;

/// What is to be written, and who waits for it.
pub(crate) trait Work: Send {
    /// How many bytes it adds to a transaction.
    fn size(&self) -> usize;
    /// Whether it makes room, so that it may use what is in reserve on a full disk.
    fn makes_room(&self) -> bool;
    /// Whether anybody still waits.
    fn is_wanted(&self) -> bool;
    /// Whether it has waited for so long that it is not begun any more.
    fn is_late(&self, now: Instant) -> bool;
    /// Writes into the transaction. An error is that of the whole transaction, after which it may be run again.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Failure>;
    fn settle(self: Box<Self>, outcome: &Outcome);
}

/// What has become of a transaction.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Stored,
    NotStored(String),
    Unknown(String),
}

/// How a request is treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) size: usize,
    pub(crate) makes_room: bool,
    /// It is not begun after that.
    pub(crate) until: Option<Instant>,
}

impl Manner {
    /// Adds so many bytes, and is to be begun within this time.
    pub(crate) fn adds(size: usize, within: Duration) -> Self {
        Self { size, makes_room: false, until: Instant::now().checked_add(within) }
    }

    /// Adds next to nothing.
    pub(crate) const SMALL: Self = Self { size: 0, makes_room: false, until: None };
    /// Drops events.
    pub(crate) const MAKES_ROOM: Self = Self { makes_room: true, ..Self::SMALL };
}

/// Something to write, what came of it, and who waits.
pub(crate) struct Task<F, T> {
    work: F,
    manner: Manner,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Task<F, T> {
    pub(crate) fn new(manner: Manner, work: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        (Self { work, manner, done: None, answer }, answered)
    }
}

impl<F, T> Work for Task<F, T>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, Failure> + Send,
    T: Send,
{
    fn size(&self) -> usize {
        self.manner.size
    }

    fn makes_room(&self) -> bool {
        self.manner.makes_room
    }

    fn is_wanted(&self) -> bool {
        !self.answer.is_canceled()
    }

    fn is_late(&self, now: Instant) -> bool {
        self.manner.until.is_some_and(|until| now > until)
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        self.done = Some(match (self.work)(transaction) {
            Err(error @ Failure::Engine(_)) => return Err(error),
            done => done.map_err(Failure::into_store_error),
        });
        Ok(())
    }

    fn settle(self: Box<Self>, outcome: &Outcome) {
        let answer = match (outcome, self.done) {
            (Outcome::Stored, Some(done)) => done,
            (Outcome::NotStored(reason), _) => Err(StoreError::failed(reason.clone())),
            (Outcome::Unknown(reason), _) => Err(StoreError::outcome_unknown(reason.clone())),
            (Outcome::Stored, None) => return,
        };
        // The caller may have left.
        drop(self.answer.send(answer));
    }
}
