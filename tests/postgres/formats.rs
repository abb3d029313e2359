//! Logs that an earlier build has written. A change of the tables fails here, unless it migrates the tables before it: then it gets a number of
//! its own, and a file of its own beside the ones that are here.

use std::time::Duration;

use sse_conformance::engines::Postgres;
use sse_conformance::suite::formats::{Kept, reads_what_an_earlier_build_has_written};
use sse_conformance::suite::store_engine::Engine;
use sse_core::{Position, StoreOptions};

use crate::tools::execute;

/// However long ago the logs were written.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

#[tokio::test]
async fn a_log_of_schema_4_is_read_and_goes_on() {
    let postgres = Postgres::start().await;
    execute(&postgres, include_str!("schema-4.sql")).await;
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
