//! The costs of topics, counted by the system: bytes that this process reads and writes. So the tests run one after the other.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_executor::block_on;
use sse_core::store::{EncodedEvent, PageLimit, Store, TopicFilter};
use sse_core::{Error, NewEvent, Position, StoreOptions, Topic};
use sse_log_redb::{EngineOptions, RedbStore, closed, connect};

type Test = Result<(), Box<dyn std::error::Error>>;

/// A cache that is too small for the log: redb reads the whole file when it opens it, if it was compiled with debug assertions.
const CACHE: usize = 256 * 1024;
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

async fn open(path: &Path) -> Result<RedbStore, Error> {
    let options = StoreOptions::new().events(1_000_000);
    connect(path, EngineOptions::new().cache_bytes(CACHE)).await?.store("log", options).await
}

fn event(topics: &[&str]) -> Result<EncodedEvent, Error> {
    let mut event = NewEvent::from("x".repeat(121));
    for topic in topics {
        event = event.topic(*topic)?;
    }
    event.encode(1000)
}

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of bytes that this process has read (`rchar`) or written (`wchar`) by calls of the system.
fn bytes(what: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let counts = fs::read_to_string("/proc/self/io")?;
    let count = counts.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
    Ok(count.ok_or("no such count")?.parse()?)
}

/// 20 events among 30 000. A row has about 120 events, so the log has 250 rows of 16 KiB.
#[test]
fn a_rare_topic_is_read_without_reading_the_log() -> Test {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path).await?;
        for batch in 0..30 {
            let events: Result<Vec<_>, _> = (0..1000)
                .map(|n| match (batch, n) {
                    (10.., 7) => event(&["rare"]),
                    _ => event(&[&format!("user/{}", n * 7919 % 1000), "all"]),
                })
                .collect();
            store.append(&events?).await?;
        }
        Test::Ok(())
    })?;
    let read = |filter: TopicFilter| -> Result<(usize, u64), Box<dyn std::error::Error>> {
        // The file is opened again, so that little of it is in memory.
        assert!(block_on(closed(&path, Duration::from_secs(5)))?);
        block_on(async {
            let store = open(&path).await?;
            store.bounds().await?;
            let (before, mut at, mut count) = (bytes("rchar")?, Position::START, 0);
            loop {
                let read = store.read_topics(at, &filter, LIMIT).await?;
                (at, count) = (read.upto, count + read.page.events.len());
                if at >= read.page.bounds.newest {
                    return Ok((count, (bytes("rchar")? - before) / 4096));
                }
            }
        })
    };
    let (count, all) = read(TopicFilter::new([Topic::from_static("all")], false))?;
    assert!(count == 29_980 && all > 900, "{all} pages for the log of {count} events");
    let (count, pages) = read(TopicFilter::new([Topic::from_static("rare")], true))?;
    // A row of four pages for each event, and the pages of the index on the way to it.
    assert!(count == 20 && pages < 20 * 4 + 60, "{pages} pages for {count} events");
    Ok(())
}

#[test]
fn an_append_without_topics_writes_no_more_where_other_events_have_topics() -> Test {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let written = |name: &str, before: &[&str]| -> Result<u64, Box<dyn std::error::Error>> {
        let path = folder.path().join(name);
        block_on(async {
            let store = open(&path).await?;
            store.append(&vec![event(before)?; 2000]).await?;
            store.append(&[event(&[])?]).await?;
            let begun = bytes("wchar")?;
            for _ in 0..20 {
                store.append(&[event(&[])?]).await?;
            }
            Ok(bytes("wchar")? - begun)
        })
    };
    let (none, some) = (written("none.redb", &[])?, written("some.redb", &["a", "b"])?);
    assert!(some <= none + none / 50, "{some} bytes, and {none} in a log without topics");
    Ok(())
}
