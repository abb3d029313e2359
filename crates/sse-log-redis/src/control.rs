use sse_core::store::StoreError;
use sse_core::{Epoch, Position};

use crate::core::LogCore;
use crate::position::{epoch, id};
use crate::server::Lane;

pub(crate) async fn finish(core: &LogCore) -> Result<(), StoreError> {
    let script = core.invoke(&core.caller.engine.scripts.finish)?;
    core.caller.call(Lane::Small, &script).await
}

pub(crate) async fn delete(core: &LogCore, event: Position) -> Result<(), StoreError> {
    let mut script = core.invoke(&core.caller.engine.scripts.delete)?;
    script.arg(id(event));
    core.caller.call(Lane::Small, &script).await
}

pub(crate) async fn begin_epoch(core: &LogCore, instead_of: Epoch) -> Result<Epoch, StoreError> {
    let mut script = core.invoke(&core.caller.engine.scripts.begin_epoch)?;
    script.arg(instead_of.as_str());
    epoch(core.caller.call(Lane::Small, &script).await?)
}
