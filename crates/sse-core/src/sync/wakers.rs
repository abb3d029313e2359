use std::task::Waker;

use slab::Slab;

use crate::panics::caught;

/// Who waits for the same thing. Kept under the lock of that thing, so that between looking and waiting nothing can happen unseen.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    places: Slab<Place>,
    waiting: Vec<(usize, Waker)>,
    /// How often all were woken: a place from an earlier round waits no more.
    round: u64,
}

/// Where in `waiting` the waker of one waiter is, if it was put there in this round.
#[derive(Debug)]
struct Place {
    round: u64,
    index: usize,
}

impl Wakers {
    /// A place for one waiter.
    pub(crate) fn insert(&mut self) -> usize {
        self.places.insert(Place { round: u64::MAX, index: 0 })
    }

    /// Gives the place up; its waiter is woken no more.
    pub(crate) fn remove(&mut self, key: usize) -> Unneeded {
        let place = self.places.remove(key);
        if place.round != self.round {
            return Unneeded(None);
        }
        let (_, waker) = self.waiting.swap_remove(place.index);
        if let Some(&(moved, _)) = self.waiting.get(place.index) {
            self.places[moved].index = place.index;
        }
        Unneeded(Some(waker))
    }

    /// Has this waiter woken at the next [`take`](Wakers::take).
    pub(crate) fn wait(&mut self, key: usize, waker: &Waker) -> Unneeded {
        let place = &mut self.places[key];
        if place.round != self.round {
            *place = Place { round: self.round, index: self.waiting.len() };
            self.waiting.push((key, waker.clone()));
            return Unneeded(None);
        }
        let waiting = &mut self.waiting[place.index].1;
        let is_another = !waiting.will_wake(waker);
        Unneeded(is_another.then(|| std::mem::replace(waiting, waker.clone())))
    }

    /// All who wait, to be woken once the lock is released.
    #[must_use]
    pub(crate) fn take(&mut self) -> Woken {
        if self.waiting.is_empty() {
            return Woken(Vec::new());
        }
        self.round += 1;
        let room = Vec::with_capacity(self.waiting.len());
        Woken(std::mem::replace(&mut self.waiting, room))
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

/// A waker that nobody needs any more, to be dropped once the lock is released: it may be the last that holds a task, whose
/// end may want the same lock.
#[must_use]
#[expect(dead_code, reason = "it is held to be dropped")]
pub(crate) struct Unneeded(Option<Waker>);

/// Wakers that were taken from under the lock.
pub(crate) struct Woken(Vec<(usize, Waker)>);

impl Woken {
    pub(crate) fn wake(self) {
        wake_all(self.0.into_iter().map(|(_, waker)| waker));
    }
}

/// Wakes each. A waker that panics is of one task: the others are woken all the same, and whoever wakes them goes on.
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
