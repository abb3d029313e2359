//! A failover to a replica that lags: the newest events are lost, and clients are told.

use std::time::Duration;

use futures_util::StreamExt;
use sse_conformance::engines::Redis;
use sse_test_kit::engines::EngineServer;
use sse_test_kit::eventually::{eventually, eventually_asked, eventually_some};
use sse_test_kit::port::free_address;

use sse_core::store::{Store, StoreError};
use sse_core::{Event, EventId, GapReason, Position};

use crate::tools::{STREAM, append, command, soon, store_at, told, until};

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
    until("the replica has it", async || has_one(&second).await).await;

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
    log.append("two").await.expect("stored by the second");
    assert_eq!(command(&second, format!("XLEN {STREAM}")).await, ":1\r\n");
}

/// They answer, though not with what is asked: the next node is tried.
#[tokio::test]
async fn a_node_that_cannot_serve_is_left_for_one_that_can() {
    let bus = free_address().port().to_string();
    let cluster = ["--cluster-enabled", "yes", "--cluster-port", &bus];
    let without_slots = Redis::start_with(&cluster).await;
    let orphan = Redis::start_with(&["--replica-serve-stale-data", "no"]).await;
    command(&orphan, "REPLICAOF 127.0.0.1 1").await;
    let whole = Redis::start().await;
    for useless in [&without_slots, &orphan] {
        let url = format!("redis://{},redis://{}", useless.address(), whole.address());
        soon(store_at(&url).await.bounds()).await.expect("the second can");
    }
}

async fn is_replica_of(replica: &Redis, master: &Redis) {
    let address = master.address();
    command(replica, format!("REPLICAOF {} {}", address.ip(), address.port())).await;
    until("they are connected", async || {
        command(replica, "INFO replication").await.contains("master_link_status:up")
    })
    .await;
}

async fn has_one(replica: &Redis) -> bool {
    command(replica, format!("XLEN {STREAM}")).await == ":1\r\n"
}

/// Its data is stale, and may be thrown away in a moment.
#[tokio::test]
async fn a_master_that_was_demoted_is_neither_followed_nor_read() {
    let (redis, other) = (Redis::start().await, Redis::start().await);
    let store = store_at(&format!("redis://{}", redis.address())).await;
    let first = append(&store, "first").await;
    let mut pages = store.follow(first).await.expect("followed");
    let address = other.address();
    command(&redis, format!("REPLICAOF {} {}", address.ip(), address.port())).await;
    for refused in [
        store.bounds().await.map(drop),
        store.read(Position::START, crate::tools::PAGE).await.map(drop),
        store.follow(first).await.map(drop),
    ] {
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
    assert!(matches!(soon(pages.next()).await, None | Some(Err(_))), "it ends");
}

/// Sentinel looks at each server every 10 s, and waits before it turns one that came back into a replica.
const FAILOVER: Duration = Duration::from_secs(90);

/// Both nodes are in the URL; which of them is the master, Sentinel decides.
#[tokio::test]
async fn a_failover_by_sentinel_is_followed() {
    let (first, second) = (Redis::start().await, Redis::start().await);
    is_replica_of(&second, &first).await;
    let sentinel = Redis::start_sentinel(&first).await;
    eventually_asked(FAILOVER, "it knows the replica", async || {
        command(&sentinel, "SENTINEL MASTER log").await.contains("num-slaves\r\n$1\r\n1")
    })
    .await;
    let url = format!("redis://{},redis://{}", first.address(), second.address());
    let log = sse_log_redis::open(&url, "log").await.expect("it is there");
    let kept = log.append("kept").await.expect("stored");
    until("the replica has it", async || has_one(&second).await).await;
    first.stop().await;
    let next = || Event::new("next").idempotency_key("next").expect("a key");
    let next =
        eventually_some(FAILOVER, "it is stored", async || log.append(next()).await.ok()).await;
    eventually(FAILOVER, "it is here", || log.stats().newest == next).await;
    assert_eq!(epoch(&next), epoch(&kept), "nothing was lost");
    // Once it is back it is a replica, and nobody is told anything by it.
    first.start().await;
    eventually_asked(FAILOVER, "it is a replica", async || {
        command(&first, "INFO replication").await.contains("role:slave")
    })
    .await;
    let third = soon(log.append("third")).await.expect("stored");
    eventually(FAILOVER, "it is here", || log.stats().newest == third).await;
    let all = log.read_after(&kept, 10).await.expect("no gap");
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn a_sentinel_in_the_url_is_refused_by_name() {
    let master = Redis::start().await;
    let sentinel = Redis::start_sentinel(&master).await;
    let url = format!("redis://{}", sentinel.address());
    let refused = sse_log_redis::open(&url, "log").await.expect_err("it keeps nothing");
    assert!(told(&refused).contains("Sentinel"), "{}", told(&refused));
}
