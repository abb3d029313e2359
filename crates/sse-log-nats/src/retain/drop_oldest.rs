//! Dropping the oldest events.

use std::ops::ControlFlow;
use std::time::Duration;

use sse_core::Position;
use sse_core::store::StoreError;
use tokio::time::Instant;

use crate::consumer::delivery::Delivered;
use crate::consumer::{Consumer, Content};
use crate::core::LogCore;
use crate::lookup::get;
use crate::message::{Kind, MESSAGE_SIZE, headers_size};
use crate::record::Record;
use crate::retain::excess::{Excess, newest};
use crate::retain::raise_floor_to;
use crate::view::View;

/// Number of messages in one fetch: at most at first, and at most.
const FIRST: u64 = 64;
const MOST: u64 = 8000;
/// Growth of that number after a fast fetch.
const GROWTH: u64 = 8;
/// Times of a fetch, without the round trip, below which the next has more messages, and above which it has fewer: a thousand headers take
/// longer over a slow line than a call may.
const FAST: Duration = Duration::from_millis(250);
const SLOW: Duration = Duration::from_secs(1);

/// Drops the oldest events, so many messages at a time. Returns false if another process has changed the record.
pub(super) async fn drop_oldest(
    core: &LogCore,
    view: &mut View,
    excess: &mut Excess,
) -> Result<bool, StoreError> {
    let mut floor = view.record.floor;
    let started = Instant::now();
    let mut consumer = Consumer::after(core, floor.hi(), Content::Headers).await?;
    let round_trip = started.elapsed();
    // If only ages are in question, one message shows that nothing is too old.
    let mut messages = excess.events.clamp(1, FIRST);
    let mut is_first = true;
    loop {
        let started = Instant::now();
        let fetched = consumer.fetch(messages, None).await?;
        let took = started.elapsed().saturating_sub(round_trip);
        let mut is_end = fetched.last().is_none_or(|message| message.pending == 0);
        for message in fetched {
            if std::mem::take(&mut is_first) && excess.is_over(message.message.time) {
                excess.newest = newest(core, view).await?;
            }
            let dropped = drop_message(core, &view.record, &message, excess, &mut floor).await?;
            if dropped.is_break() {
                excess.oldest = Some(message.message.time);
                is_end = true;
                break;
            }
        }
        if !raise_floor_to(core, view, floor).await? {
            return Ok(false);
        }
        if is_end {
            return Ok(true);
        }
        messages = match took {
            took if took < FAST => (messages * GROWTH).min(MOST),
            took if took > SLOW => (messages / 2).max(1),
            _ => messages,
        };
    }
}

/// Raises the floor over a message, or over as many of its events as are over the limits.
async fn drop_message(
    core: &LogCore,
    record: &Record,
    delivered: &Delivered,
    excess: &mut Excess,
    floor: &mut Position,
) -> Result<ControlFlow<()>, StoreError> {
    if !excess.is_over(delivered.message.time) {
        return Ok(ControlFlow::Break(()));
    }
    let sequence = delivered.message.sequence;
    let end = Position::new(sequence, 0);
    let events = Kind::of(&delivered.message.subject, &core.names).events();
    let size = delivered.headers.as_ref().and_then(|headers| headers.get(MESSAGE_SIZE));
    let size = size.and_then(|size| size.as_str().parse().ok()).unwrap_or(0);
    // The size of the log includes the keys and topics in subjects.
    let subject = delivered.message.subject.len().saturating_sub(core.names.single().len());
    let size = size + headers_size(delivered.headers.as_ref()) + subject as u64;
    let is_cut = floor.lo() > 0 && sequence == floor.hi() + 1;
    let is_older = delivered.message.time < excess.before;
    let is_all_too_much = is_older || events <= excess.events || size <= excess.bytes;
    if end < excess.newest && (events <= 1 || is_all_too_much) && !is_cut {
        *floor = end;
        excess.subtract(events, size);
        return Ok(ControlFlow::Continue(()));
    }
    let Some(message) = get(core, sequence).await? else { return Ok(ControlFlow::Continue(())) };
    for event in message.events(&core.names) {
        if event.position <= *floor || record.hidden.contains(&event.position) {
            continue;
        }
        if event.position >= excess.newest || !excess.is_over(delivered.message.time) {
            return Ok(ControlFlow::Break(()));
        }
        *floor = event.position;
        excess.subtract(1, event.block.len() as u64);
    }
    Ok(ControlFlow::Continue(()))
}
