//! A server that is a standby, and one that does not wait for its disk.

use sse_conformance::engines::Postgres;
use sse_conformance::suite::store_engine::Durable;
use sse_core::store::{Store, StoreError};
use sse_core::{Event, EventId, EventLog, GapReason, Position};
use sse_log_postgres::{EngineOptions, StoreOptions, connect_with, open_store};
use sse_test_kit::engines::EngineServer;
use tokio_postgres::{Config, NoTls};

use crate::tools::{
    Processes, append, bounds, client, event, execute, keyed, open, soon, texts, told,
};

/// Its events may be old: if it were taken for the primary, seen events would be lost, and each append to it would fail.
#[tokio::test]
async fn a_standby_is_not_asked_until_it_is_the_primary() {
    let postgres = Postgres::start().await;
    append(&open(&postgres).await, "one").await;
    postgres.stop().await;
    postgres.start_as_standby().await;
    let store = postgres.store("log", EngineOptions::default()).await;
    let refused = soon(store.bounds()).await.expect_err("it is a standby");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    assert!(told(&refused).contains("standby"), "{}", told(&refused));
    assert!(soon(store.follow(Position::START)).await.is_err());

    execute(&postgres, "SELECT pg_promote()").await;
    append(&store, "two").await;
    assert_eq!(texts(&store).await, ["one", "two"]);
}

#[tokio::test]
async fn of_several_hosts_the_one_is_asked_that_takes_writes() {
    let (standby, primary) = (Postgres::start_another().await, Postgres::start().await);
    standby.stop().await;
    standby.start_as_standby().await;
    let mut config = Config::new();
    config.user("postgres").dbname("postgres");
    for postgres in [&standby, &primary] {
        config.host("127.0.0.1").port(postgres.address().port());
    }
    let postgres = connect_with(config, NoTls, EngineOptions::default()).await.expect("a runtime");
    let store = postgres.store("log", StoreOptions::default()).await.expect("a name");
    append(&store, "one").await;
    assert_eq!(texts(&open(&primary).await).await, ["one"]);
}

/// Appended, by a process that has seen it.
async fn seen(log: &EventLog, text: &str, key: Option<&str>) -> EventId {
    let event = Event::new(text).idempotency_key(text).expect("short");
    let event = key.map_or(event.clone(), |key| event.key(key).expect("short"));
    loop {
        if let Ok(id) = log.append(event.clone()).await {
            while log.stats().newest != id {
                tokio::task::yield_now().await;
            }
            return id;
        }
    }
}

/// A server that takes over and lacked the newest events does this: those that come have other positions, or the same.
#[tokio::test]
async fn a_server_that_takes_over_without_the_newest_events_begins_an_epoch() {
    for (lost, come, key) in [(1, 0, None), (2, 3, None), (3, 1, None), (2, 3, Some("key"))] {
        let postgres = Postgres::start().await;
        append(&open(&postgres).await, "kept").await;
        postgres.stop().await;
        postgres.put_aside("before");
        EngineServer::start(&postgres).await;
        let (store, client) = (open(&postgres).await, client(&postgres).await);
        for n in 0..come {
            for _ in 0..200 {
                client.execute("SELECT pg_current_xact_id()", &[]).await.expect("an id");
            }
            append(&store, n).await;
        }
        postgres.stop().await;
        postgres.put_aside("standby");
        postgres.bring_back("before");
        EngineServer::start(&postgres).await;
        let store = open(&postgres).await;
        let log = soon(open_store(store)).await.expect("open");
        let mut last = None;
        for n in 0..lost {
            let text = format!("lost {n}");
            last = Some(soon(seen(&log, &text, key)).await);
        }
        let last = last.expect("some are lost");
        postgres.stop().await;
        postgres.bring_back("standby");
        EngineServer::start(&postgres).await;
        let fresh = open(&postgres).await;
        soon(async {
            while log.get(&last).await.err().and_then(|error| error.gap().map(|gap| gap.reason))
                != Some(GapReason::OtherEpoch)
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let next = append(&fresh, "next").await.id(bounds(&fresh).await.epoch);
        soon(async {
            while log.stats().newest != next {
                tokio::task::yield_now().await
            }
        })
        .await;
        assert_eq!(texts(&fresh).await.len(), 2 + come);
    }
}

/// It was the newest that the process had seen, when it lost its connections.
#[tokio::test]
async fn an_event_that_a_newer_one_of_its_key_took_the_place_of_is_not_lost() {
    let postgres = Postgres::start().await;
    let fresh = open(&postgres).await;
    execute(&postgres, "CREATE ROLE app SUPERUSER LOGIN").await;
    let mut config = postgres.config();
    config.user("app");
    let shared = connect_with(config, NoTls, EngineOptions::default()).await.expect("a runtime");
    let log = soon(shared.open("log", StoreOptions::default())).await.expect("open");
    soon(seen(&log, "old", Some("key"))).await;
    let epoch = bounds(&fresh).await.epoch;
    execute(&postgres, "ALTER ROLE app NOLOGIN").await;
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'";
    execute(&postgres, cut).await;
    // More than a page, of others.
    let mut events: Vec<_> = (0..1500).map(event).collect();
    events.push(keyed("key", "new"));
    let appended = fresh.append(&events).await.expect("stored");
    let newest = appended.positions[1500].id(epoch);
    execute(&postgres, "ALTER ROLE app LOGIN").await;
    soon(async {
        while log.stats().newest != newest {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!((bounds(&fresh).await.epoch, appended.epoch), (epoch, epoch));
}

/// Each would come undone, after it was answered.
#[tokio::test]
async fn an_acknowledged_event_outlives_a_crash_also_if_commits_do_not_wait_for_the_disk() {
    let postgres = Postgres::start().await;
    for set in ["synchronous_commit = off", "wal_writer_delay = '10s'"] {
        execute(&postgres, &format!("ALTER SYSTEM SET {set}")).await;
    }
    postgres.crash().await;
    let row = client(&postgres).await.query_one("SHOW synchronous_commit", &[]).await;
    assert_eq!(row.expect("a setting").get::<_, &str>(0), "off");

    let store = open(&postgres).await;
    let deleted = append(&store, "deleted").await;
    append(&store, "kept").await;
    store.delete(deleted).await.expect("deleted");
    postgres.crash().await;
    let store = open(&postgres).await;
    assert_eq!(texts(&store).await, ["kept"]);

    let begun = store.begin_epoch(bounds(&store).await.epoch).await.expect("begun");
    postgres.crash().await;
    let store = open(&postgres).await;
    assert_eq!(bounds(&store).await.epoch, begun);

    store.finish().await.expect("finished");
    postgres.crash().await;
    assert!(bounds(&open(&postgres).await).await.is_finished);
}
