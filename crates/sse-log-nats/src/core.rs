//! The state that all operations of one log share.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use sse_core::{Epoch, Position, StoreOptions};

use crate::connection::changes::LogChanges;
use crate::engine::Engine;
use crate::engine::requests::Requests;
use crate::holes::Holes;
use crate::jetstream::Info;
use crate::names::Names;
use crate::partial_batches::PartialBatches;
use crate::tally::Tally;
use crate::view::RecentView;

/// The store of one log in NATS, of an [`Engine`]. [`open_store`](crate::open_store) opens a log over it.
#[derive(Clone)]
pub struct NatsStore(pub(crate) Arc<LogCore>);

pub(crate) struct LogCore {
    pub(crate) requests: Requests,
    pub(crate) names: Names,
    pub(crate) options: StoreOptions,
    /// The epoch and the newest position that were last seen.
    pub(crate) seen: Mutex<Option<(Epoch, Position)>>,
    /// The average size of a message, in bytes.
    pub(crate) average: AtomicU64,
    pub(crate) oldest: Mutex<Option<Oldest>>,
    /// The time at which the stream was created, and the position up to which its limits have removed events.
    pub(crate) trimmed: Mutex<(String, Position)>,
    pub(crate) partial_batches: PartialBatches,
    pub(crate) holes: Holes,
    pub(crate) tally: Tally,
    pub(crate) recent_view: RecentView,
    /// The notifications of changes of its record.
    pub(crate) changes: Arc<LogChanges>,
    /// Keeps the engine in use for as long as this exists.
    _engine: Engine,
}

impl NatsStore {
    pub(crate) fn new(engine: Engine, names: Names, options: StoreOptions) -> Self {
        let requests = engine.requests(options.store_timeout);
        Self(Arc::new(LogCore {
            changes: requests.engine.changes.of(&names.record),
            requests,
            names,
            options,
            seen: Mutex::default(),
            average: AtomicU64::new(0),
            oldest: Mutex::default(),
            trimmed: Mutex::new((String::new(), Position::START)),
            partial_batches: PartialBatches::default(),
            holes: Holes::default(),
            tally: Tally::default(),
            recent_view: RecentView::default(),
            _engine: engine,
        }))
    }
}

impl fmt::Debug for NatsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsStore({})", self.0.names.log)
    }
}

impl LogCore {
    /// Returns the epoch and the newest position that were last seen.
    pub(crate) fn seen(&self) -> Option<(Epoch, Position)> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what was seen. Within an epoch the newest position does not move back.
    pub(crate) fn saw(&self, epoch: Epoch, newest: Position) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.filter(|(seen, _)| *seen == epoch).map(|(_, newest)| newest);
        *seen = Some((epoch, before.map_or(newest, |before| before.max(newest))));
    }

    /// Returns the position up to which limits of the stream have removed events, even if the limits were unset since.
    pub(crate) fn trimmed(&self, info: &Info) -> Position {
        let mut trimmed = self.trimmed.lock().unwrap_or_else(PoisonError::into_inner);
        if trimmed.0 != info.created {
            *trimmed = (info.created.clone(), Position::START);
        }
        if info.has_limits() {
            trimmed.1 = trimmed.1.max(info.before_first());
        }
        trimmed.1
    }

    /// Remembers that there is an event at this position, if the epoch has not changed.
    pub(crate) fn appended(&self, epoch: Epoch, position: Position) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, newest)) = seen.as_mut().filter(|(seen, _)| *seen == epoch) {
            *newest = position.max(*newest);
        }
    }
}

/// The oldest event of a log. It holds as long as the values in `of` do; if there is no event, until one is appended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oldest {
    pub(crate) of: (u64, Position, u64),
    pub(crate) newest: u64,
    pub(crate) position: Option<Position>,
}
