//! Logs that an earlier build has written. A change of what is stored fails here, unless it reads the formats before it as well: then it gets
//! a number of its own, and a file of its own beside the ones that are here.

use std::time::Duration;

use sse_conformance::engines::Redis;
use sse_conformance::suite::formats::{Kept, reads_what_an_earlier_build_has_written};
use sse_conformance::suite::store_engine::Engine;
use sse_core::{Position, StoreOptions};

use crate::tools::command;

/// However long ago the logs were written.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

#[tokio::test]
async fn a_log_of_format_1_is_read_and_goes_on() {
    let redis = Redis::start().await;
    let lines = include_str!("format-1.txt").lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let answer = command(&redis, line).await;
        assert!(!answer.starts_with('-'), "{line}: {answer}");
    }
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
    reads_what_an_earlier_build_has_written(&*log, &*done, &kept).await;
}
