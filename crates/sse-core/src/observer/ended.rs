//! The end of a stream, as an observer is told of it.

use std::time::Duration;

#[cfg(doc)]
use crate::Delivered;
use crate::{EventId, Limit};

/// The reason why a stream ended.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// use sse_core::{End, Ended, Observer};
/// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
/// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
///
/// #[derive(Default)]
/// struct Ends(Mutex<Vec<End>>);
/// impl Observer for Ends {
///     fn ended(&self, ended: &Ended) {
///         self.0.lock().unwrap().push(ended.end);
///     }
/// }
/// let ends = Arc::new(Ends::default());
/// let feed = EventLog::in_memory(1000).feed().observer(ends.clone());
/// drop(StreamResponse::new(&request, feed, timer));
/// assert_eq!(*ends.0.lock().unwrap(), [End::Left]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// There are no more events: the log is finished, or the source or the closure of a context has ended.
    Finished,
    /// The client could not resume, and [`OnGap::Stop`](crate::OnGap::Stop) was set.
    Gap,
    /// A [`Shutdown`](crate::Shutdown), or the future of [`EventStream::until`](crate::EventStream::until), ended it.
    Shutdown,
    /// It had been open for its longest life ([`StreamOptions::longest_life`](crate::StreamOptions::longest_life)).
    Lifetime,
    /// It was over a limit ([`Limits`](crate::Limits)), and got no events.
    Limited(Limit),
    /// The client polls, and has the events that were there.
    Polled,
    /// An error ended it; [`StreamOptions::on_error`](crate::StreamOptions::on_error) was called with it.
    Failed,
    /// The replay of a source reached a limit: the client comes back for the rest.
    Full,
    /// The framework dropped the body: the client left, or was cut off.
    Left,
}

impl End {
    /// The ends, each once.
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 12] = [
        Self::Finished,
        Self::Gap,
        Self::Shutdown,
        Self::Lifetime,
        Self::Limited(Limit::Process),
        Self::Limited(Limit::Log),
        Self::Limited(Limit::Topic),
        Self::Limited(Limit::Principal),
        Self::Polled,
        Self::Failed,
        Self::Full,
        Self::Left,
    ];

    /// Returns the end as one word, for a label or a log line: `finished`, `gap`, `shutdown`, `lifetime`, `limited-process`, `limited-log`,
    /// `limited-topic`, `limited-principal`, `polled`, `failed`, `full` or `left`.
    ///
    /// ```
    /// use sse_core::{End, Limit};
    ///
    /// assert_eq!(End::Left.as_str(), "left");
    /// assert_eq!(End::Limited(Limit::Topic).as_str(), "limited-topic");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Gap => "gap",
            Self::Shutdown => "shutdown",
            Self::Lifetime => "lifetime",
            Self::Limited(Limit::Process) => "limited-process",
            Self::Limited(Limit::Log) => "limited-log",
            Self::Limited(Limit::Topic) => "limited-topic",
            Self::Limited(Limit::Principal) => "limited-principal",
            Self::Polled => "polled",
            Self::Failed => "failed",
            Self::Full => "full",
            Self::Left => "left",
        }
    }
}

/// The record of a stream that has ended.
///
/// ```
/// use sse_core::{Ended, Observer};
///
/// struct Printed;
/// impl Observer for Printed {
///     fn ended(&self, ended: &Ended) {
///         println!("{:?} after {:?}: {} events", ended.end, ended.lasted, ended.events);
///     }
/// }
/// # let log = sse_core::EventLog::in_memory(1000);
/// assert!(log.observe(Printed));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ended {
    /// The reason why it ended.
    pub end: End,
    /// The time for which it was open.
    pub lasted: Duration,
    /// The number of events that it delivered.
    pub events: u64,
    /// The number of these events that were a [replay](Delivered::is_replay).
    pub replayed: u64,
    /// The bytes of these events, with their ids.
    pub bytes: u64,
    /// The last id that it delivered, if any.
    pub last_event_id: Option<EventId>,
}

impl Ended {
    pub(crate) fn new(end: End) -> Self {
        Self { end, lasted: Duration::ZERO, events: 0, replayed: 0, bytes: 0, last_event_id: None }
    }
}
