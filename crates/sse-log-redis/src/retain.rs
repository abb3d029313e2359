use sse_core::store::{Retention, StoreError};

use crate::store::Shared;

/// Lets go of some at a time, so that Redis does other things in between.
pub(crate) async fn retain(shared: &Shared, retention: &Retention) -> Result<(), StoreError> {
    let age = retention.age.map(|age| age.as_millis().to_string()).unwrap_or_default();
    let mut keys_from = "0".to_owned();
    loop {
        let mut script = shared.invoke(&shared.scripts.retain)?;
        script.arg(retention.events.max(1)).arg(retention.bytes).arg(&age).arg(&keys_from);
        let (has_more, at): (bool, String) = shared.connections.call(&script).await?;
        if !has_more && at == "0" {
            return Ok(());
        }
        keys_from = at;
    }
}
