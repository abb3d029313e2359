//! Events that belong together: those of a batch, and those of an idempotency key.

use std::collections::HashMap;

use sse_core::{Epoch, Position};

use crate::book::{Book, Deletion, Named, Number};
use crate::check::Truth;

impl Book {
    /// A batch is kept whole, as far as its events are not gone for other reasons.
    pub(crate) fn check_batches(&mut self, truth: &Truth) {
        let places: HashMap<Number, usize> =
            truth.events.iter().enumerate().map(|(place, (_, number))| (*number, place)).collect();
        let mut failures = Vec::new();
        for (place, (_, number)) in truth.events.iter().enumerate() {
            let Some((first, count)) = self.entries.get(number).and_then(|entry| entry.batch)
            else {
                continue;
            };
            let Some(next) = (number + 1 < first + count).then_some(number + 1) else { continue };
            let is_excused = self.entries.get(&next).is_none_or(|entry| {
                entry.deletion != Deletion::None || entry.once.is_some() || entry.key.is_some()
            });
            // An event that the batch repeats is stored again after the batch if it is gone when an epoch begins.
            let is_once = self.entries.get(number).is_some_and(|entry| entry.once.is_some());
            let is_repeated = is_once && places.get(&next).is_some_and(|next| *next < place);
            if !is_excused && !is_repeated && places.get(&next) != Some(&(place + 1)) {
                failures.push(format!("{next} of a batch is not right after {number}"));
            }
        }
        failures.into_iter().for_each(|failure| self.fail(failure));
    }

    /// An idempotency key is one event in an epoch.
    pub(crate) fn check_once(&mut self, truth: &Truth, before: Epoch) {
        if truth.bounds.epoch != before {
            return; // which of them was stored in which epoch is not known
        }
        let (round, since) = self.epoch_since;
        let mut events: HashMap<u64, Vec<(Position, Named)>> = HashMap::new();
        for (position, known) in &self.lines[&before] {
            let once = match known.named {
                Named::Number(number) => {
                    let entry = self.entries.get(&number).filter(|entry| entry.round > round);
                    entry.and_then(|entry| entry.once)
                }
                Named::Once(once) => Some(once).filter(|_| known.at > since),
            };
            if let Some(once) = once {
                events.entry(once).or_default().push((*position, known.named));
            }
        }
        let twice = events.into_iter().find(|(_, events)| events.len() > 1);
        if let Some((once, events)) = twice {
            self.fail(format!("the idempotency key {once} has several events: {events:?}"));
        }
    }
}
