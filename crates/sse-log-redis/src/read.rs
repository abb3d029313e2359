use bytes::Bytes;
use redis::{Value, from_redis_value};
use sse_core::Cursor;
use sse_core::store::{Page, PageLimit, StoreError, StoredEvent};

use crate::bounds::{State, cursor, id};
use crate::store::Shared;

pub(crate) async fn read(
    shared: &Shared,
    after: Cursor,
    limit: PageLimit,
) -> Result<Page, StoreError> {
    let script = invocation(shared, after, limit);
    page(shared.connections.call(&script).await?).map(|(page, _)| page)
}

/// The script that reads a page.
pub(crate) fn invocation(
    shared: &Shared,
    after: Cursor,
    limit: PageLimit,
) -> redis::ScriptInvocation<'_> {
    let mut script = shared.invoke(&shared.scripts.read);
    // There is nothing after the last position, and Redis would say so by an error.
    let after = after.min(Cursor::MAX.previous());
    script.arg(id(after)).arg(limit.events.max(1)).arg(limit.bytes);
    script
}

/// What it has answered, and the newest of the changes.
pub(crate) fn page(answer: (State, Vec<Value>)) -> Result<(Page, String), StoreError> {
    let (state, values) = answer;
    let mut events = Vec::with_capacity(values.len() / 3);
    let mut values = values.into_iter();
    while let (Some(id), Some(block), Some(key)) = (values.next(), values.next(), values.next()) {
        let id: String = from_redis_value(id).map_err(StoreError::failed)?;
        let block: Vec<u8> = from_redis_value(block).map_err(StoreError::failed)?;
        let key: Option<String> = from_redis_value(key).map_err(StoreError::failed)?;
        events.push(StoredEvent {
            cursor: cursor(&id)?,
            block: Bytes::from(block),
            key: key.map(Into::into),
        });
    }
    Ok((Page { bounds: state.bounds()?, events }, state.changes))
}

pub(crate) async fn before_last(shared: &Shared, count: usize) -> Result<Cursor, StoreError> {
    let mut script = shared.invoke(&shared.scripts.before_last);
    script.arg(count);
    let (state, oldest): (State, String) = shared.connections.call(&script).await?;
    let bounds = state.bounds()?;
    match oldest.is_empty() {
        true if count == 0 => Ok(bounds.newest),
        true => Ok(bounds.floor),
        false => Ok(cursor(&oldest)?.previous().max(bounds.floor)),
    }
}
