//! Files that are replaced, removed or copied: new epochs begin, and nothing is written to the file that was open.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use sse_core::store::{EncodedEvent, PageLimit, Store, StoreError};
use sse_core::{NewEvent, Position, StoreOptions};
use sse_log_redb::{EngineOptions, Error, RedbStore, closed};
use sse_test_kit::eventually::eventually_here;

type Test = Result<(), Box<dyn std::error::Error>>;

const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };

fn event(data: &str) -> EncodedEvent {
    NewEvent::from(data).encode(1000).expect("data alone")
}

async fn open(path: &Path) -> Result<RedbStore, Error> {
    let redb = sse_log_redb::connect(path, EngineOptions::default()).await?;
    redb.store("log", StoreOptions::default()).await
}

async fn texts(store: &RedbStore) -> Result<Vec<String>, StoreError> {
    let page = store.read(Position::START, ALL).await?;
    let text = |block: &[u8]| String::from_utf8_lossy(block)[6..].trim_end().to_owned();
    Ok(page.events.iter().map(|event| text(&event.block)).collect())
}

/// Appends these events as a process that closes the file. Returns the epoch.
fn put(path: &Path, texts: &[&str]) -> Result<sse_core::Epoch, Box<dyn std::error::Error>> {
    let epoch = block_on(async {
        let store = open(path).await?;
        for text in texts {
            store.append(&[event(text)]).await?;
        }
        Ok::<_, Error>(store.bounds().await?.epoch)
    })?;
    assert!(block_on(closed(path, Duration::from_secs(5)))?);
    Ok(epoch)
}

/// Returns a folder with a file that holds the event `kept`, and with a copy of it.
fn with_backup() -> Result<(tempfile::TempDir, PathBuf, PathBuf), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (path, backup) = (folder.path().join("log.redb"), folder.path().join("backup.redb"));
    put(&path, &["kept"])?;
    fs::copy(&path, &backup)?;
    Ok((folder, path, backup))
}

#[track_caller]
fn check_refusal(refused: Result<sse_core::store::Appended, StoreError>, what: &str) {
    let refused = refused.expect_err("a refusal");
    assert!(matches!(refused, StoreError::Failed(_)), "nothing was stored: {refused:?}");
    let reason = refused.source().map(ToString::to_string).unwrap_or_default();
    assert!(reason.contains(what) && reason.contains("log.redb"), "{reason}");
}

#[test]
fn an_append_to_a_file_that_was_replaced_fails_and_the_log_continues_in_the_new_file() -> Test {
    let (folder, path, backup) = with_backup()?;
    block_on(async {
        let store = open(&path).await?;
        let before = store.append(&[event("lost-1")]).await?;
        fs::rename(&path, folder.path().join("aside.redb"))?;
        fs::rename(&backup, &path)?;
        check_refusal(store.append(&[event("lost-2")]).await, "was replaced while it was open");

        let other = open(&path).await?;
        assert_eq!(texts(&other).await?, ["kept"], "it is the new file");
        let after = other.append(&[event("won-1")]).await?;
        assert_ne!(after.epoch, before.epoch, "the same position names two events");
        assert_eq!(after.positions, before.positions);
        assert_eq!(store.append(&[event("won-2")]).await?.epoch, after.epoch);
        assert_eq!(texts(&store).await?, ["kept", "won-1", "won-2"]);
        Test::Ok(())
    })?;
    assert!(block_on(closed(&path, Duration::from_secs(5)))?);
    let aside = folder.path().join("aside.redb");
    assert_eq!(block_on(async { texts(&open(&aside).await?).await })?, ["kept", "lost-1"]);
    Ok(())
}

#[test]
fn an_append_to_a_file_that_was_removed_fails_until_the_file_is_back() -> Test {
    let (folder, path, _) = with_backup()?;
    let aside = folder.path().join("aside.redb");
    block_on(async {
        let store = open(&path).await?;
        let before = store.append(&[event("one")]).await?;
        fs::rename(&path, &aside)?;
        check_refusal(store.append(&[event("two")]).await, "was removed while it was open");
        for _ in 0..3 {
            let refused = store.append(&[event("two")]).await;
            assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
            assert!(!path.exists(), "no other file is created");
        }
        fs::rename(&aside, &path)?;
        let begun = Instant::now();
        let after = loop {
            match store.append(&[event("two")]).await {
                Ok(after) => break after,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(5), "{error:?}"),
            }
        };
        assert_eq!(after.epoch, before.epoch, "it is the same file");
        assert_eq!(texts(&store).await?, ["kept", "one", "two"]);
        Ok(())
    })
}

/// The process checks the file each second, although nothing is appended.
#[test]
fn an_idle_log_notices_within_10_s_that_its_file_was_replaced() -> Test {
    let (_folder, path, backup) = with_backup()?;
    let log = block_on(sse_log_redb::open(&path, "log"))?;
    let lost = block_on(log.append("lost"))?;
    fs::rename(&backup, &path)?;
    let is_new = || lost.epoch() != Some(log.epoch());
    eventually_here(Duration::from_secs(10), "it has a new epoch", is_new);
    let error = block_on(log.get(&lost)).expect_err("the event is gone");
    assert!(!error.is_store(), "{error:?}");
    Ok(())
}

#[test]
fn a_copy_that_replaces_a_file_while_no_process_runs_begins_a_new_epoch() -> Test {
    let by_name = |backup: &Path, path: &Path| fs::rename(backup, path);
    let within = |backup: &Path, path: &Path| fs::copy(backup, path).map(drop);
    let removed_first = |backup: &Path, path: &Path| {
        fs::remove_file(path)?;
        fs::copy(backup, path).map(drop)
    };
    let restores: [fn(&Path, &Path) -> std::io::Result<()>; 3] = [by_name, within, removed_first];
    for (way, restore) in restores.into_iter().enumerate() {
        let (_folder, path, backup) = with_backup()?;
        let before = put(&path, &["lost-1", "lost-2"])?;
        restore(&backup, &path)?;
        let after = put(&path, &["won-1"])?;
        assert_ne!(after, before, "way {way}: the ids of lost-1 and won-1 are the same");
        assert_eq!(put(&path, &[])?, after, "way {way}: the epoch stays");
    }
    Ok(())
}

/// The copy has as many events as the file.
#[test]
fn a_copy_begins_a_new_epoch_and_a_moved_file_keeps_its_epoch() -> Test {
    let (folder, path, backup) = with_backup()?;
    let before = put(&path, &[])?;
    assert_ne!(put(&backup, &[])?, before);
    let moved = folder.path().join("moved.redb");
    fs::rename(&path, &moved)?;
    assert_eq!(put(&moved, &[])?, before);
    Ok(())
}

/// The earlier epoch stored the key.
#[test]
fn an_idempotency_key_of_an_earlier_epoch_is_unknown() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path).await?;
        let once = |text| {
            let event = NewEvent::from(text).idempotency_key("key").expect("a key");
            event.encode(1000).expect("data alone")
        };
        let first = store.append(&[once("one")]).await?;
        let epoch = store.begin_epoch(first.epoch).await?;
        let second = store.append(&[once("two")]).await?;
        assert_eq!((second.epoch, second.positions[0]), (epoch, Position::from(2)));
        assert_eq!(store.append(&[once("three")]).await?, second);
        assert_eq!(texts(&store).await?, ["one", "two"]);
        Ok(())
    })
}
