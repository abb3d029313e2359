//! The index of topics: the cost of a read, and the entries that remain.

use std::process::Command;

use sse_conformance::engines::Postgres;
use sse_core::store::{PageLimit, Store, TopicFilter};
use sse_core::{Event, Position, StoreOptions};
use sse_log_postgres::EngineOptions;
use sse_test_kit::engines::EngineServer;

use crate::plans::{asks, pages};
use crate::tools::{
    Processes, append, bounds, client, event, execute, keyed, of_topics, open, read_by, texts,
    topic,
};

/// 100 000 events, in the order of the log: every thousandth is of the topic `rare`, and the others of one room of 2 000 and two users of 700; 1 % have no topic.
const MANY: &str = r"
    INSERT INTO sse_log_events (log, hi, lo, block)
    SELECT 'log', 1, n, convert_to(repeat('data: x', 18) || E'\n', 'UTF8') FROM generate_series(1, 100000) n WHERE n % 100 = 7;
    INSERT INTO sse_log_topic_events (log, hi, lo, block, topics)
    SELECT 'log', 1, n, convert_to(repeat('data: x', 18) || E'\n', 'UTF8'), CASE WHEN n % 1000 = 1
        THEN ARRAY['rare'] ELSE ARRAY['room/' || n % 2000, 'user/' || n % 700, 'user/' || 700 + n % 700] END
    FROM generate_series(1, 100000) n WHERE n % 100 <> 7;
    SELECT setval('sse_log_positions', 100000)";

/// Returns a log of many events, and a connection that asks as the log does.
async fn many() -> (Postgres, tokio_postgres::Client) {
    let postgres = Postgres::start().await;
    open(&postgres).await;
    execute(&postgres, MANY).await;
    let client = asks(&postgres).await;
    (postgres, client)
}

fn look(topics: &[String], of_each: usize) -> String {
    let topics = topics.join("','");
    format!(
        "EXECUTE look_by_topics ('log', 0, 0, 1000, 49152, ARRAY['{topics}'], false, {of_each})"
    )
}

/// A page of 8 kB for each event is the least, where events of others lie between.
#[tokio::test]
async fn a_rare_topic_among_many_events_is_read_without_the_log() {
    let (postgres, client) = many().await;
    let rare = look(&["rare".to_owned()], 1000);
    pages(&client, &rare).await; // what is looked up once
    let cost = pages(&client, &rare).await;
    assert!(cost <= 200, "{cost} pages for 100 events");
    let store = open(&postgres).await;
    let filter = TopicFilter::new([topic("rare")], false);
    let read = store.read_topics(Position::START, &filter, PageLimit::of_events(1000)).await;
    let read = read.expect("a page");
    assert_eq!(read.page.events.len(), 100, "all in one page");
    assert_eq!(read.upto, Position::new(1, 100_000));
    let nobody: Vec<_> = (0..16).map(|n| format!("nobody/{n}")).collect();
    let cost = pages(&client, &look(&nobody, 125)).await;
    assert!(cost <= 250, "{cost} pages for nothing");
}

#[tokio::test]
async fn a_read_of_many_topics_reads_a_part_of_each() {
    let (_postgres, client) = many().await;
    let rooms: Vec<_> = (0..500).map(|n| format!("room/{}", 2 * n)).collect();
    let look = look(&rooms, 16);
    pages(&client, &look).await;
    let cost = pages(&client, &look).await;
    // Three indexes, three pages of each, and 16 events; and the bounds.
    let most = 500 * (3 * 3 + 16) + 100;
    assert!(cost <= most, "{cost} pages, of which {most} would do");
}

