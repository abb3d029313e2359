//! Logs that an earlier build has written. A change of what is stored fails here, unless it reads the formats before it as well: then it gets
//! a number of its own, and a file of its own beside the ones that are here.

use std::time::Duration;

use sse_conformance::engines::Redis;
use sse_conformance::suite::answers::text;
use sse_conformance::suite::formats::{Kept, reads_what_an_earlier_build_has_written};
use sse_conformance::suite::store_engine::Engine;
use sse_core::{Position, StoreOptions};

use crate::tools::{command, filter, of_topics, read_topics};

/// However long ago the logs were written.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

#[tokio::test]
async fn a_log_of_format_1_is_read_and_goes_on() {
    let redis = Redis::start().await;
    write(&redis, include_str!("format-1.txt")).await;
    let options = StoreOptions::new().idempotency_window(CENTURY);
    let log = redis.open("log", options.clone()).await.expect("it is read");
    let done = redis.open("done", options).await.expect("it is read");
    let (first, second) = (1_795_829_691_148, 1_795_829_691_149);
    let kept = Kept {
        epoch: "gdo6ye89pzbu",
        floor: Position::new(first - 1, 0),
        five: Position::new(first, 4),
        six: Position::new(first, 5),
        seven: Position::new(first, 6),
        nine: Position::new(second, 1),
    };
    // Its events have no topics.
    assert_eq!(read_topics(&*log, &filter(["a"], true)).await.len(), 6);
    assert_eq!(read_topics(&*log, &filter(["a"], false)).await, []);
    reads_what_an_earlier_build_has_written(&*log, &*done, &kept).await;
    assert_eq!(command(&redis, "HGET sse:{log}:meta format").await, "$1\r\n1\r\n");
    log.append(&[of_topics("of a topic", ["a"])]).await.expect("stored");
    assert_eq!(read_topics(&*log, &filter(["a"], true)).await.len(), 8);
    assert_eq!(read_topics(&*log, &filter(["a"], false)).await.len(), 1);
}

#[tokio::test]
async fn a_log_of_format_2_is_read_and_goes_on() {
    let redis = Redis::start().await;
    write(&redis, include_str!("format-2.txt")).await;
    let options = StoreOptions::new().idempotency_window(CENTURY);
    let log = redis.open("log", options.clone()).await.expect("it is read");
    let done = redis.open("done", options).await.expect("it is read");
    let kept = Kept {
        epoch: "dgow71g21q30",
        floor: Position::new(1_795_843_115_365, 0),
        five: Position::new(1_795_843_115_371, 1),
        six: Position::new(1_795_843_115_374, 0),
        seven: Position::new(1_795_843_115_375, 0),
        nine: Position::new(1_795_843_115_377, 0),
    };
    let (a, b) = (filter(["a"], false), filter(["b"], true));
    let found = async |filter| {
        let events = read_topics(&*log, filter).await;
        events.iter().map(|event| text(&event.block)).collect::<Vec<_>>()
    };
    assert_eq!(found(&a).await, ["one", "five", "eight", "nine"]);
    assert_eq!(found(&b).await, ["five", "six", "seven"]);
    reads_what_an_earlier_build_has_written(&*log, &*done, &kept).await;
    assert_eq!(found(&a).await, ["one", "eight", "nine"]);
    assert_eq!(found(&b).await, ["six", "ten", "eleven", "twelve"]);
}

async fn write(redis: &Redis, fixture: &str) {
    for line in fixture.lines().filter(|line| !line.starts_with('#')) {
        let answer = command(redis, line).await;
        assert!(!answer.starts_with('-'), "{line}: {answer}");
    }
}
