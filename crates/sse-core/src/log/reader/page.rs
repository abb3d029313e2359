//! Reading after a position, with the events that are there already.

use crate::Position;
use crate::log::reader::gaps::Gaps;
use crate::log::reader::next::{Next, Page};
use crate::log::state::{Of, State};
use crate::log::tail::Read;

/// Reads on after this position, or stops if no event will ever come.
pub(super) fn read_on(state: &mut State, of: Of, after: Position) -> Next {
    if state.ends_at(of, after) { Next::Stop } else { Next::Read(after) }
}

/// Reads on after this position, with the events that are there already.
pub(super) fn read_now(state: &mut State, of: Of, after: Position, gaps: &Gaps) -> Next {
    match state.read(of, after) {
        Read::Events(bytes, last) => {
            let mut entries = Vec::new();
            if gaps.want_entries() {
                state.list(of, after, last, &mut entries);
            }
            let (upto, deletions) = (last, state.deletions);
            Next::Give(Box::new(Page { bytes, entries, after, last, upto, deletions }))
        }
        Read::End | Read::Gone => Next::Read(after),
    }
}
