//! A log refuses invalid events, and returns errors that say why.

use sse_core::{Event, EventLog, LogOptions, NewEvent, OnGap, Snapshot};

use crate::support::poller::{Poller, append};

#[tokio::test(start_paused = true)]
async fn an_event_encoded_for_other_logs_is_refused_if_it_is_too_large() {
    let log = EventLog::in_memory(LogOptions::new().largest_event(10));
    let event = NewEvent::from("x".repeat(1000)).encoded(usize::MAX).expect("it is not too large");
    assert!(log.append(event).await.expect_err("of 1007 bytes").is_too_large());
}

/// A finished log, a gap, a snapshot without events: asked for ever, never a 204.
#[tokio::test(start_paused = true)]
async fn a_snapshot_without_events_moves_its_client() {
    let log = EventLog::in_memory(10);
    append(&log, "1").await;
    log.finish().await.expect("it works");
    let head = log.clone();
    let feed = || {
        let at = head.stats().newest;
        log.feed().on_gap(OnGap::snapshot(move |_| {
            let at = at.clone();
            async { Ok(Snapshot::new([] as [Event; 0], at)) }
        }))
    };
    let mut id = "strange".to_owned();
    for _ in 0..5 {
        let mut client = Poller::new(feed(), Some(&id));
        if client.status == 204 {
            return;
        }
        client.all();
        assert!(client.is_over());
        if !client.id().is_empty() {
            id = client.id();
        }
    }
    panic!("five times 200, and it will be asked again");
}
