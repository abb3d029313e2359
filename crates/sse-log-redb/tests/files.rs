//! Files of other applications, and damaged files.

use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use sse_core::store::{PageLimit, Store};
use sse_core::{Error, NewEvent, Position, StoreOptions};
use sse_log_redb::{EngineOptions, RedbStore, connect};

const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };

type Test = Result<(), Box<dyn std::error::Error>>;

async fn open(path: &Path, options: EngineOptions) -> Result<RedbStore, Error> {
    connect(path, options).await?.store("log", StoreOptions::default()).await
}

/// Returns the error of opening a file.
fn refusal(path: &Path, options: EngineOptions) -> String {
    let error = block_on(open(path, options)).expect_err("a refusal");
    assert!(error.is_store() && !error.is_outcome_unknown());
    chain(&error)
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[track_caller]
fn check(path: &Path, expected: &str) {
    let refusal = refusal(path, EngineOptions::default());
    assert!(refusal.contains(expected), "{refusal}");
    assert!(!expected.is_empty());
}

#[test]
fn opening_an_unusable_file_returns_an_error_that_says_why() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");

    check(&folder.path().join("missing/log.redb"), "No such file");
    check(folder.path(), "Is a directory");
    fs::write(&path, "a text, and not a short one\n".repeat(10_000))?;
    check(&path, "not a redb file");
    fs::write(&path, "short")?;
    check(&path, "not a redb file");
    fs::write(&path, vec![0; 1 << 20])?;
    check(&path, "not a redb file");

    let other = folder.path().join("other.redb");
    let database = redb::Database::create(&other)?;
    let txn = database.begin_write()?;
    let table = redb::TableDefinition::<u64, u64>::new("theirs");
    txn.open_table(table)?.insert(1, 1)?;
    txn.commit()?;
    check(&other, "already open, in another process");
    drop(database);
    check(&other, "a redb file of another application");
    Ok(())
}

#[test]
fn opening_waits_for_another_process_if_the_options_say_so() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    assert!(block_on(open(&path, EngineOptions::default())).is_ok());
    assert!(block_on(sse_log_redb::closed(&path, Duration::from_secs(5)))?);
    let other = redb::Database::open(&path)?;
    check(&path, "in another process");
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        drop(other);
    });
    let options = EngineOptions::new().connect_timeout(Duration::from_secs(5));
    assert!(block_on(open(&path, options.clone())).is_ok());
    assert!(other.join().is_ok());
    Ok(())
}

/// Another call in this process waits for the file, too.
#[test]
fn closed_returns_false_in_time_while_a_call_waits_for_the_file() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let other = redb::Database::create(&path)?;
    let options = EngineOptions::new().connect_timeout(Duration::from_secs(3));
    let begun = Instant::now();
    let waiting = open(&path, options.clone());
    let (opened, is_closed) = block_on(async {
        futures_util::future::join(waiting, async {
            let mut closed = sse_log_redb::closed(&path, Duration::ZERO).await;
            // The other call waits once the file counts as not closed.
            while matches!(closed, Ok(true)) && begun.elapsed() < Duration::from_secs(1) {
                closed = sse_log_redb::closed(&path, Duration::ZERO).await;
            }
            (closed, begun.elapsed())
        })
        .await
    });
    assert!(!is_closed.0?);
    assert!(is_closed.1 < Duration::from_secs(2), "{:?}", is_closed.1);
    assert!(opened.is_err());
    drop(other);
    Ok(())
}

/// A killed process or a full disk leaves no file that is refused forever.
#[test]
fn a_file_is_complete_from_the_moment_it_exists() -> Test {
    let folder = tempfile::tempdir()?;
    for n in 0..20 {
        let path = folder.path().join(format!("{n}.redb"));
        let seen = {
            let path = path.clone();
            std::thread::spawn(move || {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_secs(5) {
                    if let Ok(bytes) = fs::read(&path) {
                        return bytes;
                    }
                }
                Vec::new()
            })
        };
        drop(block_on(open(&path, EngineOptions::default()))?);
        let seen = seen.join().expect("no panic");
        assert!(seen.starts_with(b"redb"), "{} bytes, beginning with other bytes", seen.len());
    }
    let left = fs::read_dir(folder.path())?.filter_map(Result::ok);
    let is_known = |name: &str| name.ends_with(".redb") || name.ends_with(".redb.reserve");
    let left = left.filter(|file| !is_known(&file.file_name().to_string_lossy()));
    assert_eq!(left.count(), 0, "no other file remains");
    Ok(())
}

