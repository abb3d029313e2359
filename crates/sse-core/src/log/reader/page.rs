//! Reading on after a position, with what is there already.

use bytes::Bytes;

use crate::Cursor;
use crate::chunk::Entry;
use crate::log::gaps::Gaps;
use crate::log::reader::Next;
use crate::log::state::State;
use crate::log::tail::Read;

/// Events that follow a position, and the position of the last of them.
pub(in crate::log) struct Page {
    pub(super) bytes: Bytes,
    /// Where they are in the bytes, if it is one of several logs.
    pub(super) entries: Vec<Entry>,
    pub(super) after: Cursor,
    pub(super) last: Cursor,
    /// How often events had been deleted when it was read.
    pub(super) deletions: u64,
}

/// Reads on after this position, if there will ever be anything.
pub(super) fn read_on(state: &mut State, after: Cursor) -> Next {
    if state.ends_at(after) { Next::Stop } else { Next::Read(after) }
}

/// Reads on after this position, with what there is already.
pub(super) fn read_now(state: &mut State, after: Cursor, gaps: &Gaps) -> Next {
    match state.tail.read(after) {
        Read::Events(bytes, last) => {
            let mut entries = Vec::new();
            if gaps.are_of_one_of_several() {
                state.tail.list(after, last, &mut entries);
            }
            Next::Give(Box::new(Page { bytes, entries, after, last, deletions: state.deletions }))
        }
        Read::End | Read::Gone => Next::Read(after),
    }
}
