use sse_core::store::StoreError;
use sse_core::{Cursor, Epoch};

use crate::bounds::{epoch, id};
use crate::server::Lane;
use crate::store::Shared;

pub(crate) async fn finish(shared: &Shared) -> Result<(), StoreError> {
    let script = shared.invoke(&shared.route.engine.scripts.finish)?;
    shared.route.call(Lane::Small, &script).await
}

pub(crate) async fn delete(shared: &Shared, event: Cursor) -> Result<(), StoreError> {
    let mut script = shared.invoke(&shared.route.engine.scripts.delete)?;
    script.arg(id(event));
    shared.route.call(Lane::Small, &script).await
}

pub(crate) async fn begin_epoch(shared: &Shared, instead_of: Epoch) -> Result<Epoch, StoreError> {
    let mut script = shared.invoke(&shared.route.engine.scripts.begin_epoch)?;
    script.arg(instead_of.as_str());
    epoch(shared.route.call(Lane::Small, &script).await?)
}
