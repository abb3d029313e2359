//! The events that may have been removed while a copy of them was on its way. The record hides an event only until its message is removed, and
//! over a slow line a copy can be on its way for longer. Such a copy would look like an event that was there after its deletion and was lost since.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use sse_core::Position;
use sse_core::store::{StoreError, StoredEvent};

use crate::bounds::load_view;
use crate::core::LogCore;
use crate::lookup::get;
use crate::position::sequence_of;
use crate::record::{MOST_HIDDEN, Notified};
use crate::view::View;

/// Largest number of remembered positions: the highest are kept.
const MOST: usize = 2 * MOST_HIDDEN;

/// The positions that any notified record has hidden.
#[derive(Debug, Default)]
pub(crate) struct Removed(Mutex<BTreeSet<Position>>);

impl Removed {
    /// Remembers the events that this record hides. The server may have refused the record.
    pub(crate) fn remember(&self, record: Notified) {
        let mut removed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        removed.extend(record.hidden);
        if let Some(surplus) = removed.len().checked_sub(MOST) {
            let first = removed.iter().nth(surplus).copied();
            *removed = first.map(|first| removed.split_off(&first)).unwrap_or_default();
        }
        // Nobody gets the events that were dropped.
        if removed.first().is_some_and(|first| *first <= record.floor) {
            removed.retain(|position| *position > record.floor);
        }
    }

    fn may_be(&self, position: Position) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&position)
    }
}

/// Returns the events that were there when this view was loaded: neither hidden nor removed. If an event was removed, the view is loaded again, so that
/// it counts the deletion.
pub(crate) async fn without_deleted(
    core: &LogCore,
    view: &mut View,
    mut events: Vec<StoredEvent>,
) -> Result<Vec<StoredEvent>, StoreError> {
    loop {
        events.retain(|event| !view.record.hidden.contains(&event.position));
        let count = events.len();
        events = without_removed(core, events).await?;
        if events.len() == count {
            return Ok(events);
        }
        let epoch = view.bounds.epoch;
        *view = load_view(core).await?;
        if view.bounds.epoch != epoch {
            return Err(StoreError::failed("an epoch began while events were read; read again"));
        }
    }
}

/// Looks up each event that was hidden once.
async fn without_removed(
    core: &LogCore,
    mut events: Vec<StoredEvent>,
) -> Result<Vec<StoredEvent>, StoreError> {
    // The notifications of all changes before the view have come.
    core.requests.engine.changes.catch_up();
    let mut removed = BTreeSet::new();
    for event in events.iter().filter(|event| core.changes.removed.may_be(event.position)) {
        if get(core, sequence_of(event.position)).await?.is_none() {
            removed.insert(event.position);
        }
    }
    events.retain(|event| !removed.contains(&event.position));
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_many_removed_events_are_remembered_until_they_are_dropped() {
        let removed = Removed::default();
        let hides = |hidden: std::ops::RangeInclusive<u64>, floor| {
            let hidden = hidden.map(|sequence| Position::new(sequence, 0)).collect();
            removed.remember(Notified { hidden, floor: Position::new(floor, 0) });
        };
        let may_be = |sequence| removed.may_be(Position::new(sequence, 0));
        hides(2..=2, 0);
        hides(4..=3 + MOST as u64, 0);
        assert!(!may_be(2) && may_be(4) && may_be(3 + MOST as u64));
        hides(5..=5, 4);
        assert!(!may_be(4) && may_be(5));
    }
}
