use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sse_core::{Epoch, Position};

use crate::message::Message;
use crate::position::sequence_of;

/// Largest number of kept batches.
const MOST: usize = 8;

/// The batches that did not fit on a page, kept for the next pages. Without them a batch would be read once for each of its pages.
#[derive(Debug, Default)]
pub(crate) struct PartialBatches(Mutex<VecDeque<Kept>>);

/// A message, with its epoch and the number of deletions when it was read.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) message: Message,
    pub(crate) of: (Epoch, u64),
    after: Position,
}

impl PartialBatches {
    /// Takes the message that has this position in its middle.
    pub(crate) fn take(&self, after: Position) -> Option<Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().position(|kept| kept.after == after)?;
        kept.remove(index)
    }

    /// Keeps the message in which a page has ended at this event.
    pub(crate) fn keep(&self, after: Position, messages: Vec<Message>, of: (Epoch, u64)) {
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
