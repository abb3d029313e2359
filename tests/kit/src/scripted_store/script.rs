//! The commands of a test to a store.

use std::collections::hash_map::Entry;
use std::task::Waker;
use std::time::Duration;

use sse_core::Position;
use sse_core::store::{Bounds, EncodedEvent, PageLimit, StoredEvent};

use super::data::Data;
use super::faults::{Call, Cut, Fault};
use super::{Held, ScriptedStore};

/// The data of a replica that lags.
#[derive(Clone)]
pub struct Replica(Data);

impl ScriptedStore {
    /// From now on this goes wrong with this call.
    pub fn fault(&self, call: Call, fault: Fault) {
        self.change(|held| _ = held.faults.of.insert(call, fault));
    }

    /// This call goes well again.
    pub fn mend(&self, call: Call) {
        self.change(|held| _ = held.faults.of.remove(&call));
    }

    /// The engine goes away: whatever is asked of it is refused, and its connections are lost.
    pub fn go_down(&self) {
        Call::ALL.iter().for_each(|call| self.fault(*call, Fault::Fails));
        self.cut(Cut::Fails);
    }

    /// The engine stops running: nothing is answered, and connections stay.
    pub fn pause(&self) {
        Call::ALL.iter().for_each(|call| self.fault(*call, Fault::Stalls));
    }

    /// Everything goes well again.
    pub fn come_back(&self) {
        self.change(|held| held.faults.of.clear());
    }

    /// Ends all followers.
    pub fn cut(&self, cut: Cut) {
        self.change(|held| held.faults.cuts = (held.faults.cuts.0 + 1, Some(cut)));
    }

    /// Pages have no more than so many events.
    pub fn short_pages(&self, events: usize) {
        self.change(|held| held.faults.page = Some(events));
    }

    /// Each call waits for so many steps before it is done, and before its answer arrives.
    pub fn dawdle(&self, steps: impl FnMut() -> usize + Send + 'static) {
        self.change(|held| held.faults.steps = Some(Box::new(steps)));
    }

    /// Does this whenever events have been read, and before the bounds are looked at.
    pub fn between(&self, between: impl FnMut(&Self) + Send + 'static) {
        self.change(|held| held.faults.between = Some(Box::new(between)));
    }

    /// Drops the oldest events, as retention would.
    pub fn trim(&self, count: usize) {
        self.change(|held| held.data.trim(count));
    }

    /// From now on the engine trims by itself, at each append: it keeps no more than so many events.
    pub fn keep_at_most(&self, events: usize) {
        self.change(|held| held.data.most = events);
    }

    /// Adds these events at once, as another process would. A finished log takes none.
    pub fn add(&self, events: &[EncodedEvent]) {
        let (now, window) = (self.timer.now(), self.window);
        self.change(|held| _ = held.data.append(events, now, window));
    }

    /// Deletes this event, as another process would.
    pub fn remove(&self, event: Position) {
        self.change(|held| held.data.delete(event));
    }

    /// Returns the number of events.
    pub fn kept(&self) -> usize {
        self.lock().data.len()
    }

    /// The position of the first event after this one.
    pub fn first_kept_after(&self, after: Position) -> Option<Position> {
        self.lock().data.first_after(after)
    }

    /// The age of the event at this position, if it is kept.
    pub fn age(&self, event: Position) -> Option<Duration> {
        self.lock().data.age(event, self.timer.now())
    }

    /// Returns the bounds.
    pub fn now(&self) -> Bounds {
        self.lock().data.bounds()
    }

    /// The events after this position.
    pub fn kept_after(&self, after: Position) -> Vec<StoredEvent> {
        self.lock().data.read(after, PageLimit { events: usize::MAX, bytes: usize::MAX })
    }

    /// Returns a replica that gets nothing from now on.
    pub fn replica(&self) -> Replica {
        Replica(self.lock().data.clone())
    }

    /// The replica takes the engine's place, and what it has not got is lost. The connections are, too.
    pub fn fail_over_to(&self, replica: &Replica) {
        self.go_back_to(replica);
        self.change(|held| held.data.changes += 1);
        self.cut(Cut::Fails);
    }

    /// Events that the replica has not got are lost. No connection is lost: nobody is notified.
    pub fn go_back_to(&self, replica: &Replica) {
        self.change(|held| {
            let (changes, lives) = (held.data.changes, held.data.lives);
            held.data = replica.0.clone();
            (held.data.changes, held.data.lives) = (changes, lives + 1);
        });
    }

    /// The data are gone, and it begins again.
    pub fn recreate(&self) {
        let most = self.lock().data.most;
        let mut data = Data::new(self.positions);
        data.most = most;
        self.fail_over_to(&Replica(data));
    }

    /// Returns the number of times that this was called.
    pub fn calls(&self, call: Call) -> usize {
        self.lock().faults.calls.get(&call).copied().unwrap_or_default()
    }

    /// Returns the most reads that ran at the same time.
    pub fn most_reads_at_once(&self) -> usize {
        self.lock().faults.most_reads
    }

    /// Has everybody look again who waits.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Held) -> T) -> T {
        let mut held = self.lock();
        let changed = change(&mut held);
        let waiting = std::mem::take(&mut held.faults.waiting);
        drop(held);
        waiting.into_iter().for_each(Waker::wake);
        changed
    }
}

impl Held {
    /// This is called now.
    pub(super) fn count(&mut self, call: Call) {
        match self.faults.calls.entry(call) {
            Entry::Occupied(mut count) => *count.get_mut() += 1,
            Entry::Vacant(first) => _ = first.insert(1),
        }
    }
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Replica").field(&self.0.bounds()).finish()
    }
}
