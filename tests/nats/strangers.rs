//! Other programs publish on the subjects of a log.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use sse_conformance::engines::Nats;
use sse_core::StoreOptions;
use sse_log_nats::EngineOptions;
use sse_test_kit::eventually::eventually;

use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::soon;

/// A message that is no event moves the end of the log, and the follower with it. Followers are made with a consumer each.
#[tokio::test]
async fn messages_of_others_do_not_make_a_follower_begin_again() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let followers = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&followers);
    let follows = "$JS.API.CONSUMER.CREATE.SSE_log.";
    relay.asked(move |asked| {
        counted.fetch_add(usize::from(asked.starts_with(follows)), Relaxed);
        Fate::Passes
    });
    // A follower that has brought nothing for a second begins again.
    let options = StoreOptions::new().store_check(Duration::from_secs(1));
    let url = relay.url();
    let opened = sse_log_nats::open_with(&url, "log", EngineOptions::default(), options);
    let log = soon(opened).await.expect("it runs");
    soon(log.append("first")).await.expect("stored");
    eventually(Duration::from_secs(20), "it is followed", || log.stats().events == 1).await;
    let before = followers.load(Relaxed);
    for _ in 2..=25 {
        nats.publish("sse.log.strange", &[], b"").expect("an answer");
        tokio::time::sleep(Duration::from_millis(100)).await; // the interval at which they come
    }
    nats.publish("sse.log.m.note", &[], b"").expect("an answer");
    let newest = format!("{}.26-0", log.epoch());
    let has_come = || log.stats().newest.as_str() == newest;
    eventually(Duration::from_secs(20), "the end has moved", has_come).await;
    assert_eq!(followers.load(Relaxed), before);
    soon(log.append("last")).await.expect("stored");
    eventually(Duration::from_secs(20), "it has come", || log.stats().events == 2).await;
}
