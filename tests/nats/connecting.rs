//! The user and the server of a connection.

use std::time::Duration;

use sse_conformance::suite::answers::gives_followers_what_is_appended;
use sse_core::store::{Store, StoreError};
use sse_log_nats::async_nats::ConnectOptions;
use sse_log_nats::{EngineOptions, StoreOptions};
use sse_test_kit::engines::EngineServer;
use sse_test_kit::engines::{Nats, NatsVersion};
use tokio::net::TcpListener;

use crate::relay::Relay;
use crate::tools::{
    append_all, bounds, event, keyed, messages, once, soon, store, texts, told, url,
};

/// A client without a user is in an account of its own.
const ACCOUNTS: &str = r#"
accounts {
    app {
        jetstream: enabled
        users: [
            { user: "me@work", password: "a/b:c" }
            { user: "reader", password: "x", permissions: { publish: { deny: ["other.>"] } } }
        ]
    }
    without { users: [{ user: without, password: x }] }
    nobody { jetstream: enabled, users: [{ user: nobody, password: x }] }
}
no_auth_user: nobody
"#;

#[tokio::test]
async fn the_user_and_password_of_the_url_are_used() {
    let nats = Nats::start_with(ACCOUNTS).await;
    let url = format!("nats://me%40work:a%2Fb%3Ac@{}", nats.address());
    let store = store(&url, EngineOptions::default(), StoreOptions::default()).await;
    append_all(&store, &[event("of the app")]).await;
    assert!(
        nats.api("STREAM.INFO.SSE_log", &serde_json::json!({})).expect("an answer")["error"]
            .is_object(),
        "nobody has it"
    );
    let url = format!("nats://me%40work:wrong@{}", nats.address());
    let store = crate::tools::store(&url, EngineOptions::default(), StoreOptions::default()).await;
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
    append_all(&store, &[event("of the app")]).await;
    let nobody = crate::tools::store(&url(&nats), options, StoreOptions::default()).await;
    assert_ne!(bounds(&nobody).await.epoch, bounds(&store).await.epoch);
    assert_eq!(messages(&nats), 0, "nobody has it");
}

/// The server does not answer who may not ask, and says why elsewhere.
#[tokio::test]
async fn what_the_server_complains_of_is_told() {
    let nats = Nats::start_with(ACCOUNTS).await;
    let log = StoreOptions::new().store_timeout(Duration::from_millis(300));
    let options = EngineOptions::new().prefix("other");
    let url = format!("nats://reader:x@{}", nats.address());
    let store = store(&url, options, log).await;
    let refused = store.append(&[event("x")]).await.expect_err("the user may not");
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
    let options = EngineOptions::new().connect_timeout(connect_timeout);
    for _ in 0..8 {
        let urls = format!("nats://{},{}", silent.0, url(&nats));
        let store = store(&urls, options.clone(), StoreOptions::default()).await;
        bounds(&store).await;
    }
}

/// It skips events, so it is not used with a warning.
#[tokio::test]
async fn a_server_of_version_2_9_is_refused_by_its_name() {
    let nats = Nats::start_as(NatsVersion::V2_9, "").await;
    let store = store(&url(&nats), EngineOptions::default(), StoreOptions::default()).await;
    let refused = store.bounds().await.expect_err("it is too old");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    let told = told(&refused);
    assert!(told.contains("nats-server 2.9.10 is too old") && told.contains("2.10"), "{told}");
}

#[tokio::test]
async fn an_error_says_js_if_there_is_no_jetstream() {
    let nats = Nats::start_with(ACCOUNTS).await;
    let url = format!("nats://without:x@{}", nats.address());
    let store = store(&url, EngineOptions::default(), StoreOptions::default()).await;
    let refused = soon(store.bounds()).await.expect_err("there is none");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    assert!(told(&refused).contains("nats-server -js"), "{}", told(&refused));
    // The server itself has none, and does not answer.
    let (relay, nats) = (Relay::start(&nats).await, &nats);
    relay.has_no_api();
    let url = relay.url();
    let store = crate::tools::store(&url, EngineOptions::default(), StoreOptions::default()).await;
    let refused = soon(store.bounds()).await.expect_err("there is none");
    assert!(told(&refused).contains("nats-server -js"), "{nats:?}: {}", told(&refused));
}

#[tokio::test]
async fn a_domain_is_asked_by_its_name() {
    let nats = Nats::start_in_domain("hub").await;
    let at = |domain: &str| {
        let options = EngineOptions::new().domain(domain);
        let url = url(&nats);
        async move { store(&url, options, StoreOptions::default()).await }
    };
    let hub = at("hub").await;
    append_all(&hub, &[event("one"), event("two")]).await;
    gives_followers_what_is_appended(&hub).await;
    let refused = soon(at("elsewhere").await.bounds()).await.expect_err("it is not there");
    assert!(told(&refused).contains("\"elsewhere\""), "{}", told(&refused));
    let options = EngineOptions::new().domain("a.b");
    sse_log_nats::connect(&url(&nats), options).await.expect_err("two words");
}

/// The list of such a user's permissions is in `lib.rs`.
#[tokio::test]
async fn a_user_needs_no_more_than_the_documented_subjects() {
    let docs = include_str!("../../crates/sse-log-nats/src/lib.rs");
    let listed = |what: &str| {
        let (_, rest) = docs.split_once(&format!("//! {what}: [")).expect("it is listed");
        rest.split_once(']').expect("a list ends").0.to_owned()
    };
    let (publish, subscribe) = (listed("publish"), listed("subscribe"));
    let user = format!(
        "authorization {{ users: [{{ user: log, password: x, permissions: {{ publish: [{publish}], subscribe: [{subscribe}] }} }}, {{ user: test, password: x }}] }}\nno_auth_user: test"
    );
    let nats = Nats::start_with(&user).await;
    let url = format!("nats://log:x@{}", nats.address());
    let options = StoreOptions::new().events(3).store_timeout(Duration::from_secs(2));
    let store = store(&url, EngineOptions::default(), options.clone()).await;
    gives_followers_what_is_appended(&store).await;
    for round in 0..5 {
        append_all(&store, &[once(format!("a{round}"), "x"), once(format!("b{round}"), "y")]).await;
        append_all(&store, &[keyed("key", round), event(round)]).await;
    }
    let positions = append_all(&store, &[event("one"), event("two")]).await;
    assert!(!texts(&store).await.is_empty());
    store.retain(&options.retention()).await.expect("retained");
    store.before_last(crate::tools::PAGE).await.expect("a position");
    store.delete(positions[0]).await.expect("deleted");
    store.delete(positions[1]).await.expect("deleted");
    let epoch = bounds(&store).await.epoch;
    store.begin_epoch(epoch).await.expect("begun");
    store.finish().await.expect("finished");
    let engine = sse_log_nats::connect(&url, EngineOptions::default()).await.expect("a URL");
    assert_eq!(engine.logs().await.expect("listed").len(), 1);
}

/// The line may be dead: the server would be taken for gone only after some pings.
#[tokio::test]
async fn a_connection_on_which_a_call_has_timed_out_is_used_for_no_other() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let options = StoreOptions::new().store_timeout(Duration::from_millis(300));
    let store = store(&relay.url(), EngineOptions::default(), options).await;
    append_all(&store, &[event("one")]).await;
    relay.goes_silent();
    let lost = store.append(&[event("lost")]).await;
    assert!(matches!(lost, Err(StoreError::OutcomeUnknown(_))), "{lost:?}");
    append_all(&store, &[event("two")]).await;
    assert_eq!(texts(&store).await, ["one", "two"]);
}
