//! The cost of the queries of a log, in pages that Postgres touches.

use sse_conformance::engines::Postgres;
use tokio_postgres::Client;

use crate::tools::client;

/// The query of a log: after a position, at most so many events, and bytes.
const LOOK: &str = concat!(
    "PREPARE look (text, bigint, bigint, bigint, bigint) AS ",
    include_str!("../../crates/sse-log-postgres/src/sql/log.sql"),
    include_str!("../../crates/sse-log-postgres/src/sql/page.sql"),
    include_str!("../../crates/sse-log-postgres/src/sql/bounds.sql"),
);
/// The same by topics: and with events without topics or not, and so many of each topic.
const LOOK_BY_TOPICS: &str = concat!(
    "PREPARE look_by_topics (text, bigint, bigint, bigint, bigint, text[], boolean, bigint) AS ",
    include_str!("../../crates/sse-log-postgres/src/sql/log.sql"),
    include_str!("../../crates/sse-log-postgres/src/sql/topics.sql"),
    include_str!("../../crates/sse-log-postgres/src/sql/bounds.sql"),
);
/// The place of an age: the events that were stored since this time.
const SINCE: &str = concat!(
    "PREPARE since (text, float8) AS ",
    include_str!("../../crates/sse-log-postgres/src/sql/before_since.sql"),
);
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off; SET enable_bitmapscan = off";

/// A connection that asks as a log does.
pub(crate) async fn asks(postgres: &Postgres) -> Client {
    let client = client(postgres).await;
    for sql in [SETTINGS, LOOK, LOOK_BY_TOPICS, SINCE] {
        client.batch_execute(sql).await.expect(sql);
    }
    client
}

/// Returns the number of pages of 8 kB that Postgres touches to answer this.
pub(crate) async fn pages(client: &Client, sql: &str) -> u64 {
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}");
    let rows = client.simple_query(&explain).await.expect("explained");
    let lines = rows.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: serde_json::Value =
        serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).expect("JSON");
    let of = |name: &str| plan[0]["Plan"][name].as_u64().expect("a number");
    of("Shared Hit Blocks") + of("Shared Read Blocks")
}
