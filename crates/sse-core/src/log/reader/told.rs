use std::mem;

use bytes::Bytes;

use crate::chunk::Entry;
use crate::log::reader::Reader;
use crate::log::reader::next::{Next, Told};

impl Reader {
    /// Takes the frame to give first, if any.
    pub(super) fn tell(&mut self) -> Option<Bytes> {
        let Next::Tell(told) = mem::replace(&mut self.next, Next::Stop) else { return None };
        let Told { frame, position, then } = *told;
        self.next = then;
        if let Some(position) = position {
            self.told(position);
        }
        self.note(position.map(|position| Entry::new(position, 0..frame.len())));
        Some(frame)
    }
}
