//! The oldest event of a log.

use std::sync::PoisonError;

use sse_core::Cursor;
use sse_core::store::StoreError;

use crate::api::Info;
use crate::get::next_event;
use crate::record::Record;
use crate::store::Shared;

/// How many messages whose events are all gone are passed over to find the oldest.
const PASSED_OVER: usize = 100;

/// The oldest event, for as long as these are what they were. Where there is none, one may come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oldest {
    of: (u64, Cursor, u64),
    newest: u64,
    cursor: Option<Cursor>,
}

/// The oldest event that is kept. A batch may begin with some that are not.
pub(crate) async fn oldest(
    shared: &Shared,
    info: &Info,
    record: &Record,
    floor: Cursor,
) -> Result<Option<Cursor>, StoreError> {
    if info.state.messages == 0 {
        return Ok(None);
    }
    let of = (info.state.first_seq, floor, record.deletions);
    let newest = info.state.last_seq;
    let known = *shared.oldest.lock().unwrap_or_else(PoisonError::into_inner);
    let holds =
        |known: &Oldest| known.of == of && (known.cursor.is_some() || known.newest == newest);
    if let Some(known) = known.filter(holds) {
        return Ok(known.cursor);
    }
    let mut sequence = info.state.first_seq.max(floor.hi() + 1);
    let mut cursor = None;
    for _ in 0..PASSED_OVER {
        let Some(message) = next_event(shared, sequence).await? else { break };
        sequence = message.sequence + 1;
        let is_kept = |cursor: &Cursor| *cursor > floor && !record.hidden.contains(cursor);
        cursor = message.events(&shared.names).iter().map(|event| event.cursor).find(is_kept);
        if cursor.is_some() {
            break;
        }
    }
    *shared.oldest.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(Oldest { of, newest, cursor });
    Ok(cursor)
}
