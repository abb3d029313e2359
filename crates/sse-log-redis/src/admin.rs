use sse_core::store::StoreError;
use sse_core::{Cursor, Epoch};

use crate::bounds::{epoch, id};
use crate::store::Shared;

pub(crate) async fn finish(shared: &Shared) -> Result<(), StoreError> {
    shared.connections.call(&shared.invoke(&shared.scripts.finish)?).await
}

pub(crate) async fn delete(shared: &Shared, event: Cursor) -> Result<(), StoreError> {
    let mut script = shared.invoke(&shared.scripts.delete)?;
    script.arg(id(event));
    shared.connections.call(&script).await
}

pub(crate) async fn begin_epoch(shared: &Shared, instead_of: Epoch) -> Result<Epoch, StoreError> {
    let mut script = shared.invoke(&shared.scripts.begin_epoch)?;
    script.arg(instead_of.as_str());
    epoch(shared.connections.call(&script).await?)
}
