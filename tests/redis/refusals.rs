//! A call that would fail halfway is refused before anything is stored; and the permissions of a user.

use futures_util::StreamExt;
use sse_conformance::engines::Redis;
use sse_core::store::{EncodedEvent, PageLimit, Retention, Store, StoreError};
use sse_core::{Position, StoreOptions};
use sse_log_redis::{EngineOptions, connect};
use sse_test_kit::engines::EngineServer;

use crate::tools::{
    STREAM, after, append, bounds, command, event, filter, keyed, of_topics, once, open,
    read_topics, soon, store_at, told, until,
};

/// An event of each kind, and the command that it alone wants.
fn kinds() -> [(EncodedEvent, &'static str); 4] {
    let keyed = keyed("key", "keyed");
    let once = once("once", "once");
    [
        (event("plain"), "hset"),
        (keyed, "xdel"),
        (once, "hdel"),
        (of_topics("topics", ["a"]), "zadd"),
    ]
}

async fn is_refused(store: &dyn Store, event: EncodedEvent, reason: &str) {
    let batch = [crate::tools::event("before it"), event];
    let error = store.append(&batch).await.expect_err("it is refused");
    assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
    assert!(told(&error).contains(reason), "{}", told(&error));
}

#[tokio::test]
async fn an_append_that_meets_a_key_of_another_type_stores_nothing() {
    for (kind, key) in kinds().into_iter().zip(["meta", "keys", "once", "topics"]) {
        let redis = Redis::start().await;
        let store = open(&redis).await;
        append(&*store, "first").await;
        command(&redis, format!("DEL {STREAM}:{key}")).await;
        command(&redis, format!("LPUSH {STREAM}:{key} x")).await;
        is_refused(&*store, kind.0, "WRONGTYPE").await;
        assert_eq!(command(&redis, format!("XLEN {STREAM}")).await, ":1\r\n", "{key}");
    }
}

/// It is done, and seen a little later.
#[tokio::test]
async fn what_cannot_be_announced_is_no_failure() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let first = append(&*store, "first").await;
    command(&redis, "ACL SETUSER default -spublish").await;
    store.delete(first).await.expect("deleted");
    assert_eq!(after(&*store, Position::START).await, []);
    store.finish().await.expect("finished");
    let epoch = bounds(&*store).await.epoch;
    assert_ne!(store.begin_epoch(epoch).await.expect("begun"), epoch);
}

#[tokio::test]
async fn an_append_by_a_user_who_may_not_do_all_of_it_stores_nothing() {
    let redis = Redis::start().await;
    let first = append(&*open(&redis).await, "first").await;
    for (event, missing) in kinds() {
        command(&redis, format!("ACL SETUSER app reset on >pass ~* &* +@all -{missing}")).await;
        let url = format!("redis://app:pass@{}", redis.address());
        let store = store_at(&url).await;
        for _ in 0..3 {
            is_refused(&store, event.clone(), &format!("may not run {}", missing.to_uppercase()))
                .await;
        }
        assert_eq!(after(&store, Position::START).await, [first], "{missing}");
    }
}

/// Those of the crate's first page.
const COMMANDS: &str = "+evalsha +script|load +exists +hdel +hget +hlen +hmget +hscan +hset +info +ping +scan +spublish +ssubscribe \
    +sunsubscribe +time +unlink +xadd +xdel +xinfo +xlen +xrange +xrevrange +xtrim +zadd +zrange +zrem +zremrangebylex";

#[tokio::test]
async fn a_user_who_may_run_the_commands_that_are_named_can_do_everything() {
    let redis = Redis::start().await;
    command(&redis, format!("ACL SETUSER app reset on >pa%,@ss ~sse:* &sse:* {COMMANDS}")).await;
    let url = format!("redis://app:pa%25%2C%40ss@{}", redis.address());
    let store = store_at(&url).await;
    for _ in 0..2 {
        store.append(&kinds().map(|(event, _)| event)).await.expect("stored");
    }
    let mut pages = store.follow(Position::START).await.expect("followed");
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events.len(), 6);
    assert_eq!(read_topics(&store, &filter(["a"], false)).await.len(), 2);
    assert!(
        store.before_last(PageLimit::of_events(2)).await.expect("there are two")
            < page.bounds.newest
    );
    store.delete(page.events[0].position).await.expect("deleted");
    command(&redis, format!("XTRIM {STREAM} MAXLEN 2")).await;
    let retention = Retention { events: 1, bytes: 1, age: None };
    store.retain(&retention).await.expect("retained");
    let epoch = page.bounds.epoch;
    assert_ne!(store.begin_epoch(epoch).await.expect("begun"), epoch);
    store.finish().await.expect("finished");
    let end = async {
        while !pages.next().await.expect("it goes on").expect("a page").bounds.is_finished {}
    };
    soon(end).await;
}

