//! The connections that the logs of one process share.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use sse_conformance::engines::Redis;
use sse_core::store::Store;
use sse_core::{Position, StoreOptions};
use sse_log_redis::{Engine, EngineOptions, connect};
use sse_test_kit::engines::EngineServer;

use crate::tools::{STREAM, append, bounds, command, event, open, soon, stat, until};

async fn engine(redis: &Redis) -> Engine {
    let url = format!("redis://{}", redis.address());
    connect(&url, EngineOptions::default()).await.expect("a URL")
}

/// Returns the number of connections beside the one that asks.
async fn connections(redis: &Redis) -> usize {
    stat(redis, "clients", "connected_clients").await - 1
}

/// Until the log has been told of what was appended: all that it shares is there then.
async fn followed(log: &sse_core::EventLog) {
    until("it is followed", async || log.stats().events > 0).await;
}

async fn are_closed(redis: &Redis) {
    until("they are closed", async || connections(redis).await == 0).await;
}

#[tokio::test]
async fn a_thousand_idle_logs_share_a_few_connections_and_ask_for_almost_nothing() {
    let redis = Redis::start().await;
    let engine = engine(&redis).await;
    let options = StoreOptions::new().store_check(Duration::from_secs(30));
    let mut logs = Vec::new();
    for round in ["created", "opened"] {
        drop(logs);
        let begun = Instant::now();
        let opening = (0..1000).map(|n| {
            let (engine, options) = (engine.clone(), options.clone());
            async move { engine.open(&format!("log-{n}"), options).await.expect("opened") }
        });
        logs = stream::iter(opening).buffer_unordered(16).collect().await;
        println!("1000 logs are {round} in {:?}", begun.elapsed());
    }
    for log in &logs {
        let is_followed = || log.stats().is_followed;
        sse_test_kit::eventually::eventually(
            Duration::from_secs(20),
            "it is followed",
            is_followed,
        )
        .await;
    }
    assert!(connections(&redis).await <= 10, "{}", connections(&redis).await);
    // Two a log in a second, at most: most are those of scripts, which each count as about ten.
    let asked_in_5_s = async || {
        let before = stat(&redis, "stats", "total_commands_processed").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        stat(&redis, "stats", "total_commands_processed").await - before
    };
    let quiet = async { while asked_in_5_s().await > 10_000 {} };
    tokio::time::timeout(Duration::from_secs(60), quiet).await.expect("they are idle");
    let cpu = |info: &str| -> f64 {
        let part = |name| info.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        ["used_cpu_user:", "used_cpu_sys:"].map(|n| part(n).parse::<f64>().expect("s")).iter().sum()
    };
    let before = cpu(&command(&redis, "INFO cpu").await);
    let asked = asked_in_5_s().await;
    let used = (cpu(&command(&redis, "INFO cpu").await) - before) / 5.0;
    println!("{asked} commands in 5 s; {:.1} % of a core of the server", used * 100.0);
    drop((logs, engine));
    are_closed(&redis).await;
}

#[tokio::test]
async fn logs_that_are_opened_by_the_same_url_share_and_the_last_closes_the_connections() {
    let redis = Redis::start().await;
    let url = format!("redis://{}", redis.address());
    let one = sse_log_redis::open(&url, "one").await.expect("opened");
    one.append("x").await.expect("stored");
    followed(&one).await;
    let of_one = connections(&redis).await;
    let two = sse_log_redis::open(&url, "two").await.expect("opened");
    two.append("x").await.expect("stored");
    followed(&two).await;
    assert_eq!(connections(&redis).await, of_one, "no more for another log");
    drop(one);
    two.append("y").await.expect("stored");
    drop(two);
    are_closed(&redis).await;
}

