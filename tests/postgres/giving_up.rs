//! Calls that are given up while the server has not answered.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sse_conformance::engines::Postgres;
use sse_core::store::{Store, StoreError};
use sse_log_postgres::{EngineOptions, StoreOptions};

use crate::tools::{Processes, append, client, event, soon, told};

/// Commits wait for it, at the server, and no time-out ends that.
#[tokio::test]
async fn while_a_standby_is_away_each_try_leaves_no_connection_behind_over_the_limit() {
    let postgres = Postgres::start().await;
    let options = StoreOptions::new().store_timeout(Duration::from_secs(1));
    let shared = postgres.shared(EngineOptions::new().connections(4)).await;
    let store = shared.store("log", options).await.expect("a name");
    append(&store, "before").await;
    let client = client(&postgres).await;
    postgres.configure("synchronous_standby_names", "gone").await;
    // Commits wait once the checkpointer has heard of it, too.
    soon(async { while store.append(&[event("x")]).await.is_ok() {} }).await;
    let count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let (mut unknown, mut failed, mut most) = (0, 0, 0);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        let tries = [event("x")];
        for tried in soon(join_all((0..4).map(|_| store.append(&tries)))).await {
            match tried.expect_err("nothing is confirmed") {
                StoreError::OutcomeUnknown(_) => unknown += 1,
                error => {
                    failed += 1;
                    let said = told(&error);
                    assert!(said.contains("given up") || said.contains("no connection"), "{said}");
                }
            }
        }
        let row = client.query_one(count, &[]).await.expect("counted");
        most = most.max(row.get::<_, i64>(0));
    }
    assert!(most <= 5, "{most} connections, one of which listens");
    assert!(unknown > 0 && failed > 0, "{unknown} unknown, {failed} failed");
    client.batch_execute("ALTER SYSTEM RESET synchronous_standby_names").await.expect("reset");
    client.batch_execute("SELECT pg_reload_conf()").await.expect("reloaded");
    soon(async { while store.append(&[event("after")]).await.is_err() {} }).await;
}
