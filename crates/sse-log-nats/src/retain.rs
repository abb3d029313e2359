use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use sse_core::Cursor;
use sse_core::store::{Retention, StoreError};

use crate::bounds::{Look, look_at};
use crate::consumer::{Consumer, Content, Delivered};
use crate::get::{get, last_event};
use crate::message::{Kind, MESSAGE_SIZE, headers_size};
use crate::purge::{forget_old_notes, purge};
use crate::read::FORGOTTEN_AFTER;
use crate::record;
use crate::store::Shared;

/// How many messages are looked at a time.
const AT_A_TIME: u64 = 1000;
/// How many messages are let go of at most before the next time.
const MOST: u64 = 50_000;
/// How many notes there may be before those are let go of that are of no use any more, though the floor does not rise.
const MOST_NOTES: u64 = 10_000;
/// What the server counts for a message besides its subject, headers and payload.
const FRAME: u64 = 30;

/// How much there is too much.
#[derive(Debug)]
struct Excess {
    /// The newest event, which is kept.
    newest: Cursor,
    events: u64,
    bytes: u64,
    /// What is older than this, in nanoseconds since 1970.
    before: u64,
}

impl Excess {
    fn has(&self, time: u64) -> bool {
        self.events > 0 || self.bytes > 0 || time < self.before
    }

    fn without(&mut self, events: u64, bytes: u64) {
        self.events = self.events.saturating_sub(events);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Lets go of the oldest events. The floor is raised first: who reads between the two misses nothing that he is not told of.
pub(crate) async fn retain(shared: &Shared, retention: &Retention) -> Result<(), StoreError> {
    let mut look = look_at(shared, Some(shared.names.multiple())).await?;
    if look.info.state.first_seq <= look.record.floor.hi() && look.info.state.messages > 0 {
        // Somebody else is at it, or did not come to an end.
        purge(shared, &look.info, look.record.floor).await?;
        look = look_at(shared, Some(shared.names.multiple())).await?;
    }
    if look.bounds.floor > look.record.floor {
        // Limits that somebody has set may be gone by the time that somebody else looks.
        record::raise_floor(shared, look.bounds.epoch, look.bounds.floor).await?;
    }
    let is_note = |subject: &str| Kind::of(subject, &shared.names) == Kind::Note;
    let notes = look.info.state.subjects.iter().flatten().find(|(subject, _)| is_note(subject));
    if notes.is_some_and(|(_, notes)| *notes > MOST_NOTES) {
        forget_old_notes(shared, &look.info).await?;
    }
    let mut excess = excess(shared, &look, retention).await?;
    if !excess.has(u64::MAX) && excess.before == 0 {
        return Ok(());
    }
    let floor = oldest_kept(shared, &look, &mut excess).await?;
    if floor <= look.record.floor {
        return Ok(());
    }
    let now = look_at(shared, Some(shared.names.multiple())).await?;
    let is_as_it_was = now.record.floor == look.record.floor
        && now.info.state.first_seq == look.info.state.first_seq;
    if !is_as_it_was {
        // Somebody else has removed what was to be counted: what is left would be taken for it.
        return Ok(());
    }
    let record = record::raise_floor(shared, look.record.epoch, floor).await?;
    if record.epoch != look.record.epoch {
        // Of another stream, perhaps, whose messages have the same numbers.
        return Ok(());
    }
    purge(shared, &look.info, record.floor).await
}

/// By how much the log is over its limits.
async fn excess(shared: &Shared, look: &Look, retention: &Retention) -> Result<Excess, StoreError> {
    let state = &look.info.state;
    let mut events = state.messages;
    for (subject, messages) in state.subjects.iter().flatten() {
        let of_them = messages.saturating_mul(Kind::of(subject, &shared.names).events());
        events = events.saturating_add(of_them).saturating_sub(*messages);
    }
    let frame = FRAME + shared.names.single().len() as u64;
    let mut bytes = state.bytes.saturating_sub(state.messages.saturating_mul(frame));
    let floor = look.record.floor;
    if floor.lo() > 0
        && let Some(message) = get(shared, floor.hi() + 1).await?
    {
        let gone = message.events(&shared.names).into_iter().filter(|event| event.cursor <= floor);
        for event in gone {
            events = events.saturating_sub(1);
            bytes = bytes.saturating_sub(event.block.len() as u64);
        }
    }
    let newest = last_event(shared).await?.map_or(Vec::new(), |last| last.events(&shared.names));
    let newest = newest.iter().rev().map(|event| event.cursor);
    let newest = newest.into_iter().find(|cursor| !look.record.hidden.contains(cursor));
    let hidden = look.record.hidden.len() as u64;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let before = retention.age.map(|age| now.saturating_sub(age).as_nanos() as u64);
    Ok(Excess {
        newest: newest.unwrap_or(look.bounds.newest),
        events: events.saturating_sub(hidden).saturating_sub(retention.events as u64),
        bytes: bytes.saturating_sub(retention.bytes as u64),
        before: before.unwrap_or(0),
    })
}

/// The position before the oldest event that is within the limits, as far as one gets; the newest is.
async fn oldest_kept(
    shared: &Shared,
    look: &Look,
    excess: &mut Excess,
) -> Result<Cursor, StoreError> {
    let mut floor = look.record.floor;
    let mut consumer =
        Consumer::after(shared, floor.hi(), Content::Headers, FORGOTTEN_AFTER).await?;
    'all: for _ in 0..MOST / AT_A_TIME {
        let messages = consumer.fetch(shared, AT_A_TIME, None).await?;
        let is_end = messages.last().is_none_or(|message| message.pending == 0);
        for message in messages {
            if let ControlFlow::Break(()) =
                let_go(shared, look, &message, excess, &mut floor).await?
            {
                break 'all;
            }
        }
        if is_end {
            break;
        }
    }
    consumer.forget(shared).await;
    Ok(floor)
}

/// Raises the floor over a message, or over those of its events that are too many.
async fn let_go(
    shared: &Shared,
    look: &Look,
    delivered: &Delivered,
    excess: &mut Excess,
    floor: &mut Cursor,
) -> Result<ControlFlow<()>, StoreError> {
    if !excess.has(delivered.time) {
        return Ok(ControlFlow::Break(()));
    }
    let sequence = delivered.message.sequence;
    let end = Cursor::new(sequence, 0);
    let events = Kind::of(&delivered.message.subject, &shared.names).events();
    let size = delivered.headers.as_ref().and_then(|headers| headers.get(MESSAGE_SIZE));
    let size = size.and_then(|size| size.as_str().parse().ok()).unwrap_or(0);
    let size = size + headers_size(delivered.headers.as_ref());
    let is_cut = floor.lo() > 0 && sequence == floor.hi() + 1;
    let is_older = delivered.time < excess.before;
    let is_all_too_much = is_older || events <= excess.events || size <= excess.bytes;
    if end < excess.newest && (events <= 1 || is_all_too_much) && !is_cut {
        *floor = end;
        excess.without(events, size);
        return Ok(ControlFlow::Continue(()));
    }
    let Some(message) = get(shared, sequence).await? else { return Ok(ControlFlow::Continue(())) };
    for event in message.events(&shared.names) {
        if event.cursor <= *floor || look.record.hidden.contains(&event.cursor) {
            continue;
        }
        if event.cursor >= excess.newest || !excess.has(delivered.time) {
            return Ok(ControlFlow::Break(()));
        }
        *floor = event.cursor;
        excess.without(1, event.block.len() as u64);
    }
    Ok(ControlFlow::Continue(()))
}
