use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::Position;

/// The keys of the kept events: of each key only the newest event is kept.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    newest: HashMap<Arc<str>, Position>,
    keys: BTreeMap<Position, Arc<str>>,
}

impl Keys {
    /// Records the newest event of a key. Returns the one before it.
    pub(crate) fn insert(&mut self, key: Arc<str>, position: Position) -> Option<Position> {
        let before = self.newest.insert(Arc::clone(&key), position);
        if let Some(before) = before {
            self.keys.remove(&before);
        }
        self.keys.insert(position, key);
        before
    }

    /// Returns the key of the event at this position.
    pub(crate) fn get(&self, position: Position) -> Option<Arc<str>> {
        self.keys.get(&position).cloned()
    }

    /// Forgets the event at this position, which is no longer kept.
    pub(crate) fn remove(&mut self, position: Position) {
        // Most logs have no keys.
        if !self.keys.is_empty()
            && let Some(key) = self.keys.remove(&position)
        {
            self.newest.remove(&key);
        }
    }
}
