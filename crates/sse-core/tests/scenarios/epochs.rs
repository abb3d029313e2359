//! The epoch of a log, whatever else draws random numbers.

use std::collections::HashSet;

use futures_util::FutureExt;
use sse_core::{Epoch, EventLog};

use crate::support::client::Client;

#[tokio::test(start_paused = true)]
async fn a_log_made_again_has_another_epoch_though_others_seed_their_generators_alike() {
    fastrand::seed(42);
    let old = EventLog::in_memory(1000);
    let ids = old.append_all(["1", "2", "3"]).await.expect("stored");
    fastrand::seed(42);
    let new = EventLog::in_memory(1000);
    assert_ne!(old.epoch(), new.epoch());
    new.append_all(["a", "b", "c", "d", "e"]).await.expect("stored");
    let mut client = Client::resume(&new, &ids[2]);
    let events = client.read_all().await;
    assert!(events[0].contains("other-epoch"), "{events:?}");
    assert_eq!(events[1..], ["a", "b", "c", "d", "e"]);
}

#[test]
fn no_two_epochs_are_alike() {
    let log = EventLog::in_memory(1);
    let mut seen = HashSet::new();
    for _ in 0..1000 {
        fastrand::seed(7);
        assert!(seen.insert(Epoch::random().expect("random numbers")));
        log.new_epoch().now_or_never().expect("in memory").expect("random numbers");
        assert!(seen.insert(log.epoch()));
    }
}
