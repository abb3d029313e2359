use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Cursor;

/// The idempotency keys of the events that came lately: as many as the log keeps events, whatever becomes of their own.
#[derive(Debug)]
pub(crate) struct Remembered {
    window: Duration,
    limit: usize,
    cursors: HashMap<Arc<str>, Cursor>,
    /// In the order in which they came.
    keys: VecDeque<(Instant, Cursor, Arc<str>)>,
}

impl Remembered {
    pub(crate) fn new(window: Duration, limit: usize) -> Self {
        Self { window, limit, cursors: HashMap::new(), keys: VecDeque::new() }
    }

    /// The position of the event that has this key, if that is not forgotten by now.
    pub(crate) fn get(&mut self, key: &str, now: Instant, base: Cursor) -> Option<Cursor> {
        while let Some((came, cursor, _)) = self.keys.front()
            && (now.saturating_duration_since(*came) > self.window || *cursor <= base)
        {
            self.forget_first();
        }
        self.cursors.get(key).copied()
    }

    pub(crate) fn insert(&mut self, key: Arc<str>, cursor: Cursor, now: Instant) {
        if self.keys.len() >= self.limit {
            self.forget_first();
        }
        self.cursors.insert(Arc::clone(&key), cursor);
        self.keys.push_back((now, cursor, key));
    }

    fn forget_first(&mut self) {
        if let Some((_, _, key)) = self.keys.pop_front() {
            self.cursors.remove(&key);
        }
    }
}
