//! A failover to a replica that lags: the newest events are lost, and clients are told.

use std::time::Duration;

use sse_conformance::stores::Redis;
use sse_conformance::suite::eventually::eventually;
use sse_conformance::suite::store_engine::Networked;
use sse_core::store::{Store, StoreError};
use sse_core::{EventId, GapReason};
use sse_log_redis::{Options, RedisStore};

use crate::tools::{STREAM, command, soon};

fn epoch(id: &EventId) -> &str {
    id.as_str().split('.').next().expect("a part at least")
}

#[tokio::test]
async fn a_failover_to_a_replica_that_lags_is_a_new_epoch() {
    let (first, second) = (Redis::start().await, Redis::start().await);
    let address = first.address();
    command(&second, format!("REPLICAOF {} {}", address.ip(), address.port())).await;
    let url = format!("redis://{address},redis://{}", second.address());
    let log = sse_log_redis::open(&url, "log").await.expect("it is there");
    let kept = log.append("kept").await.expect("stored");
    soon(async {
        while command(&second, format!("XLEN {STREAM}")).await != ":1\r\n" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;

    // From here on the replica knows nothing, and it is promoted.
    command(&second, "REPLICAOF NO ONE").await;
    let lost = log.append("lost").await.expect("stored, by the first alone");
    eventually(Duration::from_secs(5), "it is here", || log.stats().newest == lost).await;
    first.stop().await;
    eventually(Duration::from_secs(10), "a new epoch has begun", || {
        epoch(&log.stats().newest) != epoch(&lost)
    })
    .await;

    for seen in [&lost, &kept] {
        let gap = log.read_after(seen, 10).await.expect_err("clients are told");
        assert_eq!(gap.gap().expect("a gap").reason, GapReason::OtherEpoch);
    }
    let next = log.append("next").await.expect("stored");
    let oldest = log.get(&next).await.expect("it is there");
    assert_eq!(oldest.to_event().data.as_deref(), Some("next"));
}

/// A replica does not take what is written: the next node is tried.
#[tokio::test]
async fn a_node_that_has_become_a_replica_is_left() {
    let (first, second) = (Redis::start().await, Redis::start().await);
    let url = format!("redis://{},redis://{}", first.address(), second.address());
    let log = sse_log_redis::open(&url, "log").await.expect("it is there");
    log.append("one").await.expect("stored");
    let address = second.address();
    command(&first, format!("REPLICAOF {} {}", address.ip(), address.port())).await;
    let refused = log.append("two").await.expect_err("the first is a replica");
    assert!(!refused.is_outcome_unknown(), "{refused:?}");
    log.append("three").await.expect("stored by the second");
    assert_eq!(command(&second, format!("XLEN {STREAM}")).await, ":1\r\n");
}

/// They answer, though not with what is asked: the next node is tried.
#[tokio::test]
async fn a_node_that_cannot_serve_is_left_for_one_that_can() {
    let without_slots = Redis::start_with(&["--cluster-enabled", "yes"]).await;
    let orphan = Redis::start_with(&["--replica-serve-stale-data", "no"]).await;
    command(&orphan, "REPLICAOF 127.0.0.1 1").await;
    let whole = Redis::start().await;
    for useless in [&without_slots, &orphan] {
        let url = format!("redis://{},redis://{}", useless.address(), whole.address());
        let options = Options::default();
        let store = RedisStore::connect(&url, "log", &options).await.expect("a URL");
        let refused = soon(store.bounds()).await.expect_err("the first cannot serve");
        assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
        soon(store.bounds()).await.expect("the second can");
    }
}
