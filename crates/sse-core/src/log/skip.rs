//! The position after the first events of a log in a store, for clients that count the events that they have.

use std::time::Duration;

use crate::log::backlog::{AT_ONCE, Keyless, Skipped};
use crate::log::retry::within;
use crate::store::{Bounds, PageLimit, Store, StoreError, TopicFilter};
use crate::{Epoch, GapReason, Position, Timer};

/// Finds the position in a store, by pages. It also returns the part that has no keys, to be remembered, and the last bounds that it saw.
pub(crate) async fn skip(
    count: usize,
    store: &dyn Store,
    filter: Option<&TopicFilter>,
    (known_epoch, mut known): (Epoch, Keyless),
    (timer, timeout): (&Timer, Duration),
) -> Result<(Skipped, Keyless, Bounds), StoreError> {
    let mut bounds = within(timer, timeout, store.bounds()).await?;
    let (epoch, end) = (bounds.epoch, bounds.newest);
    if known_epoch != epoch {
        known = Keyless::default();
    }
    let gone = |bounds: &Bounds| bounds.epoch != epoch || bounds.floor > Position::START;
    let (mut after, mut left, mut are_all_there) = (Position::START, count, filter.is_none());
    while left > 0 && !gone(&bounds) {
        let limit = PageLimit { events: left.min(AT_ONCE.events), ..AT_ONCE };
        let (page, upto) = match filter {
            Some(filter) => {
                let read = store.read_topics(after, filter, limit);
                let read = within(timer, timeout, read).await?;
                (read.page, read.upto)
            }
            None => (within(timer, timeout, store.read(after, limit)).await?, after),
        };
        bounds = page.bounds;
        left = left.saturating_sub(page.events.len());
        let mut last = after;
        for event in &page.events {
            are_all_there &= event.position == last.next();
            last = event.position;
        }
        let upto = if left == 0 { last } else { upto.max(last) };
        if left > 0 && (upto <= after || upto >= end && page.events.is_empty()) {
            let reason = match bounds.deletions {
                0 => GapReason::AheadOfHead,
                _ => GapReason::TooOld,
            };
            return Ok((Skipped::Gone(reason), known, bounds));
        }
        after = upto;
    }
    // If the numbers of the events have no holes, none is missing. Otherwise none was deleted, and none superseded, since none has a key.
    let newest = bounds.newest;
    let is_missing = |bounds: &Bounds, known: &Keyless| {
        gone(bounds) || !are_all_there && (bounds.deletions > 0 || known.has_keys)
    };
    while !are_all_there && known.upto < newest && !is_missing(&bounds, &known) {
        let page = within(timer, timeout, store.read(known.upto, AT_ONCE)).await?;
        known.has_keys = page.events.iter().any(|event| event.key.is_some());
        known.upto = page.events.last().map_or(newest, |last| last.position);
        bounds = page.bounds;
    }
    let skipped = match is_missing(&bounds, &known) {
        true => Skipped::Gone(GapReason::TooOld),
        false => Skipped::After(after),
    };
    Ok((skipped, known, bounds))
}
