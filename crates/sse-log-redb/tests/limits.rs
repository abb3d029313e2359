//! Limits of what a log keeps, of the size of a transaction, and of the time that an append waits.

use std::path::Path;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use redb::ReadableDatabase;
use sse_core::store::{EncodedEvent, PageLimit, Store, StoreError};
use sse_core::{NewEvent, Position, StoreOptions};
use sse_log_redb::{EngineOptions, Error, RedbStore, closed};

type Test = Result<(), Box<dyn std::error::Error>>;

const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };

fn event(size: usize) -> EncodedEvent {
    NewEvent::from("x".repeat(size)).encode(1 << 20).expect("data alone")
}

async fn open(path: &Path, options: StoreOptions) -> Result<RedbStore, Error> {
    sse_log_redb::connect(path, EngineOptions::default()).await?.store("log", options).await
}

async fn kept(store: &RedbStore) -> Result<usize, StoreError> {
    Ok(store.read(Position::START, ALL).await?.events.len())
}

#[test]
fn an_append_drops_events_over_the_limit() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let options = StoreOptions::new().events(10);
        let store = open(&path, options).await?;
        for _ in 0..30 {
            store.append(&vec![event(10); 7]).await?;
            assert!(kept(&store).await? <= 10);
        }
        let bounds = store.bounds().await?;
        assert_eq!((bounds.floor.lo(), bounds.oldest), (200, Some(Position::from(201))));

        let options = StoreOptions::new().bytes(1000);
        let store = open(&path, options).await?;
        for _ in 0..20 {
            store.append(&[event(200)]).await?;
        }
        assert!(kept(&store).await? <= 5);
        Ok(())
    })
}

/// The first append after the limits were lowered does not wait until everything over them was dropped.
#[test]
fn an_append_drops_no_more_than_twice_as_many_as_it_adds() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path, StoreOptions::default()).await?;
        store.append(&vec![event(10); 100]).await?;
        let options = StoreOptions::new().events(10);
        let store = open(&path, options.clone()).await?;
        store.append(&[event(10)]).await?;
        assert_eq!(kept(&store).await?, 99);
        store.append(&vec![event(10); 20]).await?;
        assert_eq!(kept(&store).await?, 79);
        store.retain(&options.retention()).await?;
        assert_eq!(kept(&store).await?, 10);
        Ok(())
    })
}

/// Nobody says the options a second time.
#[test]
fn a_log_that_is_opened_over_a_store_has_the_options_of_the_store() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path, StoreOptions::new().largest_event(17)).await?;
        let log = sse_log_redb::open_store(store).await?;
        log.append("0123456789").await?;
        assert!(log.append("0123456789a").await.expect_err("it is too large").is_too_large());
        Test::Ok(())
    })
}

#[test]
fn large_events_that_arrive_together_are_split_into_transactions_of_a_megabyte() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path, StoreOptions::default()).await?;
        let appends = (0..20).map(|_| {
            let store = store.clone();
            async move { store.append(&[event(400_000)]).await }
        });
        for appended in join_all(appends).await {
            appended?;
        }
        Test::Ok(())
    })?;
    assert!(block_on(closed(&path, Duration::from_secs(5)))?);
    let database = redb::Database::open(&path)?;
    let txn = database.begin_read()?;
    let file = txn.open_table(redb::TableDefinition::<&str, u64>::new("sse-log"))?;
    let transactions = file.get("transactions")?.ok_or("no transaction")?.value();
    assert!(transactions >= 10, "{transactions} transactions of 8 MB");
    Ok(())
}

/// The append has failed: its time was over before its turn, so the outcome is not unknown.
#[test]
fn an_append_that_has_waited_too_long_for_its_turn_is_not_stored() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let options = StoreOptions::new().store_timeout(Duration::ZERO);
        let store = open(&path, options).await?;
        let refused = store.append(&[event(10)]).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
        assert_eq!(kept(&store).await?, 0);
        Ok(())
    })
}

/// A copy of the file holds what a `kill -9` would leave at that moment.
#[test]
fn a_file_needs_no_repair_after_a_second_without_writes() -> Test {
    let folder = tempfile::tempdir()?;
    let (path, copy) = (folder.path().join("log.redb"), folder.path().join("copy.redb"));
    let store = block_on(open(&path, StoreOptions::default()))?;
    block_on(store.append(&vec![event(100); 100]))?;
    assert!(is_repaired(&path, &copy)?, "redb repairs what was just written");
    let begun = std::time::Instant::now();
    while is_repaired(&path, &copy)? {
        assert!(begun.elapsed() < Duration::from_secs(20), "the file still needs a repair");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(block_on(kept(&store))?, 100);
    Ok(())
}

/// Returns true if redb reads the whole file when it opens a copy of it.
fn is_repaired(path: &Path, copy: &Path) -> Result<bool, Box<dyn std::error::Error>> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    std::fs::copy(path, copy)?;
    let is_repaired = Arc::new(AtomicBool::new(false));
    let in_callback = Arc::clone(&is_repaired);
    redb::Builder::new()
        .set_repair_callback(move |_| in_callback.store(true, Relaxed))
        .open(copy)?;
    Ok(is_repaired.load(Relaxed))
}
