use sse_core::Position;
use sse_core::store::{Appended, EncodedEvent};
use tokio_postgres::Row;

use crate::clock::interval;
use crate::core::{Kind, LogCore};
use crate::error::{Cause, Failure};
use crate::position::position;
use crate::retain::limits;
use crate::topics;

pub(crate) const APPEND: &str = "SELECT epoch, hi, lo FROM sse_log_append($1, $2, $3, $4, make_interval(secs => $5), to_timestamp($6), $7, $8, $9)";
/// Stores events and finishes the log, in one transaction. It takes the lock of `sse_log_finish` first: of two calls at a time that take the shared
/// lock of an append first, each would wait for the other. The text of `sse_log_alone` is empty, and finishing waits for the rows of the append.
pub(crate) const APPEND_LAST: &str = "WITH appended AS MATERIALIZED (
    SELECT * FROM sse_log_append($1 || sse_log_alone($1)::text, $2, $3, $4, make_interval(secs => $5), to_timestamp($6), $7, $8, $9)
), finished AS MATERIALIZED (
    SELECT sse_log_finish($1)::text FROM (SELECT count(*) AS events FROM appended) a WHERE events > 0
)
SELECT epoch, hi, lo FROM appended WHERE (SELECT count(*) FROM finished) <= 1";
/// Number of attempts to store events after a conflict with another transaction.
const ATTEMPTS: usize = 5;

/// Refuses keys that Postgres would refuse, since a refused key fails the whole transaction, with the events of other callers.
pub(crate) fn check_keys(events: &[EncodedEvent]) -> Result<(), Failure> {
    let mut keys = events.iter().flat_map(|event| [&event.key, &event.idempotency_key]).flatten();
    match keys.any(|key| key.contains('\0')) {
        true => Err(Failure::before_sending(Cause::Nul)),
        false => Ok(()),
    }
}

/// Stores all these events in one transaction, by this statement. Returns one result for each slice of `batch`.
pub(crate) async fn append(
    log: &LogCore,
    sql: &'static str,
    batch: &[&[EncodedEvent]],
) -> Result<Vec<Appended>, Failure> {
    let events = batch.iter().flat_map(|events| events.iter());
    let columns = Columns::of(events.clone());
    let window = interval(log.options.idempotency_window);
    let is_due = log
        .retention_schedule
        .is_due(columns.blocks.len(), columns.blocks.iter().map(|b| b.len()).sum());
    let limits = is_due.then(|| limits(&log.options.retention()));
    let (max_events, max_bytes) = limits.unzip();
    let mut attempts = 1;
    let rows = loop {
        let parameters: Parameters<'_> = [
            &log.name.as_str(),
            &columns.blocks,
            &columns.keys,
            &columns.idempotency_keys,
            &window,
            &log.now(),
            &max_events,
            &max_bytes,
            &columns.topics,
        ];
        match log.query(Kind::Write, sql, &parameters).await {
            Err(failure) if failure.is_conflict() && attempts < ATTEMPTS => attempts += 1,
            rows => break rows?,
        }
    };
    let mut rows = rows.iter();
    batch.iter().map(|events| positions_of(rows.by_ref().take(events.len()))).collect()
}

type Parameters<'a> = [&'a (dyn tokio_postgres::types::ToSql + Sync); 9];

/// The columns in which Postgres gets events.
pub(crate) struct Columns<'a> {
    pub(crate) blocks: Vec<&'a [u8]>,
    /// `None` if no event has a key.
    pub(crate) keys: Option<Vec<Option<&'a str>>>,
    /// `None` if no event has an idempotency key.
    pub(crate) idempotency_keys: Option<Vec<Option<&'a str>>>,
    /// `None` if no event has topics.
    pub(crate) topics: Option<Vec<Option<String>>>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(events: impl Iterator<Item = &'a EncodedEvent> + Clone) -> Self {
        let column = |key: fn(&EncodedEvent) -> Option<&str>| {
            let is_empty = events.clone().all(|event| key(event).is_none());
            (!is_empty).then(|| events.clone().map(key).collect())
        };
        let has_topics = events.clone().any(|event| !event.topics.is_empty());
        Self {
            topics: has_topics
                .then(|| events.clone().map(|event| topics::text(&event.topics)).collect()),
            keys: column(|event| event.key.as_deref()),
            idempotency_keys: column(|event| event.idempotency_key.as_deref()),
            blocks: events.clone().map(|event| &event.block[..]).collect(),
        }
    }
}

/// Returns the positions that these rows say. If there are no rows, the log is finished.
pub(crate) fn positions_of<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<Appended, Failure> {
    let mut rows = rows.peekable();
    let epoch = rows.peek().ok_or(Failure::Finished)?.get::<_, &str>(0);
    let epoch = epoch.parse().map_err(|_| Failure::after_sending(Cause::InvalidEpoch))?;
    let positions: Vec<Position> = rows.map(|row| position(row.get(1), row.get(2))).collect();
    Ok(Appended { epoch, positions })
}
