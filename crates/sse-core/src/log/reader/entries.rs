//! Where the events are in the chunk that a reader gave last. A merge asks for it, which makes ids of their positions.

use crate::chunk::Entry;
use crate::log::reader::Reader;

/// For how many entries a reader keeps room: most chunks have few.
const KEPT: usize = 16;

impl Reader {
    /// Where the events are in the chunk that was given last. Only one of several logs says it.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.entries.as_deref().map_or(&[], Vec::as_slice)
    }

    /// All of that chunk was taken.
    pub(crate) fn forget_entries(&mut self) {
        if let Some(entries) = &mut self.entries {
            entries.clear();
            entries.shrink_to(KEPT);
        }
    }

    /// Remembers where the events are in the chunk that is given next.
    #[inline]
    pub(super) fn note(&mut self, entries: impl IntoIterator<Item = Entry>) {
        if let Some(noted) = &mut self.entries {
            noted.clear();
            noted.extend(entries);
        }
    }
}
