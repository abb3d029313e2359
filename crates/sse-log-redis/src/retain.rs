use std::time::{Duration, Instant};

use redis::ScriptInvocation;
use sse_core::store::{Retention, StoreError};

use crate::core::LogCore;
use crate::server::Lane;

/// Drops the events that are over the limits, some per script, so that Redis runs other commands in between. Returns the time after which the
/// oldest event is too old.
pub(crate) async fn retain(
    core: &LogCore,
    retention: &Retention,
) -> Result<Option<Duration>, StoreError> {
    let mut keys_from = "0".to_owned();
    loop {
        let sent = Instant::now();
        let mut script = core.invoke(&core.caller.engine.scripts.retain)?;
        add_limits(core, &mut script, retention);
        script.arg(&keys_from);
        let (has_more, next, grows_old): (bool, String, String) =
            core.caller.call(Lane::Small, &script).await?;
        core.clock.wrote(sent);
        if !has_more && next == "0" {
            // The text is empty if no event can become too old.
            return Ok(grows_old.parse().ok().map(Duration::from_millis));
        }
        keys_from = next;
    }
}

/// Adds the arguments of a script that drops the events over the limits.
pub(crate) fn add_limits(core: &LogCore, script: &mut ScriptInvocation<'_>, retention: &Retention) {
    let age = retention.age.map(|age| age.as_millis().max(1).to_string()).unwrap_or_default();
    script.arg(core.clock.elapsed()).arg(window(core.options.idempotency_window));
    script.arg(retention.events.max(1)).arg(retention.bytes).arg(age);
}

/// Returns the window in milliseconds, at most 2^53: Lua has exact integers up to that.
fn window(window: Duration) -> u64 {
    u64::try_from(window.as_millis()).unwrap_or(u64::MAX).min(1 << 53)
}