/// A page of the log answers where the topics are much of it: the index of three places would be read for each topic.
#[tokio::test]
async fn many_topics_that_are_much_of_the_log_are_read_from_the_log() {
    let (postgres, _client) = many().await;
    let store = open(&postgres).await;
    postgres.log_statements().await;
    let statements = |text| postgres.statements(text);
    let read = async |count: usize, step: usize| {
        let topics = (0..count).map(|n| topic(format!("room/{}", n * step)));
        let filter = TopicFilter::new(topics, false);
        let before = [statements("and its events after"), statements("and its events of some")];
        let limit = PageLimit::of_events(400);
        let read = store.read_topics(Position::START, &filter, limit).await.expect("a page");
        assert!(!read.page.events.is_empty());
        let after = [statements("and its events after"), statements("and its events of some")];
        [after[0] - before[0], after[1] - before[1]]
    };
    assert_eq!(read(1000, 1).await, [1, 0], "a half of the log");
    assert_eq!(read(100, 20).await, [1, 1], "a twentieth of the log");
    assert_eq!(read(16, 1).await, [0, 1], "few topics");
}

/// The number of entries of each index, without those of rows that a vacuum may remove.
async fn entries(postgres: &Postgres) -> Vec<i64> {
    let client = client(postgres).await;
    let vacuum = "VACUUM (INDEX_CLEANUP ON) sse_log_topic_events";
    for sql in [vacuum, "CREATE EXTENSION IF NOT EXISTS pageinspect"] {
        client.batch_execute(sql).await.expect(sql);
    }
    // A leaf that is not the last begins with the highest key of its neighbour.
    let count = r"SELECT (
            SELECT coalesce(sum(p.live_items - (p.btpo_next <> 0)::int) FILTER (WHERE p.type = 'l'), 0)::bigint
            FROM generate_series(1, pg_relation_size(i.name) / 8192 - 1) AS block, bt_page_stats(i.name, block) p
        ) FROM (SELECT 'sse_log_topic_events_' || n AS name FROM generate_series(1, 8) n) i";
    let rows = client.query(count, &[]).await.expect("counted");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn no_entry_of_a_topic_outlives_its_event() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let mut positions = Vec::new();
    for n in 0..200 {
        let event = match n % 4 {
            0 => of_topics(event(n), [format!("a/{n}")]),
            1 => of_topics(event(n), ["b", "c"]),
            2 => of_topics(keyed("key", n), ["b", "c", "d"]),
            _ => event(n),
        };
        positions.extend(store.append(&[event]).await.expect("stored").positions);
    }
    assert_eq!(entries(&postgres).await, [150, 100, 50, 0, 0, 0, 0, 0]);
    store.delete(positions[197]).await.expect("deleted");
    assert_eq!(entries(&postgres).await, [149, 99, 50, 0, 0, 0, 0, 0], "at once");
    store.retain(&StoreOptions::new().events(20).retention()).await.expect("retained");
    let kept = texts(&store).await;
    assert_eq!(kept.len(), 20, "{kept:?}");
    let of = |part: usize| {
        let parts = kept.iter().map(|text| text.parse::<usize>().expect("a number") % 4);
        parts.filter(|of| *of == part).count() as i64
    };
    let (one, two, three) = (of(0), of(1), of(2));
    assert_eq!(three, 1, "of one key");
    assert_eq!(entries(&postgres).await[..3], [one + two + three, two + three, three]);
    store.begin_epoch(bounds(&store).await.epoch).await.expect("begun");
    assert_eq!(read_by(&store, ["d"]).await, ["198"], "a new epoch keeps the events");
}

/// A backup, say: its rows stay, and no read of a topic meets them.
#[tokio::test]
async fn an_old_snapshot_makes_no_read_of_a_topic_slower() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let events: Vec<_> = (0..20_000).map(|n| of_topics(event(n), ["hot"])).collect();
    for events in events.chunks(1000) {
        store.append(events).await.expect("stored");
    }
    let backup = client(&postgres).await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM sse_logs";
    backup.batch_execute(begin).await.expect("begun");
    store.retain(&StoreOptions::new().events(10).retention()).await.expect("retained");
    assert_eq!(read_by(&store, ["hot"]).await.len(), 10);
    let client = asks(&postgres).await;
    for _ in 0..2 {
        let cost = pages(&client, &look(&["hot".to_owned()], 1000)).await;
        assert!(cost < 200, "{cost} pages");
    }
    backup.batch_execute("COMMIT").await.expect("it was open");
}

