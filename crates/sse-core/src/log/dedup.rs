use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Position;

/// The idempotency keys of recent events, kept even if an event is dropped: each until its window is over, or until more than `further` keys
/// have come after it.
#[derive(Debug)]
pub(crate) struct IdempotencyKeys {
    window: Duration,
    further: usize,
    positions: HashMap<Arc<str>, Position>,
    /// The keys, in the order in which they came.
    keys: VecDeque<(Instant, Arc<str>)>,
}

impl IdempotencyKeys {
    pub(crate) fn new(window: Duration, further: usize) -> Self {
        Self { window, further, positions: HashMap::new(), keys: VecDeque::new() }
    }

    /// Returns the position of the event that came with this key, unless the key is forgotten.
    pub(crate) fn get(&mut self, key: &str, now: Instant) -> Option<Position> {
        while let Some((came, _)) = self.keys.front()
            && now.saturating_duration_since(*came) > self.window
        {
            self.forget_first();
        }
        self.positions.get(key).copied()
    }

    pub(crate) fn insert(&mut self, key: Arc<str>, position: Position, now: Instant) {
        if self.keys.len() > self.further {
            self.forget_first();
        }
        self.positions.insert(Arc::clone(&key), position);
        self.keys.push_back((now, key));
    }

    /// Forgets all keys, for a new epoch. The caller drops the returned keys once the lock is released.
    pub(crate) fn begin_epoch(&mut self) -> Self {
        let next = Self::new(self.window, self.further);
        std::mem::replace(self, next)
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.keys.pop_front() {
            self.positions.remove(&key);
        }
    }
}
