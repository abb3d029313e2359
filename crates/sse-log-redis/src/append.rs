use std::time::Duration;

use sse_core::store::{Appended, NewEvent, StoreError};

use crate::bounds::{cursor, epoch};
use crate::store::Shared;

/// How much may be stored at once: Redis does nothing else meanwhile, and takes no more in one command.
const MOST_EVENTS: usize = 100_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// Redis takes no longer ones, and none of 0.
const WINDOW: (Duration, Duration) =
    (Duration::from_millis(1), Duration::from_secs(10 * 365 * 24 * 60 * 60));
/// The keys of the log itself.
const KEYS: usize = 4;

pub(crate) async fn append(shared: &Shared, events: &[NewEvent]) -> Result<Appended, StoreError> {
    let bytes: usize = events.iter().map(|event| event.block.len()).sum();
    if events.len() > MOST_EVENTS || bytes > MOST_BYTES {
        return Err(StoreError::failed(format!(
            "Redis is given at most {MOST_EVENTS} events and {MOST_BYTES} bytes at once"
        )));
    }
    let mut script = shared.invoke(&shared.scripts.append)?;
    let window = shared.idempotency_window.clamp(WINDOW.0, WINDOW.1);
    script.arg(window.as_millis() as u64);
    let mut keys = KEYS;
    for event in events {
        let at = match &event.idempotency_key {
            Some(key) => {
                script.key(shared.keys.once(key));
                keys += 1;
                keys
            }
            None => 0,
        };
        script.arg(&event.block[..]).arg(event.key.as_deref().unwrap_or_default()).arg(at);
    }
    let answer: Option<Vec<String>> = shared.connections.call(&script).await?;
    let mut answer = answer.ok_or(StoreError::Finished)?.into_iter();
    // It is stored by now: an answer that is none of ours says nothing else.
    let odd = |error| StoreError::outcome_unknown(error);
    let epoch = epoch(answer.next().unwrap_or_default()).map_err(odd)?;
    let cursors = answer.map(|id| cursor(&id)).collect::<Result<_, _>>().map_err(odd)?;
    Ok(Appended { epoch, cursors })
}
