//! Reading on after a position, with what is there already.

use crate::Position;
use crate::log::reader::gaps::Gaps;
use crate::log::reader::next::{Next, Page};
use crate::log::state::State;
use crate::log::tail::Read;

/// Reads on after this position, if there will ever be anything.
pub(super) fn read_on(state: &mut State, after: Position) -> Next {
    if state.ends_at(after) { Next::Stop } else { Next::Read(after) }
}

/// Reads on after this position, with what there is already.
pub(super) fn read_now(state: &mut State, after: Position, gaps: &Gaps) -> Next {
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
