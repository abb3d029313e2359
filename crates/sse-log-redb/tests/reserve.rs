//! A full disk: a small disk in memory, mounted for a separate process.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use sse_core::store::{EncodedEvent, Retention, Store, StoreError};
use sse_core::{NewEvent, Position, StoreOptions};
use sse_log_redb::{EngineOptions, RedbStore};

type Test = Result<(), Box<dyn std::error::Error>>;

/// Variable with the path of the small disk, in the process that has it.
const DISK: &str = "SSE_TEST_OF_A_SMALL_DISK";
const MIB: usize = 1024 * 1024;

/// Runs this test in a process with a disk of 8 MiB.
fn on_a_small_disk(name: &str, test: impl FnOnce(&Path) -> Test) -> Test {
    if let Some(disk) = std::env::var_os(DISK) {
        return test(Path::new(&disk));
    }
    let folder = tempfile::tempdir()?;
    let script = "mount -t tmpfs -o size=8m none \"$0\" && exec \"$@\"";
    let child = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(folder.path())
        .arg(std::env::current_exe()?)
        .args(["--exact", name, "--nocapture"])
        .env(DISK, folder.path())
        .output()
        .map_err(|error| format!("unshare comes with Debian's package util-linux: {error}"))?;
    let (output, errors) =
        (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && output.contains("1 passed"), "{output}{errors}");
    Ok(())
}

fn store(disk: &Path, options: StoreOptions) -> Result<RedbStore, sse_core::Error> {
    block_on(async {
        let path = disk.join("log.redb");
        sse_log_redb::connect(path, EngineOptions::default()).await?.store("log", options).await
    })
}

fn batch(size: usize) -> Vec<EncodedEvent> {
    let event = NewEvent::from("x".repeat(size)).encode(MIB).expect("data alone");
    vec![event; 16]
}

/// Appends until the disk is full, and then until 5 calls have failed. Returns the number of calls that succeeded.
fn fill(store: &RedbStore) -> usize {
    let (mut stored, mut refused) = (0, 0);
    while refused < 5 {
        match block_on(store.append(&batch(1000))) {
            Ok(_) => stored += 1,
            Err(StoreError::Failed(_)) => {
                refused += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("the outcome is not certain: {error:?}"),
        }
        assert!(stored < 10_000, "the disk is still not full");
    }
    stored
}

#[test]
fn a_full_disk_accepts_appends_after_events_are_deleted_or_limits_lowered() -> Test {
    on_a_small_disk(
        "a_full_disk_accepts_appends_after_events_are_deleted_or_limits_lowered",
        |disk| {
            for round in 0..2 {
                let store = store(disk, StoreOptions::new().events(MIB))?;
                let stored = fill(&store);
                assert!(stored > 20, "round {round}: {stored}");
                let bounds = block_on(store.bounds())?;
                // The first call uses the reserve.
                block_on(store.delete(bounds.newest))?;
                let retention = Retention { events: 500, bytes: 1 << 30, age: None };
                block_on(store.retain(&retention))?;
                let after = block_on(store.bounds())?;
                let dropped = after.oldest.map_or(0, Position::lo);
                assert!(dropped >= after.newest.lo() - 501, "round {round}: {after:?}");
                let begun = Instant::now();
                while block_on(store.append(&batch(1000))).is_err() {
                    assert!(begun.elapsed() < Duration::from_secs(5), "round {round}: no room");
                }
                // The next round opens the file again.
                drop(store);
                let path = disk.join("log.redb");
                assert!(block_on(sse_log_redb::closed(path, Duration::from_secs(5)))?);
            }
            Ok(())
        },
    )
}

/// The file stays as large as the limit needs, although nine times as much is appended.
#[test]
fn a_log_whose_limit_fits_on_the_disk_never_fills_it() -> Test {
    on_a_small_disk("a_log_whose_limit_fits_on_the_disk_never_fills_it", |disk| {
        let store = store(disk, StoreOptions::new().events(1000))?;
        for _ in 0..600 {
            block_on(store.append(&batch(1000)))?;
        }
        Ok(())
    })
}
