//! Storing events, with further attempts if they cannot store an event twice.

use crate::log::options::StoreOptions;
use crate::log::retry::{Backoff, within};
use crate::store::{Appended, EncodedEvent, Store, StoreError};
use crate::{Error, EventId, Timer};

/// The log after an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It takes further events.
    Continues,
    /// It is finished: the newest of these events is the last.
    IsFinished,
}

/// Stores events. If an attempt fails, and another cannot store an event twice, tries again for
/// [`store_wait`](StoreOptions::store_wait).
pub(crate) async fn append_to(
    store: &dyn Store,
    timer: &Timer,
    options: &StoreOptions,
    events: &[EncodedEvent],
    then: Then,
) -> Result<Appended, Error> {
    let is_repeatable = events.iter().all(|event| event.idempotency_key.is_some());
    let (begun, mut backoff, mut may_have_happened) = (timer.now(), Backoff::new(), false);
    loop {
        let call = match then {
            Then::Continues => store.append(events),
            Then::IsFinished => store.finish_with(events),
        };
        let error = match within(timer, options.store_timeout, call).await {
            Ok(appended) => return Ok(appended),
            Err(StoreError::Finished) if !may_have_happened => return Err(Error::finished()),
            Err(error) => error,
        };
        may_have_happened |= matches!(error, StoreError::OutcomeUnknown(_));
        let is_final = matches!(error, StoreError::Finished);
        let may_repeat = !is_final && (is_repeatable || !may_have_happened);
        if !may_repeat || timer.now().saturating_duration_since(begun) >= options.store_wait {
            return Err(Error::store(store.label(), "appending", error, may_have_happened));
        }
        backoff.wait(timer).await;
    }
}

/// Returns the ids of events that were stored.
pub(crate) fn ids(appended: &Appended) -> impl Iterator<Item = EventId> + '_ {
    appended.positions.iter().map(|position| position.id(appended.epoch))
}

/// Returns the number of these events, and their bytes.
pub(crate) fn size_of(events: &[EncodedEvent]) -> (usize, usize) {
    (events.len(), events.iter().map(|event| event.block.len()).sum())
}
