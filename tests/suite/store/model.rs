//! After any calls in any order, a store equals a list in memory.

use std::collections::HashMap;

use sse_core::store::{EncodedEvent, PageLimit, Store};
use sse_core::{NewEvent, Position, StoreOptions};

use super::tools::{Placed, all_after, append_all, bounds, encoded, open, soon};
use crate::suite::store_engine::Engine;

/// The number of steps.
const STEPS: usize = 150;

/// The events that a store should have.
#[derive(Default)]
struct Model {
    kept: Vec<(Placed, Option<u8>)>,
    /// The events of idempotency keys.
    once: HashMap<u8, Position>,
    newest: Position,
    floor: Position,
}

/// A random call to a store.
struct Attempt {
    event: EncodedEvent,
    text: String,
    key: Option<u8>,
    once: Option<u8>,
}

impl Attempt {
    fn new(text: String, random: &mut fastrand::Rng) -> Self {
        let (key, once) = (random.u8(..8), random.u8(..12));
        let (key, once) = (Some(key).filter(|key| *key < 4), Some(once).filter(|once| *once < 6));
        let mut event = NewEvent::from(format!("{text}{}", "x".repeat(random.usize(..400))));
        if let Some(key) = key {
            event = event.key(&format!("key {key}")).expect("a key");
        }
        if let Some(once) = once {
            event = event.idempotency_key(&format!("once {once}")).expect("a key");
        }
        let event = encoded(event);
        Self { event, text, key, once }
    }
}

impl Model {
    /// An idempotency key is known for no longer than its event is kept; for how much longer is open.
    fn take(&mut self, attempt: &Attempt, position: Position) {
        if let Some(known) = attempt.once.and_then(|once| self.once.get(&once)) {
            if *known == position {
                return;
            }
            assert!(!self.kept.iter().any(|((kept, _), _)| kept == known), "it is stored twice");
        }
        assert!(position > self.newest, "a new event comes after all others");
        self.newest = position;
        self.kept.retain(|(_, key)| key.is_none() || *key != attempt.key);
        self.kept.push(((position, attempt.text.clone()), attempt.key));
        if let Some(once) = attempt.once {
            self.once.insert(once, position);
        }
    }

    async fn check(&mut self, store: &dyn Store, has_trimmed: bool) {
        let kept: Vec<_> = self.kept.iter().map(|(placed, _)| placed.clone()).collect();
        let read = all_after(store, Position::START).await;
        let read = read.into_iter().map(|(at, text)| (at, text.trim_end_matches('x').to_owned()));
        assert_eq!(read.collect::<Vec<_>>(), kept);
        let bounds = bounds(store).await;
        assert_eq!(bounds.oldest, kept.first().map(|(at, _)| *at));
        assert!(self.newest == Position::START || bounds.newest == self.newest, "{bounds:?}");
        assert!(bounds.floor < bounds.oldest.unwrap_or(Position::MAX));
        if has_trimmed {
            assert!(bounds.floor >= self.floor, "a dropped event is a gap");
        } else {
            assert_eq!(bounds.floor, self.floor, "nothing was dropped");
        }
        self.floor = bounds.floor;
    }
}

pub async fn is_what_a_list_in_memory_would_be(engine: &dyn Engine) {
    let handles = [open(engine).await, open(engine).await];
    let mut random = fastrand::Rng::with_seed(11);
    let mut model = Model { floor: bounds(&*handles[0]).await.floor, ..Model::default() };
    let mut trims = 0;
    for step in 0..STEPS {
        let store = &*handles[random.usize(..2)];
        let mut has_trimmed = false;
        match random.u8(..10) {
            0..6 => {
                let attempt = |n| Attempt::new(format!("{step}.{n} "), &mut random);
                let attempts: Vec<_> = (0..1 + step % 4).map(attempt).collect();
                let events: Vec<_> = attempts.iter().map(|attempt| attempt.event.clone()).collect();
                for (attempt, position) in attempts.iter().zip(append_all(store, &events).await) {
                    model.take(attempt, position);
                }
            }
            6..8 if !model.kept.is_empty() => {
                let ((deleted, _), _) = model.kept.remove(random.usize(..model.kept.len()));
                soon("it is deleted", store.delete(deleted)).await.expect("deleted");
            }
            8 if model.kept.len() > 12 => {
                let options = StoreOptions::new().events(10);
                soon("there are 10", async {
                    while all_after(store, Position::START).await.len() > 10 {
                        store.retain(&options.retention()).await.expect("retained");
                    }
                })
                .await;
                let gone = model.kept.len() - 10;
                ((model.floor, _), _) =
                    model.kept.drain(..gone).next_back().expect("some are gone");
                has_trimmed = true;
            }
            _ => {
                let count = random.usize(..20);
                let before =
                    store.before_last(PageLimit::of_events(count)).await.expect("a position");
                let left = all_after(store, before).await.len();
                assert_eq!(left, count.min(model.kept.len()), "after {before}");
            }
        }
        trims += usize::from(has_trimmed);
        model.check(store, has_trimmed).await;
    }
    assert!(trims > 0, "nothing was ever dropped");
}
