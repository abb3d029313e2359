use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::Cursor;

/// Of which key the kept events are: of each key there is one, the newest.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    newest: HashMap<Arc<str>, Cursor>,
    keys: BTreeMap<Cursor, Arc<str>>,
}

impl Keys {
    /// The event at this position is the newest of its key. Answers which was until now.
    pub(crate) fn insert(&mut self, key: Arc<str>, cursor: Cursor) -> Option<Cursor> {
        let before = self.newest.insert(Arc::clone(&key), cursor);
        if let Some(before) = before {
            self.keys.remove(&before);
        }
        self.keys.insert(cursor, key);
        before
    }

    /// Of which key the event at this position is.
    pub(crate) fn get(&self, cursor: Cursor) -> Option<Arc<str>> {
        self.keys.get(&cursor).cloned()
    }

    /// The event at this position is no longer kept.
    pub(crate) fn remove(&mut self, cursor: Cursor) {
        // Most logs have no keys.
        if !self.keys.is_empty()
            && let Some(key) = self.keys.remove(&cursor)
        {
            self.newest.remove(&key);
        }
    }
}
