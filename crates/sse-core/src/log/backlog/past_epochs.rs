use std::collections::VecDeque;

use crate::id::Origin;
use crate::{Epoch, EventId, Position};

/// The number of epochs, and of ids, that are remembered of each kind.
const KNOWN: usize = 256;
/// An id that is no further ahead of the newest event than this may be given at any moment: that many events, or milliseconds if the positions
/// are times.
const SOON: u64 = 1 << 32;

/// The epochs that the store does not know, so that the log need not ask the store again, and can respond at once.
///
/// An id of the current epoch ahead of the newest event is not remembered: another process may have given it already, and a client may send
/// it before this process has seen the event. The exception is an id that was the end of a stream, and so far ahead that it is not given soon,
/// until this process sees another event: the next response with it has the status of that end.
#[derive(Debug, Default)]
pub(crate) struct PastEpochs {
    /// The epochs of this log that are over. A store that is in one of them was restored.
    past: VecDeque<Epoch>,
    /// The epochs that are not the log's.
    epochs: VecDeque<Epoch>,
    /// The ids that were ahead of the store's newest event, and the newest event that this process knew then.
    refuted: VecDeque<(EventId, Position)>,
}

impl PastEpochs {
    /// Remembers that the store, in this epoch, does not know this id.
    pub(crate) fn insert(&mut self, id: &EventId, epoch: Epoch) {
        if let Some((of, _)) = Origin::parse(id.as_str()).filter(|(of, _)| *of != epoch) {
            remember(&mut self.epochs, of);
        }
    }

    /// Remembers that this id is ahead of the store's newest event, as long as this process knows no newer event than this. It does not remember
    /// an id that may be given soon: any client can ask for it before another has it.
    pub(crate) fn refute(&mut self, id: EventId, newest: Position) {
        if Origin::parse(id.as_str()).is_none_or(|(_, position)| is_soon(position, newest)) {
            return;
        }
        self.refuted.retain(|(_, of)| *of == newest);
        remember(&mut self.refuted, (id, newest));
    }

    /// Returns true if the store is known not to know this id, though `newest` is the newest event that this process knows.
    pub(crate) fn contains(&self, id: &EventId, newest: Position) -> bool {
        if self.refuted.iter().any(|(refuted, of)| refuted == id && *of == newest) {
            return true;
        }
        let of = Origin::parse(id.as_str()).map(|(epoch, _)| epoch);
        of.is_some_and(|of| self.is_past(of) || self.epochs.contains(&of))
    }

    /// Returns true if this epoch of the log is over.
    pub(crate) fn is_past(&self, epoch: Epoch) -> bool {
        self.past.contains(&epoch)
    }

    /// Remembers that this epoch is over. Forgets the epochs that are not the log's: the store may know them in the next epoch.
    pub(crate) fn begin_epoch(&mut self, past: Epoch) {
        remember(&mut self.past, past);
        self.epochs.clear();
        self.refuted.clear();
    }
}

/// Returns true if an event may be given this position soon after the newest.
fn is_soon(position: Position, newest: Position) -> bool {
    match position.hi().saturating_sub(newest.hi()) {
        0 => position.lo().saturating_sub(newest.lo()) <= SOON,
        later => later <= SOON,
    }
}

fn remember<T: PartialEq>(known: &mut VecDeque<T>, new: T) {
    if known.contains(&new) {
        return;
    }
    if known.len() == KNOWN {
        known.pop_front();
    }
    known.push_back(new);
}
