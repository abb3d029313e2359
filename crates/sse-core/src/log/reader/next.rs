//! What a reader does next.

use bytes::Bytes;

use crate::chunk::Entry;
use crate::log::backlog::Part;
use crate::pack::Packed;
use crate::snapshot::Waiting;
use crate::{EventId, Gap, GapReason, MakeSnapshot, Position};

pub(in crate::log) enum Next {
    /// Reads on after this position.
    Read(Position),
    /// Begins with this part of the log, and with word of a gap if that led here. Both are taken at once: whatever is appended and
    /// dropped between two polls, the client gets on.
    Begin(Part, Option<Word>),
    /// Gives this page, which was taken together with what went before it.
    Give(Box<Page>),
    /// Gives a frame first.
    Tell(Box<Told>),
    /// Waits for this check of the store, which may know the id; it may be that of a snapshot.
    Check(EventId, u64, Option<Box<Packed>>),
    /// Asks for a snapshot. Not under the lock: it is made by the application, which may look at the log.
    Ask(MakeSnapshot, Box<Gap>),
    /// Waits for the snapshot.
    Wait(Waiting),
    /// Gives a snapshot, then does this.
    Send(Box<Packed>, Box<Next>),
    /// Gives nothing more: the log is finished.
    Stop,
    /// Gives nothing more, since the client cannot go on where it was.
    Refuse,
}

/// A frame that is given before a reader goes on.
pub(in crate::log) struct Told {
    pub(in crate::log) frame: Bytes,
    /// If the frame has the id of one.
    pub(in crate::log) position: Option<Position>,
    pub(in crate::log) then: Next,
}

/// Word of a gap that is still to be given.
pub(in crate::log) struct Word {
    pub(in crate::log) reason: GapReason,
    /// The id by which it was found: if another epoch begins before the word is given, it may be none any more.
    pub(in crate::log) id: Option<EventId>,
}

/// Events that follow a position, and the position of the last of them.
pub(in crate::log) struct Page {
    pub(in crate::log) bytes: Bytes,
    /// Where they are in the bytes, if it is one of several logs.
    pub(in crate::log) entries: Vec<Entry>,
    pub(in crate::log) after: Position,
    pub(in crate::log) last: Position,
    /// How often events had been deleted when it was read.
    pub(in crate::log) deletions: u64,
}
