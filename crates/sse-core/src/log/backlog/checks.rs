use std::collections::HashMap;
use std::task::{Poll, Waker};

/// The wakers of readers, by their keys.
pub(crate) type Waiting = HashMap<usize, Waker>;

/// The requests for the bounds of the store. One call serves all readers that requested it before the call began.
#[derive(Default)]
pub(crate) struct Checks {
    requested: u64,
    begun: u64,
    done: u64,
    waiting: Waiting,
}

impl Checks {
    /// Requests a check that begins after now. Returns its number.
    pub(crate) fn request(&mut self) -> u64 {
        self.requested = self.begun + 1;
        self.requested
    }

    /// Waits for a check: registers this reader until it is done.
    pub(crate) fn poll(
        &mut self,
        number: u64,
        key: usize,
        waker: &Waker,
    ) -> (Poll<()>, Option<Waker>) {
        if self.done >= number {
            return (Poll::Ready(()), self.waiting.remove(&key));
        }
        (Poll::Pending, self.waiting.insert(key, waker.clone()))
    }

    /// Removes this reader.
    pub(crate) fn leave(&mut self, key: usize) -> Option<Waker> {
        self.waiting.remove(&key)
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.requested > self.begun
    }

    pub(crate) fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// Marks this check as done. Returns the readers to wake.
    pub(crate) fn end(&mut self, number: u64) -> Vec<Waker> {
        self.done = number;
        self.waiting.drain().map(|(_, waker)| waker).collect()
    }
}
