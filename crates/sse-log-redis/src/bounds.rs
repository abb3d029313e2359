use sse_core::store::{Bounds, StoreError};

use crate::core::LogCore;
use crate::log_state::LogState;
use crate::server::Lane;

pub(crate) async fn bounds(core: &LogCore) -> Result<Bounds, StoreError> {
    let script = core.invoke(&core.caller.engine.scripts.bounds)?;
    let state: LogState = core.caller.call(Lane::Small, &script).await?;
    core.page_size.note_sizes(&state);
    state.bounds()
}
