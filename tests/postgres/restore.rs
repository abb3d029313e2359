//! Postgres loses its events, or begins to count again.

use std::process::Command;

use sse_conformance::engines::Postgres;
use sse_core::Position;
use sse_core::store::Store;
use sse_test_kit::engines::EngineServer;

use crate::tools::{
    Processes, append, bounds, client, event, execute, open, open_ordered, soon, take, texts,
};
use sse_log_postgres::{EngineOptions, Ordering};

/// Takes the log from one cluster to another, as from a backup.
fn restore(from: &Postgres, to: &Postgres) {
    let url = |of: &Postgres| format!("postgres://postgres@{}/postgres", of.address());
    let restored = Command::new("sh")
        .args(["-c", "pg_dump --dbname $0 | psql --quiet --set ON_ERROR_STOP=1 --dbname $1"])
        .args([url(from), url(to)])
        .output()
        .expect("a shell");
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
}

async fn restores(old: Postgres, new: Postgres, ordering: Ordering) {
    let store = open_ordered(&old, ordering).await;
    let client = client(&old).await;
    for _ in 0..200 {
        // The new cluster begins to count where this one did.
        client.execute("SELECT pg_current_xact_id()", &[]).await.expect("an id");
    }
    let kept = append(&store, "kept").await;
    restore(&old, &new);
    let lost = append(&store, "lost").await;
    let before = bounds(&store).await;

    let store = open_ordered(&new, ordering).await;
    let after = bounds(&store).await;
    assert_ne!(after.epoch, before.epoch, "ids of the old one are told from those to come");
    assert_eq!((after.newest, after.floor), (kept, before.floor));
    let mut pages = store.follow(Position::START).await.expect("followed");
    let next = append(&store, "next").await;
    assert!(next > kept && next.hi() < lost.hi() + 100, "{next} comes after {kept}");
    let other = open_ordered(&new, ordering).await;
    assert_eq!(bounds(&other).await.epoch, after.epoch, "once is enough");
    append(&other, "last").await;
    let seen: Vec<_> = take(&mut pages, 3).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(seen, ["kept", "next", "last"]);
}

#[tokio::test]
async fn a_log_that_is_restored_to_another_cluster_begins_an_epoch_and_goes_on() {
    let (old, new) = (Postgres::start().await, Postgres::start_another().await);
    restores(old, new, Ordering::ByTransaction).await;
}

/// One that does not say who it is, as some services do not, and has counted less far.
#[tokio::test]
async fn a_log_that_is_restored_to_a_cluster_that_counts_from_lower_does_so_too() {
    let (old, new) = (Postgres::start().await, Postgres::start().await);
    restores(old, new, Ordering::ByTransaction).await;
}

#[tokio::test]
async fn a_log_ordered_by_a_lock_that_is_restored_to_another_cluster_does_so_too() {
    let (old, new) = (Postgres::start().await, Postgres::start_another().await);
    restores(old, new, Ordering::ByLock).await;
}

/// From a dump, over what came after it, while a process runs and where none does. The sequence goes back with it: with a lock, positions
/// would come again.
async fn restores_over(ordering: Ordering) {
    let postgres = Postgres::start().await;
    let running = open_ordered(&postgres, ordering).await;
    append(&running, "kept").await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shell = |script: &str| {
        let url = format!("postgres://postgres@{}/postgres", postgres.address());
        let dump = folder.path().join("dump");
        let done = Command::new("sh").args(["-c", script, &url]).arg(dump).output();
        let done = done.expect("a shell");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    shell("pg_dump --clean --if-exists --dbname $0 --file $1");
    append(&running, "lost").await;
    let mut before = bounds(&running).await.epoch;
    let options = EngineOptions::new().ordering(ordering);
    for store in [running, postgres.store("log", options).await] {
        shell("psql --quiet --set ON_ERROR_STOP=1 --dbname $0 --file $1");
        let appended = store.append(&[event("next")]).await.expect("stored");
        assert_ne!(appended.epoch, before, "its position may be that of what is lost");
        before = bounds(&store).await.epoch;
        assert_eq!(appended.epoch, before);
        assert_eq!(texts(&store).await, ["kept", "next"]);
    }
}

#[tokio::test]
async fn a_log_that_is_restored_over_itself_begins_an_epoch() {
    restores_over(Ordering::ByTransaction).await;
}

#[tokio::test]
async fn a_log_ordered_by_a_lock_that_is_restored_over_itself_does_so_too() {
    restores_over(Ordering::ByLock).await;
}

/// An operator copies rows from elsewhere while processes run.
#[tokio::test]
async fn a_read_notices_positions_above_those_that_the_server_gives() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    append(&store, "one").await;
    let before = bounds(&store).await;
    let insert = "INSERT INTO sse_log_events (log, hi, lo, block) \
                  VALUES ('log', 1000000, 7, 'data: copied\n')";
    execute(&postgres, &insert.replace("\n", "\\012")).await;
    let after = bounds(&store).await;
    assert_ne!(after.epoch, before.epoch);
    assert_eq!(after.newest, Position::new(1_000_000, 7));
    assert!(append(&store, "two").await > after.newest);
    assert_eq!(texts(&store).await, ["one", "copied", "two"]);
    assert_eq!(bounds(&store).await.epoch, after.epoch, "once");
}

#[tokio::test]
async fn a_log_whose_tables_are_dropped_is_a_new_one() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    append(&store, "gone").await;
    let before = bounds(&store).await;
    for drop in [
        "DROP TABLE sse_logs, sse_log_kept, sse_log_events, sse_log_keys CASCADE",
        "TRUNCATE sse_logs, sse_log_kept, sse_log_events",
        "DELETE FROM sse_log_kept; DELETE FROM sse_log_events; DELETE FROM sse_logs",
    ] {
        execute(&postgres, drop).await;
        soon(append(&store, "new")).await;
        let after = bounds(&store).await;
        assert_ne!(after.epoch, before.epoch, "{drop}");
        assert_eq!(texts(&store).await, ["new"], "{drop}");
    }
}