#[tokio::test]
async fn a_redis_of_version_6_is_refused_by_name() {
    let redis = Redis::start_old().await;
    let url = format!("redis://{}", redis.address());
    let refused = sse_log_redis::open(&url, "log").await.expect_err("it is too old");
    let told = told(&refused);
    assert!(told.contains("redis 6.2.") && told.contains("Redis 7.0"), "{told}");
}

#[tokio::test]
async fn a_redis_that_may_evict_the_stream_is_refused_by_name() {
    let redis = Redis::start().await;
    let url = format!("redis://{}", redis.address());
    command(&redis, "CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru").await;
    let refused = sse_log_redis::open(&url, "log").await.expect_err("it would evict events");
    assert!(told(&refused).contains("allkeys-lru"), "{}", told(&refused));
    for policy in ["noeviction", "volatile-lru"] {
        command(&redis, format!("CONFIG SET maxmemory-policy {policy}")).await;
        sse_log_redis::open(&url, "log").await.expect("what does not expire is kept");
    }
    // If the policy cannot be read, it is trusted.
    command(&redis, "CONFIG SET maxmemory-policy allkeys-lru").await;
    command(&redis, "ACL SETUSER app reset on >pass ~* &* +@all -info").await;
    let url = format!("redis://app:pass@{}", redis.address());
    sse_log_redis::open(&url, "log").await.expect("a warning");
}

/// The policy can change, and a failover can bring another server.
#[tokio::test]
async fn a_redis_that_has_come_to_evict_is_refused_at_the_next_opening() {
    let redis = Redis::start().await;
    let url = format!("redis://{}", redis.address());
    let engine = connect(&url, EngineOptions::default()).await.expect("a URL");
    let _first = engine.open("first", StoreOptions::default()).await.expect("it evicts nothing");
    command(&redis, "CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru").await;
    until("it is refused", async || {
        let opened = engine.open("second", StoreOptions::default()).await;
        opened.is_err_and(|refused| told(&refused).contains("allkeys-lru"))
    })
    .await;
}

/// A deletion that cannot be completed is not begun.
#[tokio::test]
async fn a_deletion_that_meets_a_key_of_another_type_deletes_nothing() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let keyed = keyed("key", "keyed");
    let event = store.append(&[keyed]).await.expect("stored").positions[0];
    command(&redis, format!("SET {STREAM}:keys x")).await;
    let before = bounds(&*store).await;
    let error = store.delete(event).await.expect_err("the keys are of another type");
    assert!(told(&error).contains("WRONGTYPE"), "{}", told(&error));
    assert_eq!(bounds(&*store).await, before);
    assert_eq!(after(&*store, Position::START).await, [event]);
}

/// The log has its format's number; a log from before there were numbers is in the first. Topics make it the second.
#[tokio::test]
async fn a_log_of_a_later_format_is_refused_by_name_and_stays_as_it_is() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "one").await;
    assert_eq!(command(&redis, format!("HGET {STREAM}:meta format")).await, "$1\r\n1\r\n");
    command(&redis, format!("HDEL {STREAM}:meta format")).await;
    append(&*store, "two").await;
    store.append(&[of_topics("of a topic", ["a"])]).await.expect("stored");
    assert_eq!(command(&redis, format!("HGET {STREAM}:meta format")).await, "$1\r\n2\r\n");
    command(&redis, format!("HSET {STREAM}:meta format 3")).await;
    let before = command(&redis, format!("HGETALL {STREAM}:meta")).await;
    let refused = soon(store.append(&[event("three")])).await.map(drop);
    let also = soon(open(&redis).await.bounds()).await.map(drop);
    for refused in [refused, also] {
        let Err(StoreError::Failed(error)) = refused else { panic!("{refused:?}") };
        let told = told(&*error);
        assert!(told.contains("format 3") && told.contains("upgrade sse-log-redis"), "{told}");
    }
    assert_eq!(command(&redis, format!("HGETALL {STREAM}:meta")).await, before);
    assert_eq!(command(&redis, format!("XLEN {STREAM}")).await, ":3\r\n");
}
