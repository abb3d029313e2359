use std::time::{Duration, Instant};

use redis::ScriptInvocation;
use sse_core::store::{Retention, StoreError};

use crate::server::Lane;
use crate::store::Shared;

/// Drops some events at a time, so that Redis does other things in between.
pub(crate) async fn retain(shared: &Shared, retention: &Retention) -> Result<(), StoreError> {
    let mut keys_from = "0".to_owned();
    loop {
        let sent = Instant::now();
        let mut script = shared.invoke(&shared.route.engine.scripts.retain)?;
        limits(shared, &mut script, retention);
        script.arg(&keys_from);
        let (has_more, at): (bool, String) = shared.route.call(Lane::Small, &script).await?;
        shared.clock.wrote(sent);
        if !has_more && at == "0" {
            return Ok(());
        }
        keys_from = at;
    }
}

/// The arguments of a script that drops what is over the limits.
pub(crate) fn limits(shared: &Shared, script: &mut ScriptInvocation<'_>, retention: &Retention) {
    let age = retention.age.map(|age| age.as_millis().max(1).to_string()).unwrap_or_default();
    script.arg(shared.clock.elapsed()).arg(window(shared.options.idempotency_window));
    script.arg(retention.events.max(1)).arg(retention.bytes).arg(age);
}

/// Lua reckons with whole numbers up to 2^53.
fn window(window: Duration) -> u64 {
    u64::try_from(window.as_millis()).unwrap_or(u64::MAX).min(1 << 53)
}
