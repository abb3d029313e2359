use std::time::Duration;

use sse_core::Position;
use sse_core::store::StoreError;

use crate::bounds::load_view;
use crate::clock;
use crate::consumer::Consumer;
use crate::consumer::begin::Begin;
use crate::core::LogCore;

/// Returns the position before the oldest message that was stored within this time. The server finds it, by the times of its messages.
pub(crate) async fn before_since(core: &LogCore, age: Duration) -> Result<Position, StoreError> {
    let view = load_view(core).await?;
    let reported = view.info.ts.as_deref().and_then(clock::parse);
    let now = reported.map(|reported| core.requests.engine.clock.now(reported));
    // If the server does not tell its time, no event is too old, as for retention.
    let since = now.and_then(|now| clock::format(now.checked_sub(age)?));
    let Some(since) = since else {
        return Ok(view.bounds.floor);
    };
    let before = Consumer::at(core, Begin::Since(since)).await?.before;
    Ok(Position::new(before, 0).max(view.bounds.floor))
}
