//! Reads that get their answers one by one, in the order in which they were begun.

use std::collections::HashMap;
use std::future::poll_fn;
use std::task::Poll;

use super::ScriptedStore;

/// The reads of all processes.
#[derive(Default)]
pub(super) struct Turns {
    /// True if reads wait for their turn.
    are_taken: bool,
    /// The reads by the number of the process.
    reads: HashMap<usize, Reads>,
}

/// The reads of one process.
#[derive(Default)]
struct Reads {
    begun: usize,
    /// The number of them that may have their answer.
    allowed: usize,
    completed: Vec<Completed>,
}

/// A read that its process has the answer of.
struct Completed {
    /// The number of reads of its process that were begun before it.
    number: usize,
    /// The number of reads that had been begun when it was completed.
    begun: usize,
}

impl Turns {
    fn of(&mut self, process: usize) -> &mut Reads {
        self.reads.entry(process).or_default()
    }
}

impl ScriptedStore {
    /// From now on each read waits until [`answer_a_read`](Self::answer_a_read) gives it its turn.
    pub fn take_turns(&self) {
        self.change(|held| held.faults.turns.are_taken = true);
    }

    /// No read waits for its turn any more.
    pub fn end_turns(&self) {
        self.change(|held| {
            let turns = &mut held.faults.turns;
            turns.are_taken = false;
            turns.reads.values_mut().for_each(|reads| reads.allowed = reads.begun);
        });
    }

    /// Gives its turn to the read of this process that waits for the longest time.
    pub fn answer_a_read(&self) {
        self.change(|held| {
            let reads = held.faults.turns.of(self.process);
            reads.allowed = reads.begun.min(reads.allowed + 1);
        });
    }

    /// Returns the number of reads that this process has begun while reads took turns.
    pub fn reads_begun(&self) -> usize {
        self.lock().faults.turns.of(self.process).begun
    }

    /// Returns the number of reads of this process that were completed one after the other, each begun after the one before it was completed, and the
    /// first after so many others were begun.
    pub fn reads_completed_since(&self, begun: usize) -> usize {
        let (mut held, mut since, mut count) = (self.lock(), begun, 0);
        for read in &held.faults.turns.of(self.process).completed {
            if read.number >= since {
                (since, count) = (read.begun, count + 1);
            }
        }
        count
    }

    /// Returns the number of reads that this process has completed while reads took turns.
    pub fn reads_completed(&self) -> usize {
        self.lock().faults.turns.of(self.process).completed.len()
    }

    /// Begins a read: its number, if it is to wait for its turn.
    pub(super) fn begin_turn(&self) -> Option<usize> {
        let mut held = self.lock();
        if !held.faults.turns.are_taken {
            return None;
        }
        let reads = held.faults.turns.of(self.process);
        reads.begun += 1;
        Some(reads.begun - 1)
    }

    pub(super) async fn wait_for_turn(&self, turn: Option<usize>) {
        let Some(number) = turn else { return };
        poll_fn(|cx| {
            let mut held = self.lock();
            let turns = &mut held.faults.turns;
            if !turns.are_taken || turns.of(self.process).allowed > number {
                return Poll::Ready(());
            }
            held.faults.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(super) fn end_turn(&self, turn: Option<usize>) {
        let Some(number) = turn else { return };
        let mut held = self.lock();
        let reads = held.faults.turns.of(self.process);
        reads.completed.push(Completed { number, begun: reads.begun });
    }
}
