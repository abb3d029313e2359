use std::collections::HashMap;
use std::task::{Poll, Waker};

/// Readers by their keys.
pub(crate) type Waiting = HashMap<usize, Waker>;

/// How often the bounds were asked for. One answer serves all who have asked before the question was put.
#[derive(Default)]
pub(crate) struct Checks {
    wanted: u64,
    begun: u64,
    done: u64,
    waiting: Waiting,
}

impl Checks {
    /// The number of a check that is put from now on.
    pub(crate) fn want(&mut self) -> u64 {
        self.wanted = self.begun + 1;
        self.wanted
    }

    /// Whether a check has been answered; if not, this reader is woken once it is.
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

    /// This reader waits no more.
    pub(crate) fn leave(&mut self, key: usize) -> Option<Waker> {
        self.waiting.remove(&key)
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted > self.begun
    }

    pub(crate) fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// The bounds are those of this check now. Answers whom to wake.
    pub(crate) fn end(&mut self, number: u64) -> Vec<Waker> {
        self.done = number;
        self.waiting.drain().map(|(_, waker)| waker).collect()
    }
}
