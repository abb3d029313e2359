//! An observer that counts for the crate `metrics`, whatever recorder the application has installed.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Unit};

use crate::log::{FOLLOWING, READING, RETAINING, STORING};
use crate::{Delivered, End, Ended, FollowerState, Gap, GapReason, Observer};

/// An observer that counts for the crate [`metrics`](https://docs.rs/metrics), so that any of its exporters shows what a log and its streams
/// do. The feature `metrics` adds it. `docs/metrics.md` in the repository lists what it counts.
///
/// Each count has the label `log`, with the name that is given here: a few names for a process, never a topic or a user. Install the recorder
/// first, because what was counted before is lost. A clone counts together with the original: so the feeds of a [`Source`](crate::Source) or of a
/// [`StreamContext`](crate::StreamContext) can be counted, too ([`StreamOptions::observer`](crate::StreamOptions::observer)).
///
/// ```
/// use sse_core::{EventLog, Metrics};
///
/// let log = EventLog::in_memory(1000);
/// assert!(log.observe(Metrics::new("orders")));
/// ```
#[derive(Clone)]
pub struct Metrics {
    log: String,
    open: Gauge,
    behind: Gauge,
    opened: Counter,
    delivered: Counter,
    delivered_bytes: Counter,
    replayed: Counter,
    appended: Counter,
    appended_bytes: Counter,
}

const ENDED: &str = "sse_streams_ended_total";
const GAPS: &str = "sse_gaps_total";
const APPEND: &str = "sse_append_duration_seconds";
const FOLLOWER: &str = "sse_follower_running";
const FAILING: &str = "sse_store_failing";

/// The tasks of a store, and the label of each.
const TASKS: [(&str, &str); 4] =
    [(STORING, "append"), (FOLLOWING, "follow"), (READING, "read"), (RETAINING, "retain")];

impl Metrics {
    /// Returns an observer of the log of this name. Its counts begin at 0; those of a store begin when a log over a store is observed.
    ///
    /// ```
    /// use sse_core::{Metrics, StreamContext};
    ///
    /// let answers = Metrics::new("answers");
    /// let (context, feed) = StreamContext::channel();
    /// let feed = feed.observer(answers.clone());
    /// assert!(!context.is_closed());
    /// # drop(feed);
    /// ```
    pub fn new(log: &str) -> Self {
        let new = Self {
            log: log.to_owned(),
            open: gauge("sse_streams_open", "Open streams", log),
            behind: gauge(
                "sse_streams_behind_tail",
                "Streams that wait for older events of the store",
                log,
            ),
            opened: counter("sse_streams_opened_total", Unit::Count, "Responses that began", log),
            delivered: counter(
                "sse_events_delivered_total",
                Unit::Count,
                "Events given to the framework",
                log,
            ),
            delivered_bytes: counter(
                "sse_delivered_bytes_total",
                Unit::Bytes,
                "Bytes of these events",
                log,
            ),
            replayed: counter(
                "sse_events_replayed_total",
                Unit::Count,
                "Events of these that a client had missed",
                log,
            ),
            appended: counter(
                "sse_events_appended_total",
                Unit::Count,
                "Events that this process appended",
                log,
            ),
            appended_bytes: counter(
                "sse_appended_bytes_total",
                Unit::Bytes,
                "Bytes of these events",
                log,
            ),
        };
        metrics::describe_counter!(ENDED, Unit::Count, "Responses that ended, by reason");
        metrics::describe_counter!(
            GAPS,
            Unit::Count,
            "Clients that could not resume exactly, by reason"
        );
        metrics::describe_histogram!(
            APPEND,
            Unit::Seconds,
            "Time that an append to the store took"
        );
        metrics::describe_gauge!(FOLLOWER, "1 if events of the store reach this process");
        metrics::describe_gauge!(FAILING, "1 while the store fails, by task");
        End::ALL.iter().for_each(|end| new.ends(*end).increment(0));
        GapReason::ALL.iter().for_each(|reason| new.gaps(*reason).increment(0));
        new
    }

    fn ends(&self, end: End) -> Counter {
        metrics::counter!(ENDED, "log" => self.log.clone(), "reason" => end.as_str())
    }

    fn gaps(&self, reason: GapReason) -> Counter {
        metrics::counter!(GAPS, "log" => self.log.clone(), "reason" => reason.as_str())
    }

    fn append_duration(&self) -> Histogram {
        metrics::histogram!(APPEND, "log" => self.log.clone())
    }

    fn failing(&self, task: &'static str) -> Gauge {
        metrics::gauge!(FAILING, "log" => self.log.clone(), "task" => task)
    }

    fn note_store(&self, what: &str, failing: f64) {
        if let Some((_, task)) = TASKS.iter().find(|(known, _)| *known == what) {
            self.failing(task).set(failing);
        }
    }
}

impl Observer for Metrics {
    fn opened(&self) {
        self.open.increment(1);
        self.opened.increment(1);
    }

    fn gap(&self, gap: &Gap) {
        self.gaps(gap.reason).increment(1);
    }

    fn delivered(&self, delivered: &Delivered<'_>) {
        self.delivered.increment(delivered.events as u64);
        self.delivered_bytes.increment(delivered.bytes as u64);
        if delivered.is_replay {
            self.replayed.increment(delivered.events as u64);
        }
    }

    fn behind(&self) {
        self.behind.increment(1);
    }

    fn caught_up(&self) {
        self.behind.decrement(1);
    }

    fn ended(&self, ended: &Ended) {
        self.open.decrement(1);
        self.ends(ended.end).increment(1);
    }

    fn appended(&self, events: usize, bytes: usize) {
        self.appended.increment(events as u64);
        self.appended_bytes.increment(bytes as u64);
    }

    fn append_took(&self, took: Duration) {
        self.append_duration().record(took);
    }

    fn follower(&self, state: FollowerState) {
        let running = f64::from(u8::from(state == FollowerState::Running));
        metrics::gauge!(FOLLOWER, "log" => self.log.clone()).set(running);
        // There is a store: what it does is counted from 0 on.
        drop(self.append_duration());
        TASKS.iter().for_each(|(_, task)| self.failing(task).increment(0));
    }

    fn store_lost(&self, what: &str, _: &(dyn StdError + 'static)) {
        self.note_store(what, 1.0);
    }

    fn store_back(&self, what: &str) {
        self.note_store(what, 0.0);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("log", &self.log).finish_non_exhaustive()
    }
}

/// Returns a gauge, which begins at 0.
fn gauge(name: &'static str, description: &'static str, log: &str) -> Gauge {
    metrics::describe_gauge!(name, Unit::Count, description);
    let gauge = metrics::gauge!(name, "log" => log.to_owned());
    gauge.increment(0);
    gauge
}

/// Returns a counter, which begins at 0.
fn counter(name: &'static str, unit: Unit, description: &'static str, log: &str) -> Counter {
    metrics::describe_counter!(name, unit, description);
    let counter = metrics::counter!(name, "log" => log.to_owned());
    counter.increment(0);
    counter
}
