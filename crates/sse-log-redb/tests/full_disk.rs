//! A full disk: a limit on the size of files, which a separate process sets for itself.

use std::error::Error as _;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use sse_core::store::{PageLimit, Store};
use sse_core::{Error, Position};
use sse_log_redb::{EngineOptions, EventLog, StoreOptions, connect};
use sse_test_kit::eventually::eventually_here;

type Test = Result<(), Box<dyn std::error::Error>>;

/// Variable that is set in the process with the limit.
const LIMITED: &str = "SSE_TEST_OF_A_FULL_DISK";
const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };

#[test]
fn an_append_to_a_full_disk_fails_and_the_log_continues_when_there_is_room() -> Test {
    if std::env::var_os(LIMITED).is_some() {
        return fill_and_make_room();
    }
    // A shell ignores the signal of the limit, which would otherwise end the process.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe()?)
        .args([
            "--exact",
            "an_append_to_a_full_disk_fails_and_the_log_continues_when_there_is_room",
        ])
        .arg("--nocapture")
        .env(LIMITED, "1")
        .output()?;
    let (output, errors) =
        (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && output.contains("1 passed"), "{output}{errors}");
    Ok(())
}

/// Sets the largest size of files that this process writes.
fn limit(bytes: &str) -> Test {
    let id = std::process::id().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    let status = Command::new("prlimit").args(["--pid", &id, &limit]).status()?;
    assert!(status.success(), "prlimit comes with Debian's package util-linux");
    Ok(())
}

fn append(log: &EventLog, number: usize) -> Result<(), Error> {
    let data = format!("{number:06} {}", "x".repeat(4000));
    block_on(log.append(data)).map(drop)
}

fn fill_and_make_room() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let log = block_on(sse_log_redb::open(&path, "log"))?;
    let first = block_on(log.append("first"))?;
    limit("1000000")?;

    let mut stored = Vec::new();
    let refused = (0..1000).find_map(|number| match append(&log, number) {
        Ok(()) => {
            stored.push(number);
            None
        }
        Err(error) => Some(error),
    });
    let refused = refused.ok_or("no append failed under the limit")?;
    assert!(refused.is_store() && !refused.is_outcome_unknown(), "{refused:?}");
    let source = refused.source().and_then(|error| error.source()).map(ToString::to_string);
    assert!(source.is_some_and(|source| source.contains("File too large")), "{refused:?}");

    // Reads continue, and each further append returns an error.
    let begun = Instant::now();
    for number in 1000..1100 {
        if append(&log, number).is_ok() {
            stored.push(number);
        }
        assert_eq!(block_on(log.get(&first))?.to_event().data.as_deref(), Some("first"));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());

    limit("unlimited")?;
    let is_stored = || append(&log, 2000).is_ok();
    eventually_here(Duration::from_secs(2), "an append succeeds with room again", is_stored);
    stored.push(2000);

    let redb = block_on(connect(&path, EngineOptions::default()))?;
    let store = block_on(redb.store("log", StoreOptions::default()))?;
    let page = block_on(store.read(Position::from(1), ALL))?;
    let numbers =
        page.events.iter().map(|event| String::from_utf8_lossy(&event.block[6..12]).parse());
    assert_eq!(numbers.collect::<Result<Vec<usize>, _>>()?, stored);
    Ok(())
}
