//! Redis Cluster: a log is on one of the nodes, and may move.

use std::time::Duration;

use futures_util::StreamExt;
use sse_conformance::engines::Redis;
use sse_conformance::suite::store_engine::Engine;
use sse_core::{Position, StoreOptions};
use sse_test_kit::engines::EngineServer;
use sse_test_kit::eventually::eventually;
use sse_test_kit::port::free_address;

use crate::tools::{STREAM, after, append, bounds, command, keyed_once, soon, until};

/// Two nodes, each with a half of the slots.
async fn cluster() -> [Redis; 2] {
    let (one, two) = (node().await, node().await);
    command(&one, "CLUSTER ADDSLOTSRANGE 0 8191").await;
    command(&two, "CLUSTER ADDSLOTSRANGE 8192 16383").await;
    let (address, bus) = (two.address(), config(&two, "cluster-port").await);
    let meet = format!("CLUSTER MEET {} {} {bus}", address.ip(), address.port());
    assert_eq!(command(&one, meet).await, "+OK\r\n");
    for node in [&one, &two] {
        until("the node knows the other", async || {
            command(node, "CLUSTER INFO").await.contains("cluster_state:ok")
                && command(node, "CLUSTER NODES").await.lines().count() >= 4
        })
        .await;
    }
    [one, two]
}

async fn node() -> Redis {
    let port = free_address().port().to_string();
    let timeout = ["--cluster-node-timeout", "20000"];
    let cluster = ["--cluster-enabled", "yes", "--cluster-port", &port];
    Redis::start_with(&[&cluster[..], &timeout].concat()).await
}

async fn config(redis: &Redis, name: &str) -> String {
    let answer = command(redis, format!("CONFIG GET {name}")).await;
    answer.lines().last().expect("a value").to_owned()
}

/// The node that has the log, and the other.
async fn owner_and_other([one, two]: [Redis; 2]) -> (Redis, Redis, u16) {
    let slot = command(&one, format!("CLUSTER KEYSLOT {STREAM}")).await;
    let slot = slot.trim_start_matches(':').trim().parse().expect("a number");
    if slot < 8192 { (one, two, slot) } else { (two, one, slot) }
}

#[tokio::test]
async fn a_log_is_found_whichever_node_is_named() {
    let (_owner, other, _) = owner_and_other(cluster().await).await;
    let store = other.open("log", StoreOptions::default()).await.expect("a URL");
    assert!(
        soon(store.read(Position::START, crate::tools::PAGE)).await.is_ok(),
        "a page is sent on"
    );
    let mut pages = store.follow(Position::START).await.expect("followed");
    let first = append(&*store, "first").await;
    let once = keyed_once("k", "once", "once");
    store.append(&[once]).await.expect("all keys of a log are on one node");
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events[0].position, first);
    assert_eq!(after(&*store, Position::START).await.len(), 2);
}

/// The owner serves the keys that are not moved yet; it must not name keys that do not exist.
#[tokio::test]
async fn a_log_is_served_while_its_slot_is_about_to_move() {
    let (owner, other, slot) = owner_and_other(cluster().await).await;
    let store = owner.open("log", StoreOptions::default()).await.expect("a URL");
    bounds(&*store).await;
    let to = command(&other, "CLUSTER MYID").await;
    let to = to.lines().nth(1).expect("an id");
    command(&owner, format!("CLUSTER SETSLOT {slot} MIGRATING {to}")).await;
    let first = append(&*store, "plain").await;
    let both = keyed_once("k", "once", "both");
    store.append(&[both]).await.expect("stored");
    assert_eq!(after(&*store, Position::START).await[0], first);
    store.delete(first).await.expect("deleted");
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
}

/// Moves the slot with all its keys.
async fn move_slot(slot: u16, owner: &Redis, other: &Redis) {
    let id = async |node: &Redis| {
        let id = command(node, "CLUSTER MYID").await;
        id.lines().nth(1).expect("an id").to_owned()
    };
    let (from, to) = (id(owner).await, id(other).await);
    command(other, format!("CLUSTER SETSLOT {slot} IMPORTING {from}")).await;
    command(owner, format!("CLUSTER SETSLOT {slot} MIGRATING {to}")).await;
    let keys = command(owner, format!("CLUSTER GETKEYSINSLOT {slot} 100")).await;
    let keys: Vec<_> = keys.lines().filter(|line| line.starts_with("sse:")).collect();
    let address = other.address();
    let migrate =
        format!("MIGRATE {} {} \"\" 0 5000 KEYS {}", address.ip(), address.port(), keys.join(" "));
    assert_eq!(command(owner, migrate).await, "+OK\r\n");
    for node in [other, owner] {
        command(node, format!("CLUSTER SETSLOT {slot} NODE {to}")).await;
    }
}

#[tokio::test]
async fn a_log_that_moves_to_another_node_is_followed() {
    let (owner, other, slot) = owner_and_other(cluster().await).await;
    let log = sse_log_redis::open(&format!("redis://{}", owner.address()), "log").await;
    let log = log.expect("it is there");
    log.append("first").await.expect("stored");
    let store = owner.open("log", StoreOptions::default()).await.expect("a URL");
    let before = bounds(&*store).await;
    move_slot(slot, &owner, &other).await;

    assert_eq!(bounds(&*store).await, before, "nothing is lost");
    let second = log.append("second").await.expect("stored, by the other");
    eventually(Duration::from_secs(10), "it is here", || log.stats().newest == second).await;
}

/// A follower that nobody else in the process helps: it finds the way by itself.
#[tokio::test]
async fn a_lone_follower_finds_a_log_that_moves() {
    let (owner, other, slot) = owner_and_other(cluster().await).await;
    let store = owner.open("log", StoreOptions::default()).await.expect("a URL");
    let first = append(&*store, "first").await;
    move_slot(slot, &owner, &other).await;
    let mut pages = soon(store.follow(Position::START)).await.expect("followed to the other");
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events[0].position, first);
}
