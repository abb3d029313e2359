//! Publication of one message into the stream of a log.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use sse_core::store::StoreError;
use tokio::time::{Instant, sleep};

use crate::batch_codec::{self, Part};
use crate::bounds::load_view;
use crate::core::LogCore;
use crate::error::{Failure, code, has_no_responders, parse_answer};
use crate::jetstream::Ack;
use crate::names::Batch;

/// Number of keys that are cleared at a time.
const AT_A_TIME: usize = 16;
/// Time to wait for a message of the same id that is being stored, and interval of the requests.
const PATIENCE: Duration = Duration::from_secs(1);
const RETRY_EVERY: Duration = Duration::from_millis(20);

/// Publishes a message into the stream. If there is no stream, it is created first.
pub(crate) async fn publish(
    core: &LogCore,
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<Ack, StoreError> {
    let started = Instant::now();
    loop {
        match attempt(core, &subject, &headers, &payload).await? {
            Ok(ack) if ack.stream != core.names.stream => {
                let (own, other) = (&core.names.stream, &ack.stream);
                let error = format!(
                    "append went to the stream {other}, not to {own}: remove the subjects of the log from {other}"
                );
                return Err(StoreError::outcome_unknown(error));
            }
            Ok(ack) if !ack.is_in_process() => return Ok(ack),
            Err(failure) if !failure.is(code::ID_IN_PROCESS) => return Err(failure.into()),
            Ok(_) | Err(_) if started.elapsed() < PATIENCE => sleep(RETRY_EVERY).await,
            Ok(_) | Err(_) => {
                let error = "append timed out: a message of the same id was not stored within 1 s; try again";
                return Err(StoreError::outcome_unknown(error));
            }
        }
    }
}

async fn attempt(
    core: &LogCore,
    subject: &str,
    headers: &HeaderMap,
    payload: &Bytes,
) -> Result<Result<Ack, Failure>, StoreError> {
    let send = || core.requests.request(subject.to_owned(), headers.clone(), payload.clone());
    let (started, mut message) = (Instant::now(), send().await);
    while has_no_responders(&message) && started.elapsed() < PATIENCE {
        // If another process creates the stream, it may exist and not take messages yet.
        if load_view(core).await?.bounds.is_finished {
            return Err(StoreError::Finished);
        }
        message = send().await;
        if has_no_responders(&message) {
            sleep(RETRY_EVERY).await;
        }
    }
    let answer = parse_answer::<Ack>(&message?.payload);
    if answer.as_ref().is_err_and(|failure| failure.is(code::TOO_LARGE_FOR_STREAM))
        && load_view(core).await.is_ok_and(|view| view.bounds.is_finished)
    {
        return Err(StoreError::Finished);
    }
    Ok(answer)
}

/// Stores a batch, and removes the events that it supersedes.
pub(crate) async fn publish_batch(
    core: &LogCore,
    batch: Batch,
    parts: &[Part],
    headers: HeaderMap,
) -> Result<Ack, StoreError> {
    let subject = core.names.batch(batch, parts.len());
    let ack = publish(core, subject, headers, batch_codec::encode(parts)).await?;
    if !ack.duplicate {
        let keys: HashSet<&str> = parts.iter().filter_map(|part| part.key.as_deref()).collect();
        // Owned, or the future would not be `Send`.
        let subjects: Vec<_> = keys.into_iter().map(|key| core.names.keyed(key)).collect();
        let clearings = subjects.into_iter().map(|subject| clear(core, subject, ack.seq));
        stream::iter(clearings).buffer_unordered(AT_A_TIME).for_each(|()| async {}).await;
    }
    Ok(ack)
}

/// Removes the events of a key that are older than this message. If that fails they stay: readers still get the newest last.
async fn clear(core: &LogCore, subject: String, before: u64) {
    let stream = &core.names.stream;
    let request = json!({ "filter": subject, "seq": before });
    let purged = core.requests.api::<Value>(&format!("STREAM.PURGE.{stream}"), &request).await;
    if let Err(failure) = purged {
        let error = StoreError::from(failure);
        tracing::debug!(
            ?error,
            "removing superseded events failed: readers still get the newest last"
        );
    }
}
