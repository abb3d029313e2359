use std::collections::VecDeque;

use crate::id::Origin;
use crate::{Epoch, EventId};

/// How many are remembered of each kind.
const KNOWN: usize = 256;

/// Epochs that the store does not know, so that it is not asked again, and the answer can be given at once.
///
/// An id of this epoch that is ahead of the newest event is not among them: the log will give it, perhaps to a client of another process
/// before this one hears of it, and any client can ask for it before that.
#[derive(Debug, Default)]
pub(crate) struct PastEpochs {
    /// Epochs of this log that are over. A store that is of one of them was restored.
    past: VecDeque<Epoch>,
    /// Others that are not the log's.
    epochs: VecDeque<Epoch>,
}

impl PastEpochs {
    /// The store knows nothing of this id, and is of this epoch.
    pub(crate) fn insert(&mut self, id: &EventId, epoch: Epoch) {
        if let Some((of, _)) = Origin::parse(id.as_str()).filter(|(of, _)| *of != epoch) {
            remember(&mut self.epochs, of);
        }
    }

    /// Whether the store is known to know nothing of this id.
    pub(crate) fn contains(&self, id: &EventId) -> bool {
        let of = Origin::parse(id.as_str()).map(|(epoch, _)| epoch);
        of.is_some_and(|of| self.is_past(of) || self.epochs.contains(&of))
    }

    /// Whether this epoch of the log is over.
    pub(crate) fn is_past(&self, epoch: Epoch) -> bool {
        self.past.contains(&epoch)
    }

    /// That epoch is over; to the next one others may be known.
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
