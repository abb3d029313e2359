//! Storing the events of [`append_now`](crate::EventLog::append_now).

use crate::log::follower::shared::{Follow, Unused};
use crate::log::options::StoreOptions;
use crate::log::queue::Queue;
use crate::log::store_events::{Then, append_to, ids, size_of};

/// Stores the waiting events, in their order.
pub(crate) async fn run(
    follow: &Follow,
    queue: &Queue,
    options: &StoreOptions,
) -> Result<(), Unused> {
    loop {
        let (events, told) = queue.next().await;
        let (deletions, begun) = (follow.log()?.deletions(), follow.timer.now());
        let (store, then) = (&*follow.store, Then::Continues);
        let stored = append_to(store, &follow.timer, options, &events, then).await;
        if let Ok(log) = follow.log() {
            log.note_append(&stored, begun);
        }
        match stored {
            Ok(appended) => {
                if let Ok(log) = follow.log() {
                    log.acknowledge(&events, &appended, deletions);
                    log.tell_of_appended(Some(size_of(&events)));
                }
                told.iter().zip(ids(&appended)).for_each(|(told, id)| drop(told.try_send(Ok(id))));
            }
            Err(error) => {
                // Each receipt gets the error.
                told.iter().for_each(|told| drop(told.try_send(Err(error.clone()))));
            }
        }
    }
}
