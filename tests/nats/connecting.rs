//! As whom, and to which server.

use std::time::Duration;

use sse_conformance::stores::Nats;
use sse_conformance::suite::store_engine::Networked;
use sse_core::store::{Store, StoreError};
use sse_log_nats::{ConnectOptions, EngineOptions, StoreOptions};
use tokio::net::TcpListener;

use crate::tools::{append, bounds, event, messages, store, told, url};

/// Whoever does not say who he is is in an account of his own.
const ACCOUNTS: &str = r#"
accounts {
    app {
        jetstream: enabled
        users: [
            { user: "me@work", password: "a/b:c" }
            { user: "reader", password: "x", permissions: { publish: { deny: ["other.>"] } } }
        ]
    }
    nobody { jetstream: enabled, users: [{ user: nobody, password: x }] }
}
no_auth_user: nobody
"#;

#[tokio::test]
async fn the_user_and_password_of_the_url_are_used() {
    let nats = Nats::start_with(ACCOUNTS).await;
    let url = format!("nats://me%40work:a%2Fb%3Ac@{}", nats.address());
    let store = store(&url, EngineOptions::default(), StoreOptions::default()).await;
    append(&store, &[event("of the app")]).await;
    assert!(
        nats.api("STREAM.INFO.SSE_log", &serde_json::json!({})).expect("an answer")["error"]
            .is_object(),
        "nobody has it"
    );
    let url = format!("nats://me%40work:wrong@{}", nats.address());
    let store = store(&url, EngineOptions::default(), StoreOptions::default()).await;
    let refused = store.bounds().await.expect_err("who is that");
    assert!(told(&refused).contains("authorization violation"), "{}", told(&refused));
}

#[tokio::test]
async fn connections_are_made_as_the_application_says() {
    let nats = Nats::start_with(ACCOUNTS).await;
    let options = EngineOptions::default();
    let me = ConnectOptions::with_user_and_password("me@work".into(), "a/b:c".into());
    let engine = sse_log_nats::connect_with(&url(&nats), me, options.clone()).await.expect("a URL");
    let store = engine.store("log", StoreOptions::default()).await.expect("a name");
    append(&store, &[event("of the app")]).await;
    let nobody = crate::tools::store(&url(&nats), options, StoreOptions::default()).await;
    assert_ne!(bounds(&nobody).await.epoch, bounds(&store).await.epoch);
    assert_eq!(messages(&nats), 0, "nobody has it");
}

/// The server does not answer who may not ask, and says why elsewhere.
#[tokio::test]
async fn what_the_server_complains_of_is_told() {
    let nats = Nats::start_with(ACCOUNTS).await;
    let log = StoreOptions { store_timeout: Duration::from_millis(300), ..StoreOptions::default() };
    let options = EngineOptions { prefix: "other".into(), ..EngineOptions::default() };
    let url = format!("nats://reader:x@{}", nats.address());
    let store = store(&url, options, log).await;
    let refused = store.append(&[event("x")]).await.expect_err("he may not");
    assert!(matches!(refused, StoreError::OutcomeUnknown(_)), "{refused:?}");
    assert!(told(&refused).to_lowercase().contains("permissions violation"), "{}", told(&refused));
}

/// Whichever is tried first, since there is time for the other.
#[tokio::test]
async fn a_server_that_says_nothing_leaves_time_for_the_others() {
    let nats = Nats::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent = silent.local_addr().map(|address| (address, silent)).expect("it listens");
    let connect_timeout = Duration::from_millis(500);
    let options = EngineOptions { connect_timeout, ..EngineOptions::default() };
    for _ in 0..8 {
        let urls = format!("nats://{},{}", silent.0, url(&nats));
        let store = store(&urls, options.clone(), StoreOptions::default()).await;
        bounds(&store).await;
    }
}
