//! Threads that the logs of a file share. The test counts the threads of its process, so it has a process of its own.

use std::path::Path;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use sse_core::store::{PageLimit, Store};
use sse_core::{NewEvent, Position};
use sse_log_redb::{EngineOptions, StoreOptions, closed, connect};
use sse_test_kit::eventually::eventually_here;

type Test = Result<(), Box<dyn std::error::Error>>;

/// Returns the number of threads of this process.
fn threads() -> Result<usize, std::io::Error> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

fn until(what: &str, condition: impl FnMut() -> bool) {
    eventually_here(Duration::from_secs(10), what, condition);
}

/// Runs both checks one after the other, since each counts threads.
#[test]
fn the_logs_of_a_file_share_its_threads_and_none_delays_another() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let before = threads()?;
    many_logs_have_as_many_threads_as_one(&path, before)?;
    until("the threads end with the last log", || threads().is_ok_and(|now| now == before));
    a_log_of_large_pages_delays_no_other(&path)
}

fn many_logs_have_as_many_threads_as_one(path: &Path, before: usize) -> Test {
    let redb = block_on(connect(path, EngineOptions::default()))?;
    let one = block_on(redb.open("log-0", StoreOptions::default()))?;
    let of_one = threads()?;
    assert!(of_one - before <= 10, "{} threads", of_one - before);
    for round in 0..2 {
        let open = (0..300).map(|log| {
            let redb = redb.clone();
            async move { redb.open(&format!("log-{log}"), StoreOptions::default()).await }
        });
        let logs = block_on(join_all(open)).into_iter().collect::<Result<Vec<_>, _>>()?;
        for log in &logs {
            block_on(log.append(format!("{round}")))?;
        }
        until("each log is followed", || {
            logs.iter().all(|log| log.stats().is_followed && log.stats().events == round + 1)
        });
        assert!(threads()? <= of_one, "{} threads", threads()? - before);
    }
    assert_eq!(block_on(redb.logs())?.len(), 300);
    drop((one, redb));
    assert!(block_on(closed(path, Duration::from_secs(10)))?);
    Ok(())
}

fn a_log_of_large_pages_delays_no_other(path: &Path) -> Test {
    const LARGE: PageLimit = PageLimit { events: usize::MAX, bytes: 16 << 20 };
    let redb = block_on(connect(path, EngineOptions::default()))?;
    let slow = block_on(redb.store("slow", StoreOptions::default()))?;
    let event = NewEvent::from("x".repeat(1 << 19)).encode(1 << 20)?;
    for _ in 0..40 {
        block_on(slow.append(std::slice::from_ref(&event)))?;
    }
    let log = block_on(redb.open("log", StoreOptions::default()))?;
    let reads = async {
        loop {
            // More reads than threads that read.
            let pages = join_all((0..4).map(|_| slow.read(Position::START, LARGE))).await;
            assert!(
                pages.iter().all(|page| page.as_ref().is_ok_and(|page| page.events.len() > 30))
            );
        }
    };
    let appends = async {
        for n in 0..30 {
            let id = log.append(format!("{n}")).await?;
            assert_eq!(log.get(&id).await?.to_event().data, Some(format!("{n}")));
        }
        Ok::<_, sse_log_redb::Error>(())
    };
    futures_util::pin_mut!(reads, appends);
    match block_on(futures_util::future::select(appends, reads)) {
        futures_util::future::Either::Left((done, _)) => Ok(done?),
        futures_util::future::Either::Right(_) => unreachable!("the reads never end"),
    }
}
