use std::collections::VecDeque;

use crate::cursor::Origin;
use crate::{Cursor, Epoch, EventId};

/// How many are remembered of each kind.
const KNOWN: usize = 256;

/// What the store was asked for and does not know, so that it is not asked again, and the answer can be given at once.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// Epochs of this log that are over. A store that is of one of them was restored.
    past: VecDeque<Epoch>,
    /// Others that are not the log's.
    epochs: VecDeque<Epoch>,
    /// Ids of this epoch that had not been given when this was the newest event. They may be given later: a client can ask for any.
    ids: VecDeque<(EventId, Cursor)>,
}

impl Strangers {
    /// The store knows nothing of this id, which is of this or another epoch, and has this newest event.
    pub(crate) fn insert(&mut self, id: EventId, epoch: Epoch, newest: Cursor) {
        match Origin::place_of(id.as_str()) {
            Some((of, _)) if of != epoch => remember(&mut self.epochs, of),
            _ => {
                self.ids.retain(|(_, head)| *head == newest);
                remember(&mut self.ids, (id, newest));
            }
        }
    }

    /// Whether the store, if this is still its newest event, knows nothing of this id.
    pub(crate) fn contains(&self, id: &EventId, newest: Cursor) -> bool {
        let of = Origin::place_of(id.as_str()).map(|(epoch, _)| epoch);
        of.is_some_and(|of| self.is_past(of) || self.epochs.contains(&of))
            || self.ids.iter().any(|(known, head)| known == id && *head == newest)
    }

    /// Whether this epoch of the log is over.
    pub(crate) fn is_past(&self, epoch: Epoch) -> bool {
        self.past.contains(&epoch)
    }

    /// That epoch is over; to the next one others may be known.
    pub(crate) fn begin_epoch(&mut self, past: Epoch) {
        remember(&mut self.past, past);
        self.epochs.clear();
        self.ids.clear();
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
