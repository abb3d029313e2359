//! The offsets of the events in the chunk that a reader gave last. A merge needs them: it makes ids of the positions.

use crate::chunk::Entry;
use crate::log::reader::Reader;

/// The number of entries for which a reader keeps room: most chunks have few.
const KEPT: usize = 16;

impl Reader {
    /// Returns the offsets of the events in the chunk that was given last; empty unless the log is in a merge.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.entries.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Drops the entries, once all of that chunk was taken.
    pub(crate) fn forget_entries(&mut self) {
        if let Some(entries) = &mut self.entries {
            entries.clear();
            entries.shrink_to(KEPT);
        }
    }

    /// Records the offsets of the events in the chunk that is given next.
    #[inline]
    pub(super) fn note(&mut self, entries: impl IntoIterator<Item = Entry>) {
        if let Some(noted) = &mut self.entries {
            noted.clear();
            noted.extend(entries);
        }
    }
}