/// An operator removes rows of the events, and moves events by a dump, as before there were topics.
#[tokio::test]
async fn the_index_is_right_after_an_operator_removed_rows_or_restored_a_dump() {
    let (postgres, other) = (Postgres::start().await, Postgres::start_another().await);
    let store = open(&postgres).await;
    let mut last = Position::START;
    for n in 0..10 {
        let event = of_topics(event(n), [["even", "odd"][n % 2], "all"]);
        last = store.append(&[event]).await.expect("stored").positions[0];
        if n == 4 {
            let (hi, lo) = (last.hi(), last.lo());
            let remove = format!(
                "BEGIN; SELECT pg_advisory_xact_lock(sse_log_kept_lock('log')); \
                 DELETE FROM sse_log_events WHERE (hi, lo) <= ({hi}, {lo}); \
                 UPDATE sse_log_kept SET floor_hi = {hi}, floor_lo = {lo}, counted_hi = 0, counted_lo = 0, events = 0, bytes = 0; \
                 COMMIT"
            );
            execute(&postgres, &remove).await;
        }
    }
    assert_eq!(read_by(&store, ["even"]).await, ["6", "8"]);
    assert_eq!(entries(&postgres).await[..2], [5, 5]);

    let url = |of: &Postgres| format!("postgres://postgres@{}/postgres", of.address());
    let dump = "pg_dump --dbname $0 | psql --quiet --set ON_ERROR_STOP=1 --dbname $1";
    let done = Command::new("sh").args(["-c", dump, &url(&postgres), &url(&other)]).output();
    let done = done.expect("a shell");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let restored = open(&other).await;
    assert_ne!(bounds(&restored).await.epoch, bounds(&store).await.epoch);
    assert_eq!(bounds(&restored).await.newest, last);
    assert_eq!(read_by(&restored, ["odd"]).await, ["5", "7", "9"]);
    restored.append(&[of_topics(event("next"), ["odd"])]).await.expect("stored");
    assert_eq!(read_by(&restored, ["odd"]).await, ["5", "7", "9", "next"]);
}

#[tokio::test]
async fn an_event_in_a_transaction_of_the_application_has_its_topics() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let transaction = client.transaction().await.expect("begun");
    let events = ["room/1", "room/2", "room/1"].map(|topic| {
        Event::new(topic).topic(topic).and_then(|event| event.topic("room")).expect("a topic")
    });
    store.append_all_in(&transaction, events).await.expect("appended");
    store.append_in(&transaction, "to all").await.expect("appended");
    assert!(read_by(&store, ["room"]).await.is_empty(), "not before it is committed");
    transaction.commit().await.expect("committed");
    assert_eq!(read_by(&store, ["room/1"]).await, ["room/1", "room/1"]);
    assert_eq!(texts(&store).await, ["room/1", "room/2", "room/1", "to all"]);
}

/// The event without its topics would go to everybody.
#[tokio::test]
async fn an_event_with_invalid_topics_is_not_read_as_one_without() {
    let postgres = Postgres::start().await;
    let store = postgres.store("log", EngineOptions::default()).await;
    append(&store, "one").await;
    store.append(&[of_topics(event("two"), ["a"])]).await.expect("stored");
    let spoil = "UPDATE sse_log_topic_events SET topics = ARRAY[E'a\\nb']";
    execute(&postgres, spoil).await;
    let refused = store.read(Position::START, PageLimit::of_events(9)).await.expect_err("invalid");
    assert!(crate::tools::told(&refused).contains("sse_log_topic_events"), "{refused}");
    let none = "UPDATE sse_log_topic_events SET topics = '{}'";
    client(&postgres).await.batch_execute(none).await.expect_err("the table checks it");
}
