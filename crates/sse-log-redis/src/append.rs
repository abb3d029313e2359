use std::time::Instant;

use sse_core::store::{Appended, NewEvent, StoreError};

use crate::bounds::{cursor, epoch};
use crate::retain::limits;
use crate::server::Lane;
use crate::store::Shared;

/// How much may be stored at once: Redis does nothing else meanwhile, and takes no more in one command.
const MOST_EVENTS: usize = 100_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// More than this is on its way for a while.
const LARGE: usize = 256 * 1024;

pub(crate) async fn append(shared: &Shared, events: &[NewEvent]) -> Result<Appended, StoreError> {
    let bytes: usize = events.iter().map(|event| event.block.len()).sum();
    if events.len() > MOST_EVENTS || bytes > MOST_BYTES {
        return Err(StoreError::failed(format!(
            "Redis is given at most {MOST_EVENTS} events and {MOST_BYTES} bytes at once"
        )));
    }
    let sent = Instant::now();
    let mut script = shared.invoke(&shared.route.engine.scripts.append)?;
    limits(shared, &mut script, &shared.options.retention());
    for event in events {
        script.arg(&event.block[..]).arg(event.key.as_deref().unwrap_or_default());
        script.arg(event.idempotency_key.as_deref().unwrap_or_default());
    }
    let lane = if bytes > LARGE { Lane::Large } else { Lane::Small };
    let answer: Option<Vec<String>> = shared.route.call(lane, &script).await?;
    let mut answer = answer.ok_or(StoreError::Finished)?.into_iter();
    shared.clock.wrote(sent);
    // It is stored by now: an answer that is none of ours says nothing else.
    let odd = |error| StoreError::outcome_unknown(error);
    let epoch = epoch(answer.next().unwrap_or_default()).map_err(odd)?;
    let cursors = answer.map(|id| cursor(&id)).collect::<Result<_, _>>().map_err(odd)?;
    Ok(Appended { epoch, cursors })
}
