//! The clock of the server jumps.

use std::time::Duration;

use sse_conformance::engines::Postgres;
use sse_core::store::{EncodedEvent, Store};
use sse_log_postgres::tokio_postgres::NoTls;
use sse_log_postgres::{EngineOptions, PostgresStore, StoreOptions, connect_with};

use crate::tools::{PAGE, append, bounds, execute, texts};

/// The functions of the log ask this one, since it is before Postgres's own on their path.
const CLOCK: &str = "CREATE TABLE jump (by interval); INSERT INTO jump VALUES ('0');
    CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    'SELECT pg_catalog.clock_timestamp() + by FROM public.jump'";

async fn store(postgres: &Postgres) -> PostgresStore {
    let mut config = postgres.config();
    config.options("-csearch_path=public,pg_catalog");
    let shared = connect_with(config, NoTls, EngineOptions::default()).await.expect("a runtime");
    shared.store("log", options()).await.expect("a name")
}

fn options() -> StoreOptions {
    StoreOptions::new().age(Duration::from_secs(600))
}

fn once() -> [EncodedEvent; 1] {
    [crate::tools::once("once", "once")]
}

#[tokio::test]
async fn a_clock_that_jumps_neither_forgets_keys_nor_ages_everything_away() {
    for by in ["1 hour", "-1 hour"] {
        let postgres = Postgres::start().await;
        execute(&postgres, CLOCK).await;
        let running = store(&postgres).await;
        let first = running.append(&once()).await.expect("stored");
        append(&running, "two").await;
        execute(&postgres, &format!("UPDATE jump SET by = '{by}'")).await;
        assert_eq!(running.append(&once()).await.expect("known"), first, "{by}");
        append(&running, "three").await;
        running.retain(&options().retention()).await.expect("retained");
        assert_eq!(texts(&running).await, ["once", "two", "three"], "{by}");

        // A process that comes later goes by those that run.
        let later = store(&postgres).await;
        bounds(&later).await;
        later.retain(&options().retention()).await.expect("retained");
        assert_eq!(later.append(&once()).await.expect("known"), first, "{by}");
        assert_eq!(texts(&later).await, ["once", "two", "three"], "{by}");
    }
}

#[tokio::test]
async fn a_clock_that_jumps_hides_no_event_from_a_first_visit_by_age() {
    for by in ["1 hour", "-1 hour"] {
        let postgres = Postgres::start().await;
        execute(&postgres, CLOCK).await;
        let running = store(&postgres).await;
        append(&running, "one").await;
        execute(&postgres, &format!("UPDATE jump SET by = '{by}'")).await;
        append(&running, "two").await;
        running.retain(&options().retention()).await.expect("retained");
        for store in [&running, &store(&postgres).await] {
            let before = store.before_since(Duration::from_secs(60)).await.expect("a position");
            let page = store.read(before, PAGE).await.expect("a page");
            assert_eq!(page.events.len(), 2, "{by}");
        }
    }
}
