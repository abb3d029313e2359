use std::collections::VecDeque;

use crate::id::Origin;
use crate::{Epoch, EventId};

/// The number of epochs that are remembered of each kind.
const KNOWN: usize = 256;

/// The epochs that the store does not know, so that the log need not ask the store again, and can respond at once.
///
/// An id of the current epoch ahead of the newest event is not remembered: another process may have given it already, and a client may send
/// it before this process has seen the event.
#[derive(Debug, Default)]
pub(crate) struct PastEpochs {
    /// The epochs of this log that are over. A store that is in one of them was restored.
    past: VecDeque<Epoch>,
    /// The epochs that are not the log's.
    epochs: VecDeque<Epoch>,
}

impl PastEpochs {
    /// Remembers that the store, in this epoch, does not know this id.
    pub(crate) fn insert(&mut self, id: &EventId, epoch: Epoch) {
        if let Some((of, _)) = Origin::parse(id.as_str()).filter(|(of, _)| *of != epoch) {
            remember(&mut self.epochs, of);
        }
    }

    /// Returns true if the store is known not to know this id.
    pub(crate) fn contains(&self, id: &EventId) -> bool {
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
    }
}

fn remember(known: &mut VecDeque<Epoch>, new: Epoch) {
    if known.contains(&new) {
        return;
    }
    if known.len() == KNOWN {
        known.pop_front();
    }
    known.push_back(new);
}
