use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::Position;

/// Of which key the kept events are: of each key there is one, the newest.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    newest: HashMap<Arc<str>, Position>,
    keys: BTreeMap<Position, Arc<str>>,
}

impl Keys {
    /// The event at this position is the newest of its key. Answers which was until now.
    pub(crate) fn insert(&mut self, key: Arc<str>, position: Position) -> Option<Position> {
        let before = self.newest.insert(Arc::clone(&key), position);
        if let Some(before) = before {
            self.keys.remove(&before);
        }
        self.keys.insert(position, key);
        before
    }

    /// Of which key the event at this position is.
    pub(crate) fn get(&self, position: Position) -> Option<Arc<str>> {
        self.keys.get(&position).cloned()
    }

    /// The event at this position is no longer kept.
    pub(crate) fn remove(&mut self, position: Position) {
        // Most logs have no keys.
        if !self.keys.is_empty()
            && let Some(key) = self.keys.remove(&position)
        {
            self.newest.remove(&key);
        }
    }
}