#[test]
fn an_engine_whose_runtime_ended_is_made_again() {
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let first = runtime();
    let redis = runtime();
    let server = redis.block_on(Redis::start());
    let url = format!("redis://{}", server.address());
    let append = async |text: &str| {
        let log = sse_log_redis::open(&url, "log").await.expect("opened");
        log.append(text).await.expect("stored");
        log
    };
    let kept = first.block_on(append("one"));
    drop(first);
    let second = runtime();
    let log = second.block_on(append("two"));
    second.block_on(async { log.append("three").await.expect("stored") });
    drop(kept);
}

#[tokio::test]
async fn an_engine_names_the_logs_that_it_keeps() {
    let redis = Redis::start().await;
    let engine = engine(&redis).await;
    assert_eq!(engine.logs().await.expect("names"), []);
    for name in ["b", "a", "c-1"] {
        let store = engine.store(name, StoreOptions::default()).await.expect("a name");
        append(&store, "x").await;
    }
    command(&redis, "HSET other:{log}:meta x 1").await;
    let names = engine.logs().await.expect("names");
    assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["a", "b", "c-1"]);
}

/// The first of the URL does not answer for the others.
#[tokio::test]
async fn an_engine_names_the_logs_of_the_server_that_serves() {
    let [first, second] = [Redis::start().await, Redis::start().await];
    append(&engine(&first).await.store("old", StoreOptions::default()).await.expect("a name"), "x")
        .await;
    append(
        &engine(&second).await.store("log", StoreOptions::default()).await.expect("a name"),
        "x",
    )
    .await;
    let url = format!("redis://{},redis://{}", first.address(), second.address());
    let names = async || {
        let engine = connect(&url, EngineOptions::default()).await.expect("a URL");
        let names = soon(engine.logs()).await.expect("names");
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["old"]);
    command(&first, "REPLICAOF 127.0.0.1 1").await;
    assert_eq!(names().await, ["log"], "a replica is not asked");
    first.stop().await;
    assert_eq!(names().await, ["log"], "the first is gone");
}

/// It may have lost what it had, though its connections have not ended.
#[tokio::test]
async fn a_server_that_has_another_history_ends_whatever_follows_it() {
    let redis = Redis::start().await;
    let engine = engine(&redis).await;
    let store = engine.store("log", StoreOptions::default()).await.expect("a name");
    let first = append(&store, "first").await;
    let mut pages = store.follow(first).await.expect("followed");
    // So that it is known who it was.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    command(&redis, "REPLICAOF 127.0.0.1 1").await;
    command(&redis, "REPLICAOF NO ONE").await;
    let ended = soon(pages.next()).await;
    assert!(matches!(ended, None | Some(Err(_))), "{ended:?}");
    let mut pages = store.follow(Position::START).await.expect("followed");
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events[0].position, first);
}

#[tokio::test]
async fn a_live_event_comes_down_once() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let first = append(&*store, "first").await;
    let mut pages = store.follow(first).await.expect("followed");
    let before = stat(&redis, "stats", "total_net_output_bytes").await;
    append(&*store, "x".repeat(100_000)).await;
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events.len(), 1);
    let bytes = stat(&redis, "stats", "total_net_output_bytes").await - before;
    assert!(bytes < 110_000, "{bytes} bytes");
}

/// The next call connects once for all that wait, and no more often than once a second.
#[tokio::test]
async fn a_server_that_refuses_is_not_connected_to_again_and_again() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "first").await;
    let before = bounds(&*store).await;
    command(&redis, "REPLICAOF 127.0.0.1 1").await;
    let connected = stat(&redis, "stats", "total_connections_received").await;
    let begun = Instant::now();
    for _ in 0..100 {
        store.append(&[event("refused")]).await.expect_err("it is a replica");
    }
    let after = stat(&redis, "stats", "total_connections_received").await;
    let allowed = 2 + begun.elapsed().as_secs() as usize;
    assert!(after - connected <= 1 + allowed, "{} connections", after - connected);
    command(&redis, "REPLICAOF NO ONE").await;
    assert_eq!(bounds(&*store).await, before);
    assert_eq!(command(&redis, format!("XLEN {STREAM}")).await, ":1\r\n");
}
