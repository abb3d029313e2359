use sse_core::Position;
use sse_core::store::{PageLimit, StoreError};

use crate::core::LogCore;
use crate::log_state::LogState;
use crate::position::position;
use crate::server::Lane;

/// Returns the position before the newest events that fit into the limit, or the floor if all events fit.
pub(crate) async fn before_last(core: &LogCore, limit: PageLimit) -> Result<Position, StoreError> {
    let (mut from, mut left) = ("+".to_owned(), limit);
    loop {
        let mut script = core.invoke(&core.caller.engine.scripts.before_last)?;
        script.arg(&from).arg(left.events).arg(left.bytes);
        let (state, oldest, seen, bytes, is_all): (LogState, String, usize, usize, bool) =
            core.caller.call(Lane::Small, &script).await?;
        let bounds = state.bounds()?;
        if is_all {
            return match oldest.is_empty() {
                _ if limit.events == 0 => Ok(bounds.newest),
                true => Ok(bounds.floor),
                false => Ok(position(&oldest)?.previous().max(bounds.floor)),
            };
        }
        from = format!("({oldest}");
        left.events = left.events.saturating_sub(seen);
        left.bytes = left.bytes.saturating_sub(bytes);
    }
}
