use std::sync::Arc;
use std::task::Waker;

use slab::Slab;

use crate::panics::caught;
use crate::sync::{AtomicU64, Ordering};

/// The waiters for one thing. The lock of that thing protects them, so that no change can be missed between checking and waiting.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    slots: Slab<Slot>,
    waiting: Vec<(usize, Waker)>,
    rounds: Rounds,
}

/// The number of times that all waiters were woken: a slot of an earlier round no longer waits. It is read without the lock, and changes
/// under it, before the first waker is woken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds(Arc<AtomicU64>);

/// A waiter's own note of where it waits, to see without the lock that it still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waits {
    round: u64,
    waker: Address,
}

/// The addresses of the data and of the vtable of a waker. As long as somebody keeps the waker, no other task has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(usize, usize);

impl Address {
    pub(crate) fn of(waker: &Waker) -> Self {
        Self(waker.data() as usize, std::ptr::from_ref(waker.vtable()) as usize)
    }
}

impl Waits {
    /// The note of a waiter that does not wait.
    pub(crate) const NOT: Self = Self { round: u64::MAX, waker: Address(0, 0) };
}

impl Rounds {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Returns the note of a waiter that has just been registered with this waker, under the lock.
    pub(crate) fn note(&self, waker: &Waker) -> Waits {
        Waits { round: self.now(), waker: Address::of(waker) }
    }

    /// Returns true if this waker still waits, as it was noted: whoever takes it will wake it.
    pub(crate) fn still(&self, waits: Waits, waker: &Waker) -> bool {
        waits.round == self.now() && waits.waker == Address::of(waker)
    }
}

/// The index in `waiting` of the waker of one waiter, if it was added in this round.
#[derive(Debug)]
struct Slot {
    round: u64,
    index: usize,
}

impl Wakers {
    /// Adds a slot for one waiter. Returns its key.
    pub(crate) fn insert(&mut self) -> usize {
        self.slots.insert(Slot { round: u64::MAX, index: 0 })
    }

    /// Removes the slot of a waiter, which is no longer woken.
    pub(crate) fn remove(&mut self, key: usize) -> Unneeded {
        let slot = self.slots.remove(key);
        if slot.round != self.rounds.now() {
            return Unneeded(None);
        }
        let (_, waker) = self.waiting.swap_remove(slot.index);
        if let Some(&(moved, _)) = self.waiting.get(slot.index) {
            self.slots[moved].index = slot.index;
        }
        Unneeded(Some(waker))
    }

    /// Registers this waiter for the next [`take`](Wakers::take).
    pub(crate) fn wait(&mut self, key: usize, waker: &Waker) -> Unneeded {
        let (slot, round) = (&mut self.slots[key], self.rounds.now());
        if slot.round != round {
            *slot = Slot { round, index: self.waiting.len() };
            self.waiting.push((key, waker.clone()));
            return Unneeded(None);
        }
        let waiting = &mut self.waiting[slot.index].1;
        let is_another = !waiting.will_wake(waker);
        Unneeded(is_another.then(|| std::mem::replace(waiting, waker.clone())))
    }

    /// Takes all waiters, to wake them once the lock is released.
    pub(crate) fn take(&mut self) -> Woken {
        if self.waiting.is_empty() {
            return Woken(Vec::new(), Vec::new());
        }
        // Only here does it change, under the lock.
        self.rounds.0.store(self.rounds.now() + 1, Ordering::Release);
        let room = Vec::with_capacity(self.waiting.len());
        Woken(std::mem::replace(&mut self.waiting, room), Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn rounds(&self) -> &Rounds {
        &self.rounds
    }
}

/// A waker that is no longer needed. The caller drops it once the lock is released: it may be the last to hold a task, whose drop may take
/// the same lock.
#[must_use]
#[expect(dead_code, reason = "it is held to be dropped")]
pub(crate) struct Unneeded(Option<Waker>);

impl Unneeded {
    pub(crate) fn new(waker: Option<Waker>) -> Self {
        Self(waker)
    }
}

/// The wakers that were taken under the lock.
#[must_use]
pub(crate) struct Woken(Vec<(usize, Waker)>, Vec<Waker>);

impl Woken {
    /// Adds wakers that were taken elsewhere.
    pub(crate) fn and(mut self, wakers: Vec<Waker>) -> Self {
        self.1 = wakers;
        self
    }

    pub(crate) fn wake(self) {
        wake_all(self.0.into_iter().map(|(_, waker)| waker));
        wake_all(self.1);
    }
}

/// Wakes each waker. If one panics, only its task is affected: the others are woken, and the caller continues.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        if let Err(error) = caught(|| waker.wake()) {
            tracing::error!(
                error = &*error as &dyn std::error::Error,
                "a waker panicked: its task may wait for ever"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Broken;

    impl std::task::Wake for Broken {
        fn wake(self: Arc<Self>) {
            panic!("a waker of somebody's own")
        }
    }

    #[test]
    fn a_waker_that_panics_keeps_nobody_else_waiting() {
        let mut wakers = Wakers::default();
        let count = Arc::new(Count::default());
        for waker in [Arc::clone(&count).into(), Arc::new(Broken).into(), Arc::clone(&count).into()]
        {
            let key = wakers.insert();
            drop(wakers.wait(key, &waker));
        }
        wakers.take().wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn each_waiter_is_woken_once_and_none_that_left() {
        let mut wakers = Wakers::default();
        let counts: [Arc<Count>; 4] = Default::default();
        let keys = counts.each_ref().map(|_| wakers.insert());
        for round in 1..=3 {
            for (key, count) in keys.iter().zip(&counts).take(3) {
                drop(wakers.wait(*key, &Arc::clone(count).into()));
                drop(wakers.wait(*key, &Arc::clone(count).into()));
            }
            wakers.take().wake();
            wakers.take().wake();
            assert_eq!(
                counts.each_ref().map(|c| c.0.load(Ordering::Relaxed)),
                [round, round, round, 0]
            );
        }
        for (key, count) in keys.iter().zip(&counts) {
            drop(wakers.wait(*key, &Arc::clone(count).into()));
        }
        drop(wakers.remove(keys[0]));
        drop(wakers.remove(keys[2]));
        wakers.take().wake();
        assert_eq!(counts.each_ref().map(|c| c.0.load(Ordering::Relaxed)), [3, 4, 3, 1]);
        assert_eq!(wakers.len(), 2);
    }
}
