use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use sse_core::Cursor;
use sse_core::store::{Retention, StoreError};

use crate::bounds::{Look, look_at};
use crate::consumer::{Consumer, Content, Delivered};
use crate::message::{Kind, MESSAGE_SIZE, headers_size};
use crate::purge::purge;
use crate::read::{FORGOTTEN_AFTER, get};
use crate::record;
use crate::store::Shared;

/// How many messages are looked at a time.
const AT_A_TIME: u64 = 1000;
/// What the server counts for a message besides its subject, headers and payload.
const FRAME: u64 = 30;

/// How much there is too much.
#[derive(Debug)]
struct Excess {
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
    let mut excess = excess(shared, &look, retention).await?;
    if !excess.has(u64::MAX) && excess.before == 0 {
        return Ok(());
    }
    let floor = oldest_kept(shared, &look, &mut excess).await?;
    if floor <= look.record.floor {
        return Ok(());
    }
    record::change(shared, |record| {
        let rises = record.epoch == look.record.epoch && floor > record.floor;
        if rises {
            record.floor = floor;
            record.hidden.retain(|hidden| *hidden > floor);
        }
        Ok(rises)
    })
    .await?;
    purge(shared, &look.info, floor).await
}

/// By how much the log is over its limits.
async fn excess(shared: &Shared, look: &Look, retention: &Retention) -> Result<Excess, StoreError> {
    let state = &look.info.state;
    let mut events = state.messages;
    for (subject, messages) in state.subjects.iter().flatten() {
        events = events + messages * Kind::of(subject, &shared.names).events() - messages;
    }
    let frame = FRAME + shared.names.single().len() as u64;
    let mut bytes = state.bytes.saturating_sub(state.messages * frame);
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
    let hidden = look.record.hidden.len() as u64;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let before = retention.age.map(|age| now.saturating_sub(age).as_nanos() as u64);
    Ok(Excess {
        events: events.saturating_sub(hidden).saturating_sub(retention.events as u64),
        bytes: bytes.saturating_sub(retention.bytes as u64),
        before: before.unwrap_or(0),
    })
}

/// The position before the oldest event that is within the limits; the newest is.
async fn oldest_kept(
    shared: &Shared,
    look: &Look,
    excess: &mut Excess,
) -> Result<Cursor, StoreError> {
    let mut floor = look.record.floor;
    let consumer = Consumer::after(shared, floor.hi(), Content::Headers, FORGOTTEN_AFTER).await?;
    'all: loop {
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
    if end < look.bounds.newest && (events <= 1 || is_all_too_much) && !is_cut {
        *floor = end;
        excess.without(events, size);
        return Ok(ControlFlow::Continue(()));
    }
    let Some(message) = get(shared, sequence).await? else { return Ok(ControlFlow::Continue(())) };
    for event in message.events(&shared.names) {
        if event.cursor <= *floor || look.record.hidden.contains(&event.cursor) {
            continue;
        }
        if event.cursor >= look.bounds.newest || !excess.has(delivered.time) {
            return Ok(ControlFlow::Break(()));
        }
        *floor = event.cursor;
        excess.without(1, event.block.len() as u64);
    }
    Ok(ControlFlow::Continue(()))
}
