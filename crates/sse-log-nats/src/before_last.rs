use std::collections::VecDeque;

use sse_core::Position;
use sse_core::store::{PageLimit, StoreError};

use crate::bounds::load_view_counting;
use crate::consumer::delivery::Delivered;
use crate::consumer::{Consumer, Content};
use crate::core::LogCore;
use crate::lookup::get;
use crate::message::{Kind, MESSAGE_SIZE};
use crate::view::View;

/// Number of messages in one fetch.
const AT_A_TIME: u64 = 1000;

/// Returns the position before the newest events that fit into this limit.
pub(crate) async fn before_last(core: &LogCore, limit: PageLimit) -> Result<Position, StoreError> {
    let view = load_view_counting(core, Some(core.names.multiple())).await?;
    let (floor, count) = (view.bounds.floor, limit.events as u64);
    if count == 0 {
        return Ok(view.bounds.newest);
    }
    let state = &view.info.state;
    if state.bytes <= limit.bytes as u64 {
        if view.events(&core.names) <= count {
            return Ok(floor);
        }
        let has_batches = state.subjects.iter().flatten().next().is_some();
        if view.is_dense() && !has_batches && view.record.hidden.is_empty() && floor.lo() == 0 {
            // Each message is one event, or is not from this crate.
            return Ok(Position::new(state.last_seq - count, 0).max(floor));
        }
    }
    let mut messages = count;
    loop {
        let begin = begin_of_last(core, &view, messages).await?;
        if let Some(position) = within(core, &view, begin, limit).await? {
            return Ok(position.max(floor));
        }
        if begin <= floor.hi() {
            return Ok(floor);
        }
        // Some of these messages have no events any more.
        messages = messages.saturating_mul(2);
    }
}

/// Returns the largest sequence that has at least so many messages after it, but no lower than the floor.
async fn begin_of_last(core: &LogCore, view: &View, messages: u64) -> Result<u64, StoreError> {
    let state = &view.info.state;
    let (lowest, last) = (view.bounds.floor.hi(), state.last_seq);
    let highest = last.saturating_sub(messages).max(lowest);
    if last - state.first_seq.min(last) + 1 == state.messages {
        // No message is missing.
        return Ok(highest);
    }
    let (mut enough, mut too_high) = (lowest, highest + 1);
    while too_high - enough > 1 {
        let middle = enough + (too_high - enough) / 2;
        let consumer = Consumer::after(core, middle, Content::Headers).await?;
        if consumer.pending >= messages { enough = middle } else { too_high = middle }
    }
    Ok(enough)
}

/// Returns the position before the last events after this message, or `None` if all of them fit.
async fn within(
    core: &LogCore,
    view: &View,
    begin: u64,
    limit: PageLimit,
) -> Result<Option<Position>, StoreError> {
    let count = limit.events as u64;
    let mut consumer = Consumer::after(core, begin, Content::Headers).await?;
    // The newest messages that together have `count` events (sequence, events, bytes), and the number of their events.
    let (mut newest, mut events) = (VecDeque::new(), 0);
    loop {
        let delivered = consumer.fetch(AT_A_TIME, None).await?;
        let is_end = delivered.last().is_none_or(|delivered| delivered.pending == 0);
        for delivered in delivered {
            let sequence = delivered.message.sequence;
            let floor = view.bounds.floor;
            let of_it = if floor.lo() > 0 && sequence == floor.hi() + 1 {
                kept(core, view, sequence).await?.len() as u64
            } else {
                let hidden = Position::new(sequence - 1, 1)..=Position::new(sequence, 0);
                let hidden = view.record.hidden.range(hidden).count() as u64;
                let of_it = Kind::of(&delivered.message.subject, &core.names).events();
                of_it.saturating_sub(hidden)
            };
            events = u64::saturating_add(events, of_it);
            newest.push_back((sequence, of_it, payload_size(&delivered)));
            while let Some((_, of_first, _)) =
                newest.front().filter(|(_, of, _)| events - of >= count)
            {
                events -= of_first;
                newest.pop_front();
            }
        }
        if is_end {
            break;
        }
    }
    let by_bytes = before_bytes(core, view, &newest, limit.bytes).await?;
    let Some((sequence, _, _)) = newest.front().filter(|_| events >= count) else {
        return Ok(by_bytes);
    };
    let surplus = (events - count) as usize;
    let by_events = match surplus.checked_sub(1) {
        None => Some(Position::new(sequence - 1, 0)),
        Some(last) => kept(core, view, *sequence).await?.get(last).map(|(position, _)| *position),
    };
    Ok(by_events.max(by_bytes))
}

/// Returns the position of the newest event that, with all events after it, exceeds so many bytes. The newest event always fits.
async fn before_bytes(
    core: &LogCore,
    view: &View,
    messages: &VecDeque<(u64, u64, usize)>,
    limit: usize,
) -> Result<Option<Position>, StoreError> {
    let (mut bytes, mut is_newest) = (0, true);
    for (sequence, _, size) in messages.iter().rev().filter(|(_, events, _)| *events > 0) {
        if usize::saturating_add(bytes, *size) <= limit {
            (bytes, is_newest) = (bytes + size, false);
            continue;
        }
        // Some events of this message may fit.
        for (position, size) in kept(core, view, *sequence).await?.into_iter().rev() {
            bytes = bytes.saturating_add(size);
            if bytes > limit && !is_newest {
                return Ok(Some(position));
            }
            is_newest = false;
        }
    }
    Ok(None)
}

/// Returns the size of the payload of a message that came without its payload.
fn payload_size(delivered: &Delivered) -> usize {
    let header = delivered.headers.as_ref().and_then(|headers| headers.get(MESSAGE_SIZE));
    header.and_then(|size| size.as_str().parse().ok()).unwrap_or_default()
}

/// Returns the events that a message still has, and their sizes in bytes.
async fn kept(
    core: &LogCore,
    view: &View,
    sequence: u64,
) -> Result<Vec<(Position, usize)>, StoreError> {
    let message = get(core, sequence).await?;
    let events = message.map(|message| message.events(&core.names)).unwrap_or_default();
    let events = events.into_iter().map(|event| (event.position, event.block.len()));
    let is_kept = |(position, _): &(Position, usize)| {
        *position > view.bounds.floor && !view.record.hidden.contains(position)
    };
    Ok(events.filter(is_kept).collect())
}
