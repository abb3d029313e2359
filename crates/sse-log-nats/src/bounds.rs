use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use sse_core::store::{Bounds, StoreError};
use sse_core::{Cursor, Epoch};

use crate::api::{Info, InfoQuestion, StreamConfig, nanoseconds};
use crate::failure::code;
use crate::holes::confirm;
use crate::oldest::oldest;
use crate::record::{self, Loaded, Record};
use crate::store::Shared;

/// The largest message that the stream of a log takes while that is being finished: it refuses every event, in the order of the messages, for good;
/// and unlike a sealed stream it drops events, and deleted ones. Once nothing else comes it takes questions about ids, on their own subject.
pub(crate) const FINISHING: i64 = 1;
pub(crate) const FINISHED: i64 = 4097;
/// How often the two halves of what there is are read again where they do not belong together.
const ATTEMPTS: usize = 20;

/// What there is.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) bounds: Bounds,
    pub(crate) info: Info,
    pub(crate) record: Record,
}

impl Info {
    /// The position before the first message.
    pub(crate) fn before_first(&self) -> Cursor {
        Cursor::new(self.state.first_seq.saturating_sub(1), 0)
    }

    pub(crate) fn newest(&self) -> Cursor {
        Cursor::new(self.state.last_seq, 0)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.is_closed() || self.config["max_msg_size"] == FINISHING
    }

    /// Whether nothing that was on its way can come any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.config["max_msg_size"] == FINISHED
    }

    /// Whether somebody has the server let go of events: it does not say of which, other than that they are the oldest.
    pub(crate) fn has_limits(&self) -> bool {
        ["max_msgs", "max_bytes", "max_age"].into_iter().any(|limit| self.is_set(limit))
    }

    fn is_set(&self, limit: &str) -> bool {
        self.config[limit].as_i64().is_some_and(|limit| limit > 0)
    }
}

impl Look {
    /// Makes sure that nothing is in these holes, as far as they are above the floor: what is below was dropped.
    pub(crate) async fn confirm(
        &self,
        shared: &Shared,
        holes: Vec<(u64, u64)>,
    ) -> Result<(), StoreError> {
        let floor = self.bounds.floor.hi();
        let above = holes.into_iter().map(|(first, end)| (first.max(floor + 1), end));
        let above = above.filter(|(first, end)| first < end).collect();
        confirm(shared, &self.info.created, above).await
    }
}

/// The bounds, after what was read before.
pub(crate) async fn look(shared: &Shared) -> Result<Look, StoreError> {
    look_at(shared, None).await
}

/// The same, and how many messages there are of these subjects.
pub(crate) async fn look_at(shared: &Shared, subjects: Option<String>) -> Result<Look, StoreError> {
    let at = shared.recent.now(shared);
    let is_counted = subjects.is_some();
    let look = look_now(shared, subjects).await?;
    if is_counted {
        shared.recent.keep(at, &look);
    }
    Ok(look)
}

async fn look_now(shared: &Shared, subjects: Option<String>) -> Result<Look, StoreError> {
    for _ in 0..ATTEMPTS {
        let seen = shared.seen();
        let (info, record) =
            tokio::try_join!(info(shared, subjects.clone()), record::load(shared))?;
        if let Loaded::NoStream = record {
            record::create_stream(shared).await?;
        }
        let record = match record {
            Loaded::Record(record) => record,
            Loaded::Nothing | Loaded::NoStream => {
                let mut first = Record::begin(&info, None)?;
                if !record::save(shared, &mut first).await? {
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
            // Of another stream of this name, or of one that was restored. One of the two may have been read too early.
            let info = self::info(shared, None).await?;
            if is_of_another(&info) {
                record::save(shared, &mut Record::begin(&info, Some(&record))?).await?;
            }
            continue;
        }
        if info.is_set("max_msgs_per_subject") {
            let stream = &shared.names.stream;
            let error = format!(
                "the stream {stream} has `max_msgs_per_subject`, and so holes that nobody is told of"
            );
            return Err(StoreError::failed(error));
        }
        let trimmed = shared.trimmed(&info);
        if !info.has_limits() && trimmed > record.floor {
            let mut risen = record;
            risen.raise_floor(trimmed);
            record::save(shared, &mut risen).await?;
            continue;
        }
        let floor = trimmed.max(record.floor);
        let bounds = Bounds {
            epoch: record.epoch,
            floor,
            oldest: oldest(shared, &info, &record, floor).await?,
            newest: info.newest(),
            is_finished: info.is_finished(),
            deletions: record.deletions,
        };
        shared.saw(bounds.epoch, bounds.newest);
        shared.told.is_of(bounds.epoch);
        let average = info.state.bytes.checked_div(info.state.messages);
        shared.average.store(average.unwrap_or(0), Relaxed);
        return Ok(Look { bounds, info, record });
    }
    Err(StoreError::failed("what NATS says of the log does not come to agree"))
}

/// The stream, which is created where there is none.
pub(crate) async fn info(
    shared: &Shared,
    subjects_filter: Option<String>,
) -> Result<Info, StoreError> {
    let subject = format!("STREAM.INFO.{}", shared.names.stream);
    let question = InfoQuestion { subjects_filter };
    match shared.connection.api(&subject, &question).await {
        Err(failure) if failure.is(code::NO_STREAM) => {}
        answer => return Ok(answer?),
    }
    let subjects = format!("{}>", shared.names.prefix);
    let config = StreamConfig {
        name: &shared.names.stream,
        subjects: [&subjects],
        description: "An event log of sse-log-nats. It has no limits: the log lets go of old events itself",
        retention: "limits",
        discard: "old",
        storage: "file",
        num_replicas: shared.connection.engine.options.replicas,
        max_msgs_per_subject: -1,
        allow_rollup_hdrs: true,
        // The shortest there is; none would be two minutes.
        duplicate_window: nanoseconds(shared.options.idempotency_window).max(100_000_000),
    };
    match record::create(shared, &config).await? {
        Some(info) => Ok(info),
        None => Ok(shared.connection.api(&subject, &question).await?),
    }
}

impl Shared {
    /// The epoch and the newest position that were last seen.
    pub(crate) fn seen(&self) -> Option<(Epoch, Cursor)> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what was seen. Within an epoch the newest does not move back.
    pub(crate) fn saw(&self, epoch: Epoch, newest: Cursor) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.filter(|(seen, _)| *seen == epoch).map(|(_, newest)| newest);
        *seen = Some((epoch, before.map_or(newest, |before| before.max(newest))));
    }

    /// The position up to which limits of the stream were seen to have removed events, also once they are there no more.
    fn trimmed(&self, info: &Info) -> Cursor {
        let mut trimmed = self.trimmed.lock().unwrap_or_else(PoisonError::into_inner);
        if trimmed.0 != info.created {
            *trimmed = (info.created.clone(), Cursor::START);
        }
        if info.has_limits() {
            trimmed.1 = trimmed.1.max(info.before_first());
        }
        trimmed.1
    }

    /// Remembers that there is an event at this position, if it is this epoch still.
    pub(crate) fn appended(&self, epoch: Epoch, cursor: Cursor) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, newest)) = seen.as_mut().filter(|(seen, _)| *seen == epoch) {
            *newest = cursor.max(*newest);
        }
    }
}
