//! The options of a log when it is opened, and the values that it takes.

use std::time::Duration;

use sse_conformance::engines::Redis;
use sse_core::store::StoreError;
use sse_core::{Error, Position, StoreOptions};
use sse_log_redis::{EngineOptions, RedisStore, connect};
use sse_test_kit::engines::EngineServer;

use crate::tools::{after, append, bounds, command, event, open_with, told};

async fn store(url: &str, name: &str, prefix: &str) -> Result<RedisStore, Error> {
    let options = EngineOptions::new().prefix(prefix);
    connect(url, options).await?.store(name, StoreOptions::default()).await
}

#[tokio::test]
async fn an_invalid_name_prefix_or_url_is_refused_by_name() {
    let refused = async |url: &str, name: &str, prefix: &str| {
        let error = store(url, name, prefix).await.expect_err("refused");
        assert!(error.is_store(), "{url} {name}: {error}");
        told(&error)
    };
    for name in ["", "a{b}", "näme", &"x".repeat(65)] {
        let told = refused("redis://127.0.0.1/", name, "sse").await;
        assert!(told.contains(&format!("{name:?} cannot name a log")), "{told}");
    }
    for prefix in ["{shop}", "a{", "}b"] {
        let told = refused("redis://127.0.0.1/", "log", prefix).await;
        assert!(told.contains(&format!("the prefix {prefix:?} is invalid")), "{told}");
    }
    for url in ["http://127.0.0.1/", "127.0.0.1", ""] {
        refused(url, "log", "sse").await;
    }
    let long = store("redis://127.0.0.1/", &"x".repeat(64), "sse").await;
    let shown = format!("{:?}", long.expect("64 are enough"));
    assert_eq!(shown, format!("RedisStore({})", "x".repeat(64)));
}

#[tokio::test]
async fn logs_of_one_name_with_two_prefixes_are_two() {
    let redis = Redis::start().await;
    let url = format!("redis://{}", redis.address());
    let open = async |prefix: &str| store(&url, "log", prefix).await.expect("a name and a prefix");
    let (shop, stock) = (open("shop").await, open("stock").await);
    let first = append(&shop, "of the shop").await;
    assert_eq!(after(&stock, Position::START).await, []);
    let second = append(&stock, "of the stock").await;
    assert_eq!(after(&shop, Position::START).await, [first]);
    assert_eq!(after(&stock, Position::START).await, [second]);
    assert_ne!(bounds(&shop).await.epoch, bounds(&stock).await.epoch);
    assert_eq!(command(&redis, "EXISTS shop:{log} stock:{log} sse:{log}").await, ":2\r\n");
}

#[tokio::test]
async fn more_than_redis_takes_at_once_is_refused() {
    let redis = Redis::start().await;
    let minute = Duration::from_secs(60);
    let patient = StoreOptions::new().store_timeout(minute);
    let store = open_with(&redis, patient).await;
    let many = vec![event("x"); 100_001];
    let error = store.append(&many).await.expect_err("too many");
    assert!(matches!(error, StoreError::Failed(_)) && told(&error).contains("100000"), "{error:?}");
    let appending = tokio::time::timeout(minute, store.append(&many[1..])).await;
    appending.expect("an answer").expect("these will do");
}
