//! A history that went back, while no process ran that had seen it.

use std::process::Command;

use sse_conformance::engines::Postgres;
use sse_core::Position;
use sse_core::store::{Appended, Store};
use sse_log_postgres::{EngineOptions, OnPromotion, Ordering};
use sse_test_kit::engines::EngineServer;

use crate::tools::{Processes, append, bounds, client, event, execute, open, soon, texts};

/// A standby that lacks the newest events takes over: what was acknowledged and lost, and what comes next.
async fn fails_over(postgres: &Postgres, options: &EngineOptions) -> (Appended, Appended) {
    let store = postgres.store("log", options.clone()).await;
    append(&store, "kept").await;
    postgres.stop().await;
    postgres.put_aside("standby");
    EngineServer::start(postgres).await;
    let store = postgres.store("log", options.clone()).await;
    let lost = store.append(&[event("lost-1"), event("lost-2")]).await.expect("stored");
    drop(store);
    postgres.stop().await;
    postgres.bring_back("standby");
    postgres.start_as_standby().await;
    execute(postgres, "SELECT pg_promote()").await;
    let store = postgres.store("log", options.clone()).await;
    let won = soon(store.append(&[event("won-1"), event("won-2")])).await.expect("stored");
    assert_eq!(texts(&store).await, ["kept", "won-1", "won-2"]);
    assert_eq!(bounds(&store).await.epoch, won.epoch, "once is enough");
    (lost, won)
}

#[tokio::test]
async fn a_standby_that_is_promoted_begins_an_epoch_though_nobody_saw_what_it_lacks() {
    for ordering in [Ordering::ByTransaction, Ordering::ByLock] {
        let postgres = Postgres::start().await;
        let options = EngineOptions::new().ordering(ordering);
        let (lost, won) = fails_over(&postgres, &options).await;
        assert_ne!(lost.epoch, won.epoch, "{ordering:?}: an id names one event");
    }
}

#[tokio::test]
async fn a_promotion_goes_on_in_the_epoch_if_the_options_say_that_nothing_is_lost() {
    let postgres = Postgres::start().await;
    let options = EngineOptions::new().on_promotion(OnPromotion::Keep);
    let (lost, won) = fails_over(&postgres, &options).await;
    assert_eq!(lost.epoch, won.epoch);
}

/// Here no commit waits, since there is no such standby.
#[tokio::test]
async fn a_promotion_continues_the_epoch_if_commits_waited_for_a_standby() {
    for (on_promotion, keeps) in
        [(OnPromotion::NewEpochIfAsynchronous, true), (OnPromotion::NewEpoch, false)]
    {
        let postgres = Postgres::start().await;
        postgres.configure("synchronous_commit", "local").await;
        postgres.configure("synchronous_standby_names", "gone").await;
        let options = EngineOptions::new().on_promotion(on_promotion);
        let (lost, won) = fails_over(&postgres, &options).await;
        assert_eq!(lost.epoch == won.epoch, keeps, "{on_promotion:?}");
    }
}

/// While it runs: what is set is known at the promotion.
#[tokio::test]
async fn a_standby_is_reckoned_with_once_the_server_is_told_of_it() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let before = bounds(&store).await;
    postgres.configure("synchronous_commit", "local").await;
    postgres.configure("synchronous_standby_names", "gone").await;
    let client = client(&postgres).await;
    soon(async {
        loop {
            assert_eq!(bounds(&store).await, before, "nothing else has changed");
            let row = client.query_one("SELECT is_synchronous FROM sse_logs", &[]).await;
            if row.expect("the log").get(0) {
                return;
            }
        }
    })
    .await;
}

/// The dump has only the data, and the tables were emptied: cluster, database and table are the same, and ids have gone on.
#[tokio::test]
async fn a_dump_of_the_data_alone_that_is_restored_begins_an_epoch() {
    for ordering in [Ordering::ByTransaction, Ordering::ByLock] {
        let postgres = Postgres::start().await;
        let options = EngineOptions::new().ordering(ordering);
        let store = postgres.store("log", options.clone()).await;
        append(&store, "kept").await;
        let shell = |script: &str, input: Option<&str>| {
            let url = format!("postgres://postgres@{}/postgres", postgres.address());
            let done = Command::new("sh").args(["-c", script, &url]).args(input).output();
            let done = done.expect("a shell");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dump = folder.path().join("dump").display().to_string();
        shell("pg_dump --data-only -t 'sse_log*' --dbname $0 --file $1", Some(&dump));
        let lost = store.append(&[event("lost")]).await.expect("stored");
        drop(store);
        execute(&postgres, "TRUNCATE sse_logs, sse_log_kept, sse_log_events, sse_log_keys").await;
        shell("psql --quiet --set ON_ERROR_STOP=1 --dbname $0 --file $1", Some(&dump));
        for text in ["next", "last"] {
            let store = postgres.store("log", options.clone()).await;
            let won = store.append(&[event(text)]).await.expect("stored");
            assert_ne!(won.epoch, lost.epoch);
        }
        let store = postgres.store("log", options).await;
        assert_eq!(texts(&store).await, ["kept", "next", "last"]);
    }
}

/// This happens if a part of a dump is restored.
#[tokio::test]
async fn a_log_of_which_a_part_is_missing_begins_an_epoch() {
    for missing in ["DELETE FROM sse_log_kept", "DELETE FROM sse_log_events"] {
        let postgres = Postgres::start().await;
        let store = open(&postgres).await;
        let before = store.append(&[event("one")]).await.expect("stored");
        append(&store, "two").await;
        store.retain(&sse_core::StoreOptions::default().retention()).await.expect("counted");
        execute(&postgres, missing).await;
        let after = bounds(&open(&postgres).await).await;
        assert_ne!(after.epoch, before.epoch, "{missing}");
        assert!(append(&store, "three").await > before.positions[0]);
        let page = store.read(Position::START, crate::tools::PAGE).await.expect("a page");
        assert_eq!(page.bounds.epoch, after.epoch, "once is enough");
    }
}
