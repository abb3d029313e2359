//! Duration of opening a large file after a process ended without closing it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use sse_core::StoreOptions;
use sse_core::store::Store;
use sse_log_redb::{EngineOptions, EventLog, connect};

type Test = Result<(), Box<dyn std::error::Error>>;

const FILE: &str = "SSE_REOPEN_FILE";
const SIZE: u64 = 1 << 30;
const EVENT: usize = 8000;

async fn open(path: &Path) -> Result<EventLog, sse_log_redb::Error> {
    let options = StoreOptions::new().events(1 << 30).bytes(1 << 40);
    connect(path, EngineOptions::default()).await?.open("log", options).await
}

/// Fills the file, waits until it was quiet for a while, and ends the process without closing the file.
#[test]
#[ignore = "the next test runs it"]
fn fill() -> Test {
    let Some(path) = std::env::var_os(FILE) else { return Ok(()) };
    block_on(async {
        let log = open(path.as_ref()).await?;
        let events = vec!["x".repeat(EVENT); 100];
        while std::fs::metadata(&path)?.len() < SIZE {
            log.append_all(events.clone()).await?;
        }
        std::thread::sleep(Duration::from_secs(3));
        std::process::exit(0)
    })
}

#[test]
#[ignore = "it writes a gigabyte; run it with --release, since redb checks itself for longer otherwise"]
fn a_gigabyte_is_opened_again_within_a_fifth_of_a_second() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let mut fill = Command::new(std::env::current_exe()?);
    fill.args(["--exact", "fill", "--ignored"]).env(FILE, &path);
    assert!(fill.status()?.success());
    let begun = Instant::now();
    let engine = block_on(connect(&path, EngineOptions::default()))?;
    let store = block_on(engine.store("log", StoreOptions::default()))?;
    let newest = block_on(store.bounds())?.newest.lo();
    let took = begun.elapsed();
    println!("{newest} events, {} bytes: {took:?}", std::fs::metadata(&path)?.len());
    assert!(newest * EVENT as u64 > SIZE / 3 && took < Duration::from_millis(200), "{took:?}");
    Ok(())
}
