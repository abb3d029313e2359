//! Logs that an earlier build has written. A change of the tables fails here, unless it migrates the tables before it: then it gets a number of
//! its own, and a file of its own beside the ones that are here.

use std::time::Duration;

use sse_conformance::engines::Postgres;
use sse_conformance::suite::formats::{Kept, reads_what_an_earlier_build_has_written};
use sse_conformance::suite::store_engine::Engine;
use sse_core::store::Store;
use sse_core::{Position, StoreOptions, Topic};
use sse_log_postgres::{EngineOptions, connect_with};
use tokio_postgres::NoTls;

use crate::tools::{
    PAGE, Processes, bounds, event, execute, keyed, of_topics, once, read_by, texts,
};

/// However long ago the logs were written.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The tables of schema 4, and what schema 5 adds.
const SCHEMA_4: &str = include_str!("schema-4.sql");
const SCHEMA_5: &str = include_str!("schema-5.sql");

#[tokio::test]
async fn a_log_of_schema_4_is_read_and_goes_on() {
    let postgres = Postgres::start().await;
    execute(&postgres, SCHEMA_4).await;
    reads_the_logs_of_schema_4(&postgres).await;
}

/// Its events with topics are in a table of their own.
#[tokio::test]
async fn a_log_of_schema_5_is_read_and_goes_on() {
    let postgres = Postgres::start().await;
    execute(&postgres, SCHEMA_4).await;
    execute(&postgres, SCHEMA_5).await;
    reads_the_logs_of_schema_4(&postgres).await;

    let options = StoreOptions::new().idempotency_window(CENTURY);
    let log = postgres.open("topics", options).await.expect("it is read");
    assert_eq!(bounds(&*log).await.epoch.as_str(), "k8topics0000", "no epoch begins");
    let page = log.read(Position::START, PAGE).await.expect("a page");
    let topics = page.events.iter().map(|event| event.topics.iter().map(Topic::as_str).collect());
    let topics: Vec<Vec<_>> = topics.collect();
    assert_eq!(topics, [&[][..], &["room/42"], &["room/42", "user/7"], &["user/8"]]);
    let again = log.append(&[of_topics(once("o", "again"), ["user/8"])]).await.expect("known");
    assert_eq!(again.positions, [Position::new(31, 17)], "the key is remembered");
    log.append(&[of_topics(keyed("k", "next"), ["user/9"])]).await.expect("stored");
    assert_eq!(read_by(&*log, ["room/42"]).await, ["of one"], "`of two` was superseded");
    assert_eq!(read_by(&*log, ["user/9", "user/8"]).await, ["of another", "next"]);
}

/// An older process continues after the tables were migrated, and has no topics. A user may do with the new table as with the old.
#[tokio::test]
async fn a_user_of_schema_4_has_the_rights_of_schema_5_and_older_processes_continue() {
    let postgres = Postgres::start().await;
    execute(&postgres, SCHEMA_4).await;
    let grant = "CREATE USER app; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app; \
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app";
    execute(&postgres, grant).await;
    let owner = postgres.store("log", EngineOptions::default()).await;
    assert_eq!(bounds(&owner).await.epoch.as_str(), "k8ji6vrih5xo", "it migrates the tables");
    let older = "SET ROLE app; SELECT sse_log_append('log', ARRAY['data: of an older process\\012']::bytea[], NULL, NULL, \
        '1 min', now(), 10, 1000)";
    execute(&postgres, older).await;

    let mut config = postgres.config();
    config.user("app");
    let app = connect_with(config, NoTls, EngineOptions::default()).await.expect("a runtime");
    let app = app.store("log", StoreOptions::default()).await.expect("a name");
    app.append(&[of_topics(event("of a newer"), ["user/7"])]).await.expect("stored");
    assert_eq!(read_by(&app, ["user/7"]).await, ["of a newer"]);
    assert_eq!(texts(&app).await.split_off(6), ["of an older process", "of a newer"]);
    let page = app.read(Position::START, PAGE).await.expect("a page");
    let topics: Vec<_> = page.events[6..].iter().map(|event| event.topics.len()).collect();
    assert_eq!(topics, [0, 1]);
}

async fn reads_the_logs_of_schema_4(postgres: &Postgres) {
    let options = StoreOptions::new().idempotency_window(CENTURY);
    let log = postgres.open("log", options.clone()).await.expect("it is read");
    let done = postgres.open("done", options).await.expect("it is read");
    let kept = Kept {
        epoch: "k8ji6vrih5xo",
        floor: Position::new(6, 1),
        five: Position::new(13, 6),
        six: Position::new(14, 7),
        seven: Position::new(15, 8),
        nine: Position::new(23, 11),
    };
    reads_what_an_earlier_build_has_written(&*log, &*done, &kept).await;
}
