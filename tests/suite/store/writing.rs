//! The ways into a log over the store that are not an append that its caller awaits.

use std::time::Duration;

use sse_core::{EventLog, LogOptions, NewEvent, Position, copy};

use super::process::Process;
use super::tools::{all_after, numbers, open, soon, texts};
use crate::suite::store_engine::Engine;

/// They are stored in the order of the calls, and a receipt has the id of its event.
pub async fn takes_events_from_code_that_cannot_wait(engine: &dyn Engine) {
    let process = Process::start(engine).await;
    let log = process.log.clone();
    let appending = tokio::task::spawn_blocking(move || {
        let receipts: Vec<_> =
            (0..200).map(|n| log.append_now(n.to_string()).expect("there is room")).collect();
        receipts.into_iter().map(|receipt| receipt.wait().expect("stored")).collect::<Vec<_>>()
    });
    let ids = soon("all are stored", appending).await.expect("no panic");
    let stored = all_after(&*open(engine).await, Position::START).await;
    assert_eq!(texts(&stored), numbers(0..200));
    let epoch = process.log.epoch();
    let positions = stored.iter().map(|(position, _)| position.id(epoch)).collect::<Vec<_>>();
    assert_eq!(ids, positions);
}

/// Together they are more than any engine takes at once.
pub async fn takes_a_copy_of_a_log_of_large_events(engine: &dyn Engine) {
    let from = EventLog::in_memory(LogOptions::new().events(400));
    let events = (0..400).map(|n| NewEvent::from(format!("{n} {}", "x".repeat(50_000))));
    from.append_all(events).await.expect("in memory");
    let process = Process::start(engine).await;
    // 20 MB, synced as they come.
    let copying = tokio::time::timeout(Duration::from_secs(60), copy(&from, &process.log));
    assert_eq!(copying.await.expect("all are copied").expect("stored"), 400);
    let stored = all_after(&*open(engine).await, Position::START).await;
    let first = |(_, text): &(Position, String)| text.split(' ').next().map(str::to_owned);
    assert_eq!(stored.iter().filter_map(first).collect::<Vec<_>>(), numbers(0..400));
    assert!(stored.iter().all(|(_, text)| text.len() > 50_000));
}