/// Returns an error with its causes, as a person reads it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[test]
fn an_invalid_name_is_refused() -> Test {
    let folder = tempfile::tempdir()?;
    for name in ["", "a b", "ä", "a/b", &"x".repeat(65)] {
        let opened = block_on(sse_log_redb::open(folder.path().join("x"), name));
        let error = with_causes(&opened.expect_err("an invalid name"));
        assert!(error.contains(&format!("{name:?} cannot name a log")), "{error}");
    }
    Ok(())
}

/// Reading returns an error or all events unchanged. Without the check redb may notice the damage late, but does not panic.
#[test]
fn a_damaged_file_returns_an_error_and_does_not_panic() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let events: Vec<_> =
        (0..500).map(|n| NewEvent::from(format!("{n:0100}")).encode(1000)).collect();
    let events = events.into_iter().collect::<Result<Vec<_>, _>>()?;
    block_on(async {
        let store = open(&path, EngineOptions::default()).await?;
        store.append(&events).await?;
        Test::Ok(())
    })?;
    assert!(block_on(sse_log_redb::closed(&path, Duration::from_secs(5)))?);
    let whole = fs::read(&path)?;
    let mut refused = 0;
    for n in 0..60 {
        for check_on_open in [true, false] {
            let mut bytes = whole.clone();
            let at = n * bytes.len() / 60;
            let end = bytes.len().min(at + 100);
            bytes[at..end].fill(0xA5);
            let path = folder.path().join(format!("damaged-{n}-{check_on_open}.redb"));
            fs::write(&path, &bytes)?;
            let options = EngineOptions::new().check_on_open(check_on_open);
            let read = block_on(async {
                let store = open(&path, options.clone()).await?;
                let page = store.read(Position::START, ALL).await?;
                store.append(&events[..1]).await?;
                Ok::<_, Error>(page.events)
            });
            match read {
                Err(error) => {
                    let error = chain(&error);
                    assert!(!error.contains("have ended"), "{error}");
                    refused += 1;
                }
                Ok(read) if check_on_open => {
                    assert!(
                        read.iter()
                            .map(|event| &event.block)
                            .eq(events.iter().map(|event| &event.block)),
                        "at {at}"
                    );
                }
                Ok(_) => {}
            }
        }
    }
    assert!(refused > 0, "no damage was noticed");
    Ok(())
}

#[test]
fn a_deleted_event_is_gone_from_the_file_after_compaction() -> Test {
    const MARK: &[u8] = b"nothing of this may stay";
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let event = |text: String| NewEvent::from(text).encode(1000);
    let batch = |n: usize| {
        (0..100).map(|m| event(format!("{n:050} {m:050}"))).collect::<Result<Vec<_>, _>>()
    };
    let has_mark = || -> std::io::Result<bool> {
        Ok(fs::read(&path)?.windows(MARK.len()).any(|bytes| bytes == MARK))
    };
    block_on(async {
        let store = open(&path, EngineOptions::default()).await?;
        for n in 0..10 {
            store.append(&batch(n)?).await?;
        }
        let mark = store.append(&[event(String::from_utf8_lossy(MARK).into())?]).await?;
        for n in 0..10 {
            store.append(&batch(n)?).await?;
        }
        assert!(has_mark()?);
        store.delete(mark.positions[0]).await?;
        assert!(has_mark()?, "it stays in a free page");
        sse_log_redb::compact(&path).await?;
        assert!(!has_mark()?);
        assert_eq!(store.read(Position::START, ALL).await?.events.len(), 2000);
        Ok(())
    })
}
