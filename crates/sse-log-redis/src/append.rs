use std::time::Instant;

use redis::Script;
use sse_core::Epoch;
use sse_core::store::{Appended, EncodedEvent, StoreError};

use crate::calls::Request;
use crate::core::LogCore;
use crate::position::{epoch, position};
use crate::retain::add_limits;
use crate::server::Lane;
use crate::topics;

/// The limits of one append: Redis does nothing else during it, and accepts no more in one command.
const MOST_EVENTS: usize = 100_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// The bytes above which an append uses a connection for large calls.
const LARGE: usize = 256 * 1024;

/// Stores these events by `append.lua`, which can finish the log, too.
pub(crate) async fn append(
    core: &LogCore,
    append: &Script,
    events: &[EncodedEvent],
) -> Result<Appended, StoreError> {
    let bytes: usize = events.iter().map(|event| event.block.len()).sum();
    if events.len() > MOST_EVENTS || bytes > MOST_BYTES {
        return Err(StoreError::failed(format!(
            "append of {} events and {bytes} bytes: at most {MOST_EVENTS} events and {MOST_BYTES} bytes fit into one append; divide it",
            events.len()
        )));
    }
    let (sent, epoch_to_begin) = (Instant::now(), Epoch::random()?);
    let script = |process: &str| {
        let mut script = core.invoke_in(append, &epoch_to_begin);
        add_limits(core, &mut script, &core.options.retention());
        script.arg(process);
        for event in events {
            script.arg(&event.block[..]).arg(event.key.as_deref().unwrap_or_default());
            script.arg(event.idempotency_key.as_deref().unwrap_or_default());
            script.arg(topics::lines(&event.topics));
        }
        script
    };
    let lane = if bytes > LARGE { Lane::Large } else { Lane::Small };
    let reply: Option<Vec<String>> = core.caller.call(lane, Request::OfProcess(&script)).await?;
    let mut reply = reply.ok_or(StoreError::Finished)?.into_iter();
    core.clock.wrote(sent);
    // Redis has stored the events, but an invalid reply does not show which.
    let invalid = |error| StoreError::outcome_unknown(error);
    let epoch = epoch(reply.next().unwrap_or_default()).map_err(invalid)?;
    let positions = reply.map(|id| position(&id)).collect::<Result<_, _>>().map_err(invalid)?;
    Ok(Appended { epoch, positions })
}
