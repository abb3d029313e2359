//! The last events and the end of a log are one step.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures_util::future::join_all;
use sse_core::store::{Store, StoreError};
use sse_core::{Position, StoreOptions};
use sse_test_kit::eventually::eventually;
use sse_test_kit::waiting::PATIENCE;

use super::tools::{all_after, bounds, event, soon, texts};
use crate::suite::store_engine::Engine;

const WRITERS: usize = 4;
const ROUNDS: usize = 5;

/// Others append all the time. What is acknowledged comes before the last events.
pub async fn takes_no_event_between_its_last_events_and_the_end(engine: &dyn Engine) {
    for round in 0..ROUNDS {
        let name = format!("round-{round}");
        let open = || async {
            let open = engine.open(&name, StoreOptions::default());
            soon("the store is open", open).await.expect("the engine runs")
        };
        let (store, count) = (open().await, Arc::new(AtomicUsize::new(0)));
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let (store, count) = (open().await, Arc::clone(&count));
            writers.push(tokio::spawn(async move { write_to_the_end(&*store, &count).await }));
        }
        let all_write = || count.load(SeqCst) >= 5 * WRITERS;
        eventually(PATIENCE, "each has appended", all_write).await;
        let last = [event("last but one"), event("last")];
        let ended = soon("it is finished", store.finish_with(&last)).await.expect("stored");
        let written = soon("all are refused", join_all(writers)).await;
        let bounds = bounds(&*store).await;
        assert_eq!((Some(&bounds.newest), bounds.is_finished), (ended.positions.last(), true));
        for last in written {
            assert!(last.expect("it wrote") < ended.positions[0]);
        }
        let all = all_after(&*store, Position::START).await;
        assert_eq!(texts(&all)[all.len() - 2..], ["last but one", "last"]);
        assert_eq!(all.len(), count.load(SeqCst) + 2);
    }
}

/// Appends until the log is finished. Returns the position of the newest event.
async fn write_to_the_end(store: &dyn Store, count: &AtomicUsize) -> Position {
    let mut newest = Position::START;
    loop {
        match store.append(&[event("one of many")]).await {
            Ok(appended) => newest = appended.positions[0],
            Err(StoreError::Finished) => return newest,
            Err(error) => panic!("{error:?}"),
        }
        count.fetch_add(1, SeqCst);
    }
}
