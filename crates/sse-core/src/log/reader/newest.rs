//! The newest events of topics that were added while a stream is open.

use std::mem;

use bytes::{Bytes, BytesMut};

use crate::Position;
use crate::chunk::Entry;
use crate::log::reader::Reader;
use crate::log::reader::next::{Newest, Next};
use crate::pack::CHUNK_SIZE;

/// The number of events that are looked at under one lock.
const AT_ONCE: usize = 1000;

impl Newest {
    /// Returns the step that gives these events, and then reads on after a position.
    pub(super) fn step(mut events: Vec<Position>, after: Position) -> Next {
        if events.is_empty() {
            return Next::Read(after);
        }
        events.sort_unstable_by(|a, b| b.cmp(a));
        events.dedup();
        Next::Newest(Box::new(Self { events, after }))
    }
}

impl Reader {
    /// Returns some of the newest events of added topics, without ids. It omits those that are no longer kept, and those of topics that were removed
    /// since.
    pub(super) fn give_newest(&mut self) -> Option<Bytes> {
        let Next::Newest(newest) = &mut self.next else { return None };
        let topics = self.topics.as_ref()?;
        let mut chunk = BytesMut::new();
        let mut state = self.log.lock_now();
        if topics.has_changed() {
            return None;
        }
        if state.tail.epoch() != self.epoch {
            newest.events.clear();
        }
        for _ in 0..AT_ONCE {
            let Some(event) = newest.events.last().copied() else { break };
            let index = state.tail.topics();
            let is_wanted =
                index.is_some_and(|index| topics.takes_any(&state, index.lists_of(event)));
            if let Some(bytes) = is_wanted.then(|| state.tail.event(event)).flatten() {
                let block = &bytes[Entry::new(event, 0..bytes.len()).block(self.epoch)];
                if !chunk.is_empty() && chunk.len() + block.len() >= CHUNK_SIZE {
                    break;
                }
                chunk.extend_from_slice(block);
                chunk.extend_from_slice(b"\n");
            }
            newest.events.pop();
        }
        drop(state);
        if newest.events.is_empty() {
            self.next = Next::Read(newest.after);
        }
        self.note(None);
        (!chunk.is_empty()).then(|| chunk.freeze())
    }

    /// Takes the newest events that were not given yet.
    pub(super) fn take_newest(&mut self) -> Vec<Position> {
        match &mut self.next {
            Next::Newest(newest) => mem::take(&mut newest.events),
            _ => Vec::new(),
        }
    }
}
