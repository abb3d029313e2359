use std::time::Duration;

use sse_core::Position;
use sse_core::store::StoreError;

use crate::clock::millis_up;
use crate::core::LogCore;
use crate::log_state::LogState;
use crate::position::position;
use crate::server::Lane;

/// Returns the position of the newest event that is older than this time, or the floor if there is none.
pub(crate) async fn before_since(core: &LogCore, age: Duration) -> Result<Position, StoreError> {
    let mut script = core.invoke(&core.caller.engine.scripts.before_since)?;
    script.arg(core.clock.elapsed()).arg(millis_up(age));
    let (state, older): (LogState, String) = core.caller.call(Lane::Small, &script).await?;
    let floor = state.bounds()?.floor;
    if older.is_empty() { Ok(floor) } else { Ok(position(&older)?.max(floor)) }
}
