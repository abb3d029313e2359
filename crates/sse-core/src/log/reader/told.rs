use std::mem;

use bytes::Bytes;

use crate::Cursor;
use crate::chunk::Entry;
use crate::log::reader::{Next, Reader};

/// A frame that is given before a reader goes on.
pub(in crate::log) struct Told {
    pub(in crate::log) frame: Bytes,
    /// If the frame has the id of one.
    pub(in crate::log) position: Option<Cursor>,
    pub(in crate::log) then: Next,
}

impl Reader {
    /// Takes the frame that is to be given first, if any.
    pub(super) fn tell(&mut self) -> Option<Bytes> {
        let Next::Tell(told) = mem::replace(&mut self.next, Next::Stop) else { return None };
        let Told { frame, position, then } = *told;
        self.next = then;
        self.note(position.map(|position| Entry::new(position, 0..frame.len())));
        Some(frame)
    }
}
