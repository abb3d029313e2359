//! The bounds of a log: asks the server for them, and creates the stream of the log.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::{StreamExt, TryStreamExt, stream};
use sse_core::Position;
use sse_core::store::{Bounds, StoreError};

use crate::core::{LogCore, Oldest};
use crate::error::code;
use crate::holes::Hole;
use crate::jetstream::{Info, InfoRequest, StreamConfig, nanoseconds};
use crate::lookup::{next, next_event};
use crate::record::storage::{self, Loaded};
use crate::record::{FORMAT, Record};
use crate::view::View;

/// Number of messages without events that are skipped to find the oldest event.
const PASSED_OVER: usize = 100;

/// Number of holes that are checked at a time.
const AT_A_TIME: usize = 32;

/// Number of times that the stream and the record are read again if they do not match.
const ATTEMPTS: usize = 20;

/// Loads a view of the log. Read the events first: the view is then as new as they are.
pub(crate) async fn load_view(core: &LogCore) -> Result<View, StoreError> {
    load_view_counting(core, None).await
}

/// Loads a view, and counts the messages of these subjects.
pub(crate) async fn load_view_counting(
    core: &LogCore,
    subjects: Option<String>,
) -> Result<View, StoreError> {
    let at = core.recent_view.now(&core.changes);
    let is_counted = subjects.is_some();
    let view = build_view(core, subjects).await?;
    if is_counted {
        core.recent_view.keep(at, &view);
    }
    Ok(view)
}

async fn build_view(core: &LogCore, subjects: Option<String>) -> Result<View, StoreError> {
    for _ in 0..ATTEMPTS {
        let seen = core.seen();
        let (info, record) = tokio::try_join!(info(core, subjects.clone()), storage::load(core))?;
        if let Loaded::NoStream = record {
            storage::create_stream(core).await?;
        }
        let record = match record {
            Loaded::Record(record) => record,
            Loaded::NoRecord | Loaded::NoStream => {
                let mut first = Record::begin(&info, None)?;
                if !storage::save(core, &mut first).await? {
                    continue;
                }
                first
            }
        };
        let is_of_another = |info: &Info| {
            let newest = info.newest();
            let was_newer =
                seen.is_some_and(|(epoch, seen)| epoch == record.epoch && newest < seen);
            let is_short = record.floor > newest || record.newest > newest.hi();
            record.created != info.created || is_short || was_newer
        };
        if is_of_another(&info) {
            // The record is of another stream of this name, or of one that was restored; or one of the two was read too early.
            let info = self::info(core, None).await?;
            if is_of_another(&info) {
                storage::save(core, &mut Record::begin(&info, Some(&record))?).await?;
            }
            continue;
        }
        if info.is_set("max_msgs_per_subject") {
            let stream = &core.names.stream;
            let error = format!(
                "the stream {stream} has `max_msgs_per_subject`, with which the server removes events without a trace: set it to -1"
            );
            return Err(StoreError::failed(error));
        }
        if record.format < FORMAT {
            // Older versions must not read this log any more: they would skip events that have topics.
            storage::save(core, &mut record.clone()).await?;
            continue;
        }
        let trimmed = core.trimmed(&info);
        if !info.has_limits() && trimmed > record.floor {
            let mut risen = record;
            risen.raise_floor(trimmed);
            storage::save(core, &mut risen).await?;
            continue;
        }
        let floor = trimmed.max(record.floor);
        let bounds = Bounds {
            epoch: record.epoch,
            floor,
            oldest: oldest(core, &info, &record, floor).await?,
            newest: info.newest(),
            is_finished: info.is_finished(),
            deletions: record.deletions,
        };
        core.saw(bounds.epoch, bounds.newest);
        core.changes.saw_epoch(bounds.epoch);
        let average = info.state.bytes.checked_div(info.state.messages);
        core.average.store(average.unwrap_or(0), Relaxed);
        return Ok(View { bounds, info, record });
    }
    Err(StoreError::failed(
        "reading the bounds failed: the stream and the record of the log did not match in 20 attempts; try again",
    ))
}

