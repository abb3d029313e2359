//! Reading for a client that has seen some of the events after its position: a snapshot of the store's database saw them.

use bytes::{Bytes, BytesMut};

use crate::chunk::Entry;
use crate::log::reader::Reader;
use crate::log::reader::next::Next;
use crate::pack::CHUNK_SIZE;
use crate::sync::wakers::Waits;
use crate::{Epoch, EventId, Frame, Position};

impl Reader {
    /// Returns those events of a chunk that the client has not seen, with ids for this client. In a merge the ids are not written here.
    pub(super) fn unseen(&mut self, chunk: Bytes) -> Option<Bytes> {
        let (Some(view), Some(entries)) = (&self.gaps.view, &mut self.entries) else {
            return Some(chunk);
        };
        if !entries.first().is_some_and(|first| view.reaches(first.position)) {
            // From here on the client gets what all get.
            self.gaps.view = None;
            if !self.gaps.are_merged() {
                self.entries = None;
            }
            return Some(chunk);
        }
        let is_merged = self.gaps.are_merged();
        let (mut unseen, mut last, mut rest) = (BytesMut::new(), Position::START, false);
        entries.retain_mut(|entry| {
            let Entry { position, .. } = *entry;
            let (start, block) = (unseen.len(), entry.block(self.epoch));
            // With longer ids they may not fit into one chunk. A merge makes its own chunks.
            let fits = start == 0 || start + block.len() + EventId::MAX_LEN < CHUNK_SIZE;
            rest |= !is_merged && !fits;
            if rest || view.sees(position) {
                return false;
            }
            if is_merged {
                unseen.extend_from_slice(&chunk[entry.range()]);
            } else {
                unseen.extend_from_slice(&chunk[block]);
                view.end_block(position, self.epoch, &mut unseen);
            }
            (*entry, last) = (Entry::new(position, start..unseen.len()), position);
            true
        });
        if rest {
            (self.next, self.waits) = (Next::Read(last), Waits::NOT);
        }
        // A client that got no event is told its position again.
        match &mut self.topics {
            Some(topics) if rest => topics.gave(&mut self.log.lock(), last, last),
            _ => self.told(last),
        }
        (!unseen.is_empty()).then(|| unseen.freeze())
    }

    /// Continues for a client that has seen what this id says.
    pub(super) fn see(&mut self, id: &EventId) {
        self.gaps.see(id);
        if self.gaps.want_entries() {
            self.entries.get_or_insert_default();
        }
    }

    /// Returns the event of this entry in the chunk that was given last, which has an id of the log.
    pub(crate) fn frame(&self, chunk: &Bytes, entry: Entry) -> Frame {
        match self.view_at(entry.position) {
            "" => Frame::from_log(chunk.slice(entry.range()), entry.position.id(self.epoch)),
            _ => {
                let id = self.id_at(entry.position, self.epoch);
                Frame::of_block(&chunk[entry.block(self.epoch)], id)
            }
        }
    }

    /// Returns the id of a position for this client, as an id of the log.
    pub(crate) fn id_at(&self, position: Position, epoch: Epoch) -> EventId {
        match &self.gaps.view {
            Some(view) => view.id_at(position, epoch),
            None => position.id(epoch),
        }
    }

    /// Returns the part of the id of this position that says what the client has seen after it.
    pub(crate) fn view_at(&self, position: Position) -> &str {
        self.gaps.view.as_ref().map_or("", |view| view.part_at(position))
    }
}
