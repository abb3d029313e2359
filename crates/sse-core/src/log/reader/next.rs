//! The next step of a reader.

use bytes::Bytes;

use crate::chunk::Entry;
use crate::log::backlog::Part;
use crate::pack::Packed;
use crate::snapshot::Waiting;
use crate::{EventId, GapReason, MakeSnapshot, Position, SnapshotRequest};

pub(in crate::log) enum Next {
    /// Reads on after this position.
    Read(Position),
    /// Begins with this part of the log, and with a reset if a gap led here. Both are taken at once, so that the client advances however many
    /// events are appended and dropped between two polls.
    Begin(Part, Option<PendingReset>),
    /// Gives this page, which was taken together with the frame before it.
    Give(Box<Page>),
    /// Gives a frame first.
    Tell(Box<Told>),
    /// Begins after this id once it is known, with the reset of the gap that led here. Only the store may know it.
    Look(EventId, Box<PendingReset>),
    /// Waits for this check of the store, which may know the id.
    Check(EventId, u64, IdOf),
    /// Requests a snapshot. Not under the lock: the application makes it, and may use the log.
    Ask(MakeSnapshot, Box<SnapshotRequest>),
    /// Waits for the snapshot.
    Wait(Waiting),
    /// Gives a snapshot, then does this.
    Send(Box<Packed>, Box<Next>),
    /// Gives the newest events of added topics, then reads on.
    Newest(Box<Newest>),
    /// Gives nothing more: the log is finished.
    Stop,
    /// Gives nothing more: the client cannot resume, and a gap ends the stream.
    Refuse,
}

/// The origin of an id that only the store may know.
pub(in crate::log) enum IdOf {
    /// The client, which has it from another process.
    Client,
    /// The application, whose snapshot goes out first.
    Snapshot(Box<Packed>),
    /// The application, which has its streams begin after it, and again after a gap.
    Start(Box<PendingReset>),
}

/// A frame that a reader gives before its next step.
pub(in crate::log) struct Told {
    pub(in crate::log) frame: Bytes,
    /// The position whose id the frame has, if any.
    pub(in crate::log) position: Option<Position>,
    pub(in crate::log) then: Next,
}

/// The newest events of topics that were added, which go out without ids.
pub(in crate::log) struct Newest {
    /// The events, newest first.
    pub(in crate::log) events: Vec<Position>,
    /// The position after which the reader reads on.
    pub(in crate::log) after: Position,
}

/// A reset that is still to be given.
pub(in crate::log) struct PendingReset {
    pub(in crate::log) reason: GapReason,
    /// The id with which the gap was found: if another epoch begins before the reset is given, it may no longer be a gap.
    pub(in crate::log) id: Option<EventId>,
}

impl PendingReset {
    /// Returns the step that gives this reset and what follows it: this part of the log.
    pub(in crate::log) fn before(self, part: Part) -> Next {
        Next::Begin(part, Some(self))
    }
}

/// A page of events after a position, and the position of the last of them.
pub(in crate::log) struct Page {
    pub(in crate::log) bytes: Bytes,
    /// The offsets of the events in the bytes, if the log is in a merge.
    pub(in crate::log) entries: Vec<Entry>,
    pub(in crate::log) after: Position,
    pub(in crate::log) last: Position,
    /// The position after which the reader reads on: up to it there is nothing more for it.
    pub(in crate::log) upto: Position,
    /// The number of times that events had been deleted when it was read.
    pub(in crate::log) deletions: u64,
}
