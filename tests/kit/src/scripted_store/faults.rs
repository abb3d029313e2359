//! The faults of the scripted store, as the test sets them.

use std::collections::HashMap;
use std::fmt;
use std::task::Waker;

use super::ScriptedStore;
use super::turns::Turns;

/// A kind of call to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names of the trait's functions")]
pub enum Call {
    Append,
    Bounds,
    Read,
    BeforeLast,
    BeforeSince,
    Follow,
    /// The pages of what is followed.
    Pages,
    Retain,
    Finish,
    FinishWith,
    Delete,
    BeginEpoch,
}

impl Call {
    /// All there are.
    pub const ALL: [Self; 12] = [
        Self::Append,
        Self::Bounds,
        Self::Read,
        Self::BeforeLast,
        Self::BeforeSince,
        Self::Follow,
        Self::Pages,
        Self::Retain,
        Self::Finish,
        Self::FinishWith,
        Self::Delete,
        Self::BeginEpoch,
    ];
}

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused: nothing is done.
    Fails,
    /// It never arrives, which the caller cannot know.
    LosesTheRequest,
    /// It is done, and the answer never arrives.
    LosesTheAnswer,
    /// There is no answer until the fault is mended; then it is done.
    Stalls,
}

/// A way to lose a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Followers get an error.
    Fails,
    /// Followers come to an end.
    Ends,
}

/// The number of steps that a call waits before it goes on.
pub(super) type Steps = Box<dyn FnMut() -> usize + Send>;
/// The action between reading events and asking for the bounds.
pub(super) type Between = Box<dyn FnMut(&ScriptedStore) + Send>;

#[derive(Default)]
pub(super) struct Faults {
    pub(super) of: HashMap<Call, Fault>,
    /// The number of times that each was called.
    pub(super) calls: HashMap<Call, usize>,
    pub(super) reads: usize,
    pub(super) most_reads: usize,
    pub(super) turns: Turns,
    /// The number of events that a page has at the most.
    pub(super) page: Option<usize>,
    pub(super) steps: Option<Steps>,
    pub(super) between: Option<Between>,
    /// The number of times that the connections were lost, and the way in which they were lost last.
    pub(super) cuts: (u64, Option<Cut>),
    /// The tasks that wait until something changes.
    pub(super) waiting: Vec<Waker>,
}

impl fmt::Debug for ScriptedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScriptedStore").field(&self.lock().data.bounds()).finish()
    }
}
