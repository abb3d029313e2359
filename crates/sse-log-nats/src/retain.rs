use std::time::Duration;

use sse_core::Position;
use sse_core::store::{Retention, StoreError};

use crate::bounds::load_view_counting;
use crate::clock;
use crate::core::LogCore;
use crate::lookup::next_event;
use crate::message::Kind;
use crate::record;
use crate::retain::drop_oldest::drop_oldest;
use crate::retain::excess::excess;
use crate::retain::purge::{forget_old_notes, purge};
use crate::tally::Size;
use crate::view::View;

mod drop_oldest;
mod excess;
mod purge;

/// Number of notes above which outdated notes are dropped, even if the floor does not rise.
const MOST_NOTES: u64 = 10_000;
/// Number of steps in one pass.
const ATTEMPTS: usize = 20;

/// Drops the oldest events, step by step, until nothing is over the limits. Each step first raises the floor, so that a reader in between
/// gets a gap for every event that it misses. In a process one pass runs at a time; if other processes drop events too, one of them continues.
/// Returns the time after which the oldest event is too old.
pub(crate) async fn retain(
    core: &LogCore,
    retention: &Retention,
) -> Result<Option<Duration>, StoreError> {
    let _turn = core.tally.turn.lock().await;
    if is_within(core, retention) {
        return Ok(None);
    }
    for _ in 0..ATTEMPTS {
        if let Step::Done { kept, oldest, now } = step(core, retention).await? {
            let (Some(age), true) = (retention.age, kept > 1) else { return Ok(None) };
            let too_old = oldest.map(|oldest| Duration::from_nanos(oldest).saturating_add(age));
            return Ok(too_old.map(|at| at.saturating_sub(now.unwrap_or(at))));
        }
    }
    // Other processes are dropping events.
    Ok(Some(Duration::ZERO))
}

enum Step {
    /// Nothing is over the limits. The log has so many events after its floor; it is now this time at the server. The oldest event is of
    /// this time in nanoseconds, if it can become too old.
    Done { kept: u64, oldest: Option<u64>, now: Option<Duration> },
    /// Another process has changed the record, or more events may be over the limits.
    Repeat,
}

async fn step(core: &LogCore, retention: &Retention) -> Result<Step, StoreError> {
    core.tally.begin();
    let mut view = load_view_counting(core, Some(core.names.multiple())).await?;
    if view.info.state.messages > 0 && view.info.state.first_seq <= view.record.floor.hi() {
        if has_leftovers(core, &view).await? {
            // Another process is dropping these events, or has failed to finish.
            purge(core, &view.info, view.record.floor).await?;
        }
        // These events may have been there when the messages were counted.
        let now = load_view_counting(core, Some(core.names.multiple())).await?;
        if now.record.revision != view.record.revision {
            return Ok(Step::Repeat);
        }
        view = now;
    }
    if view.bounds.floor > view.record.floor {
        // Limits that were set on the stream may be unset by the time that another process loads the bounds.
        view.record.raise_floor(view.bounds.floor);
        view.record.newest = view.info.state.last_seq;
        if !record::storage::save(core, &mut view.record).await? {
            return Ok(Step::Repeat);
        }
    }
    let is_note = |subject: &str| Kind::of(subject, &core.names) == Kind::Note;
    let notes = view.info.state.subjects.iter().flatten().find(|(subject, _)| is_note(subject));
    if notes.is_some_and(|(_, notes)| *notes > MOST_NOTES) {
        forget_old_notes(core, &view.info).await?;
    }
    let reported = view.info.ts.as_deref().and_then(clock::parse);
    let now = reported.map(|reported| core.requests.engine.clock.now(reported));
    let before = retention.age.and_then(|age| now?.checked_sub(age)).unwrap_or(Duration::ZERO);
    let last = view.info.state.last_seq;
    if let Some((floor, kept)) = floor_of_plain_log(core, &view, retention, before).await? {
        if !raise_floor_to(core, &mut view, floor).await? {
            return Ok(Step::Repeat);
        }
        core.tally.counted(kept, last);
        return Ok(Step::Done { kept: kept.events, oldest: None, now });
    }
    let mut excess = excess(core, &view, retention, before).await?;
    let may_be_over = excess.is_over(u64::MAX) || excess.before > 0;
    if may_be_over && !drop_oldest(core, &mut view, &mut excess).await? {
        return Ok(Step::Repeat);
    }
    core.tally.counted(excess.kept, last);
    if view.record.newest < last {
        // A process finds out by it that the stream was restored or has lost messages.
        view.record.newest = last;
        _ = record::storage::save(core, &mut view.record).await?;
    }
    Ok(Step::Done { kept: excess.kept.events, oldest: excess.oldest, now })
}

/// Returns true if the last view, loaded a moment ago, has nothing over the limits, and nothing was stored since.
fn is_within(core: &LogCore, retention: &Retention) -> bool {
    let Some(view) = core.recent_view.take(&core.changes) else { return false };
    let (state, record) = (&view.info.state, &view.record);
    let kept = Size { events: view.events(&core.names), bytes: state.bytes };
    retention.age.is_none()
        && kept.events <= retention.events as u64
        && kept.bytes <= retention.bytes as u64
        && view.bounds.floor == record.floor
        && record.newest >= state.last_seq
        && (state.messages == 0 || state.first_seq > record.floor.hi())
        && core.tally.counted_first(kept, state.last_seq)
}

/// Returns true if there are events below the floor, and not only notes.
async fn has_leftovers(core: &LogCore, view: &View) -> Result<bool, StoreError> {
    let (first, floor) = (view.info.state.first_seq, view.record.floor.hi());
    Ok(next_event(core, first).await?.is_some_and(|event| event.sequence <= floor))
}

/// Returns the new floor and the kept size of a log that has single events without holes: nothing needs to be counted.
async fn floor_of_plain_log(
    core: &LogCore,
    view: &View,
    retention: &Retention,
    before: Duration,
) -> Result<Option<(Position, Size)>, StoreError> {
    let state = &view.info.state;
    let is_plain = view.is_dense()
        && state.subjects.iter().flatten().next().is_none()
        && view.record.hidden.is_empty()
        && view.record.floor.lo() == 0
        && view.record.floor.hi() < state.first_seq
        && before == Duration::ZERO;
    let events = retention.events as u64;
    if !is_plain || state.messages <= events {
        return Ok(None);
    }
    let bytes = (u128::from(state.bytes) * u128::from(events) / u128::from(state.messages)) as u64;
    let floor = state.last_seq - events;
    // The newest event is kept. The messages after the floor may have none.
    let is_kept = next_event(core, floor + 1).await?.is_some();
    let fits = state.bytes <= retention.bytes as u64 && is_kept;
    Ok(fits.then_some((Position::new(floor, 0), Size { events, bytes })))
}

/// Raises the floor, and removes the messages below it. Returns false if another process has changed the record.
async fn raise_floor_to(
    core: &LogCore,
    view: &mut View,
    floor: Position,
) -> Result<bool, StoreError> {
    if !view.record.raise_floor(floor) {
        return Ok(true);
    }
    view.record.newest = view.info.state.last_seq;
    if !record::storage::save(core, &mut view.record).await? {
        return Ok(false);
    }
    purge(core, &view.info, floor).await?;
    Ok(true)
}
