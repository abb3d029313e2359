use std::collections::VecDeque;

use sse_core::Cursor;
use sse_core::store::StoreError;

use crate::bounds::{Look, look_at};
use crate::consumer::{Consumer, Content};
use crate::get::get;
use crate::message::Kind;
use crate::store::Shared;

/// How many messages are looked at a time.
const AT_A_TIME: u64 = 1000;

/// The position after which there are just so many events.
pub(crate) async fn before_last(shared: &Shared, count: usize) -> Result<Cursor, StoreError> {
    let look = look_at(shared, Some(shared.names.multiple())).await?;
    let (floor, count) = (look.bounds.floor, count as u64);
    if count == 0 {
        return Ok(look.bounds.newest);
    }
    let state = &look.info.state;
    if look.events(&shared.names) <= count {
        return Ok(floor);
    }
    let is_plain = look.is_dense()
        && state.subjects.iter().flatten().next().is_none()
        && look.record.hidden.is_empty();
    if is_plain && floor.lo() == 0 {
        // Each message is one event, or is none of ours.
        return Ok(Cursor::new(state.last_seq - count, 0).max(floor));
    }
    let mut messages = count;
    loop {
        let begin = begin_of_last(shared, &look, messages).await?;
        if let Some(cursor) = within(shared, &look, begin, count).await? {
            return Ok(cursor.max(floor));
        }
        if begin <= floor.hi() {
            return Ok(floor);
        }
        // Some of the messages have no event any more.
        messages = messages.saturating_mul(2);
    }
}

/// The largest sequence after which there are at least so many messages, down to the floor.
async fn begin_of_last(shared: &Shared, look: &Look, messages: u64) -> Result<u64, StoreError> {
    let state = &look.info.state;
    let (lowest, last) = (look.bounds.floor.hi(), state.last_seq);
    let highest = last.saturating_sub(messages).max(lowest);
    if last - state.first_seq.min(last) + 1 == state.messages {
        // None is missing.
        return Ok(highest);
    }
    let (mut enough, mut too_high) = (lowest, highest + 1);
    while too_high - enough > 1 {
        let middle = enough + (too_high - enough) / 2;
        let consumer = Consumer::after(shared, middle, Content::Headers).await?;
        if consumer.pending >= messages { enough = middle } else { too_high = middle }
    }
    Ok(enough)
}

/// The position before the last events of those after this message, if there are so many.
async fn within(
    shared: &Shared,
    look: &Look,
    begin: u64,
    count: u64,
) -> Result<Option<Cursor>, StoreError> {
    let mut consumer = Consumer::after(shared, begin, Content::Headers).await?;
    // The newest messages that have as many events, and how many that are.
    let (mut newest, mut events) = (VecDeque::new(), 0);
    loop {
        let delivered = consumer.fetch(AT_A_TIME, None).await?;
        let is_end = delivered.last().is_none_or(|delivered| delivered.pending == 0);
        for delivered in delivered {
            let sequence = delivered.message.sequence;
            let floor = look.bounds.floor;
            let of_it = if floor.lo() > 0 && sequence == floor.hi() + 1 {
                kept(shared, look, sequence).await?.len() as u64
            } else {
                let hidden = Cursor::new(sequence - 1, 1)..=Cursor::new(sequence, 0);
                let hidden = look.record.hidden.range(hidden).count() as u64;
                let of_it = Kind::of(&delivered.message.subject, &shared.names).events();
                of_it.saturating_sub(hidden)
            };
            events = u64::saturating_add(events, of_it);
            newest.push_back((sequence, of_it));
            while let Some((_, of_first)) = newest.front().filter(|(_, of)| events - of >= count) {
                events -= of_first;
                newest.pop_front();
            }
        }
        if is_end {
            break;
        }
    }
    let Some((sequence, _)) = newest.front().filter(|_| events >= count) else { return Ok(None) };
    let surplus = (events - count) as usize;
    if surplus == 0 {
        return Ok(Some(Cursor::new(sequence - 1, 0)));
    }
    Ok(kept(shared, look, *sequence).await?.get(surplus - 1).copied())
}

/// The events of a message that are there still.
async fn kept(shared: &Shared, look: &Look, sequence: u64) -> Result<Vec<Cursor>, StoreError> {
    let message = get(shared, sequence).await?;
    let events = message.map(|message| message.events(&shared.names)).unwrap_or_default();
    let is_kept =
        |cursor: &Cursor| *cursor > look.bounds.floor && !look.record.hidden.contains(cursor);
    Ok(events.into_iter().map(|event| event.cursor).filter(is_kept).collect())
}
