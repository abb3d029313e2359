//! The action after a gap, as a log and a source take it: the feed's [`OnGap`], joined with its [`Start`].

use crate::{MakeSnapshot, OnGap, Start};

#[derive(Debug, Clone)]
pub(crate) enum GapPolicy {
    /// A reset, then all that is kept.
    Reset,
    /// A reset, then what a first visit with this start gets. In a box, because most readers have none, and each byte of a reader counts.
    StartOver(Box<Start>),
    /// A reset, then a snapshot.
    Snapshot(MakeSnapshot),
    /// The live events. The client is not told.
    Live,
    /// The end of the stream.
    Stop,
}

impl GapPolicy {
    pub(crate) fn new(on_gap: &OnGap, start: &Start) -> Self {
        match on_gap {
            OnGap::Reset => Self::Reset,
            OnGap::StartOver => match start {
                Start::Snapshot(make) => Self::Snapshot(make.clone()),
                Start::Last(0) => Self::StartOver(Box::new(Start::Live)),
                start => Self::StartOver(Box::new(start.clone())),
            },
            OnGap::Snapshot(make) => Self::Snapshot(make.clone()),
            OnGap::Live => Self::Live,
            OnGap::Stop | OnGap::Status(_) => Self::Stop,
        }
    }
}
