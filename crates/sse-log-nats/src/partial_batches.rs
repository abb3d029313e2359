use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sse_core::{Cursor, Epoch};

use crate::message::Message;
use crate::position::sequence_of;

/// How many there are at most.
const MOST: usize = 8;

/// Batches that did not fit on a page, for the pages to come: else each would be read as often as it has pages.
#[derive(Debug, Default)]
pub(crate) struct PartialBatches(Mutex<VecDeque<Kept>>);

/// A message, and of which epoch and number of deletions it is.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) message: Message,
    pub(crate) of: (Epoch, u64),
    after: Cursor,
}

impl PartialBatches {
    /// The message in the middle of which this position is.
    pub(crate) fn take(&self, after: Cursor) -> Option<Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|kept| kept.after == after)?;
        kept.remove(place)
    }

    /// A page has ended at this event of one of these messages.
    pub(crate) fn keep(&self, after: Cursor, messages: Vec<Message>, of: (Epoch, u64)) {
        let is_in_the_middle = after.lo() > 0;
        let mut messages = messages.into_iter().filter(|_| is_in_the_middle);
        let Some(message) = messages.find(|message| message.sequence == sequence_of(after)) else {
            return;
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Kept { message, of, after });
    }
}