/// Returns the state of the stream of the log. If there is no stream, it is created.
pub(crate) async fn info(
    core: &LogCore,
    subjects_filter: Option<String>,
) -> Result<Info, StoreError> {
    let subject = format!("STREAM.INFO.{}", core.names.stream);
    let request = InfoRequest { subjects_filter };
    match core.requests.api(&subject, &request).await {
        Err(failure) if failure.is(code::NO_STREAM) => {}
        answer => return Ok(answer?),
    }
    let subjects = format!("{}>", core.names.prefix);
    let config = StreamConfig {
        name: &core.names.stream,
        subjects: [&subjects],
        description: "An event log of sse-log-nats. It has no limits: the log drops old events itself",
        retention: "limits",
        discard: "old",
        storage: "file",
        num_replicas: core.requests.engine.options.replicas,
        max_msgs_per_subject: -1,
        allow_rollup_hdrs: true,
        // 100 ms is the shortest window that the server takes. With 0 it would use two minutes.
        duplicate_window: nanoseconds(core.options.idempotency_window).max(100_000_000),
    };
    match storage::create(core, &config).await? {
        Some(info) => Ok(info),
        None => Ok(core.requests.api(&subject, &request).await?),
    }
}

/// Returns the oldest event that is kept. A batch may begin with events that are not kept.
async fn oldest(
    core: &LogCore,
    info: &Info,
    record: &Record,
    floor: Position,
) -> Result<Option<Position>, StoreError> {
    if info.state.messages == 0 {
        return Ok(None);
    }
    let of = (info.state.first_seq, floor, record.deletions);
    let newest = info.state.last_seq;
    let known = *core.oldest.lock().unwrap_or_else(PoisonError::into_inner);
    let holds =
        |known: &Oldest| known.of == of && (known.position.is_some() || known.newest == newest);
    if let Some(known) = known.filter(holds) {
        return Ok(known.position);
    }
    let mut sequence = info.state.first_seq.max(floor.hi() + 1);
    let mut position = None;
    for _ in 0..PASSED_OVER {
        let Some(message) = next_event(core, sequence).await? else { break };
        sequence = message.sequence + 1;
        let is_kept = |position: &Position| *position > floor && !record.hidden.contains(position);
        position = message.events(&core.names).iter().map(|event| event.position).find(is_kept);
        if position.is_some() {
            break;
        }
    }
    *core.oldest.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(Oldest { of, newest, position });
    Ok(position)
}

impl View {
    /// Checks that the stream has no messages in these holes above the floor. Messages below the floor were dropped.
    pub(crate) async fn confirm(
        &self,
        core: &LogCore,
        holes: Vec<(u64, u64)>,
    ) -> Result<(), StoreError> {
        let floor = self.bounds.floor.hi();
        let above = holes.into_iter().map(|(first, end)| (first.max(floor + 1), end));
        let above = above.filter(|(first, end)| first < end).collect();
        confirm(core, &self.info.created, above).await
    }
}

/// Checks that the stream that was created at this time has no messages in these holes. Asks it once for each hole.
async fn confirm(core: &LogCore, created: &str, holes: Vec<Hole>) -> Result<(), StoreError> {
    let unknown = holes.into_iter().filter(|hole| !core.holes.is_known(created, *hole));
    let checks = unknown.map(|hole| async move {
        match next(core, hole.0).await? {
            Some(message) if message.sequence < hole.1 => {
                Err(StoreError::failed("NATS skipped messages that its stream has; read again"))
            }
            _ => {
                core.holes.remember(created, hole);
                Ok(())
            }
        }
    });
    let checks: Vec<_> = checks.collect();
    stream::iter(checks).buffer_unordered(AT_A_TIME).try_collect().await
}
