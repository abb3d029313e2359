//! Properties that only the file shows. The conformance suite tests the rest of the store.

use std::path::Path;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::StreamExt;
use futures_util::future::join_all;
use redb::{ReadableDatabase, ReadableTableMetadata};
use sse_core::store::{EncodedEvent, PageLimit, Retention, Store, StoreError};
use sse_core::{NewEvent, Position, StoreOptions};
use sse_log_redb::{EngineOptions, Error, RedbStore};

type Test = Result<(), Box<dyn std::error::Error>>;

const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };

fn event(data: &str) -> EncodedEvent {
    NewEvent::from(data).encode(1 << 20).expect("valid data")
}

async fn connect(path: &Path) -> Result<RedbStore, Error> {
    connect_to(path, "log", StoreOptions::default()).await
}

async fn connect_to(path: &Path, log: &str, options: StoreOptions) -> Result<RedbStore, Error> {
    sse_log_redb::connect(path, EngineOptions::default()).await?.store(log, options).await
}

async fn all(store: &RedbStore) -> Result<Vec<(u64, String)>, StoreError> {
    let page = store.read(Position::START, ALL).await?;
    let text = |block: &[u8]| String::from_utf8_lossy(block).into_owned();
    Ok(page.events.iter().map(|event| (event.position.lo(), text(&event.block))).collect())
}

/// Returns the file as a redb database, after this process has closed it.
fn closed(path: &Path) -> Result<redb::Database, Box<dyn std::error::Error>> {
    assert!(block_on(sse_log_redb::closed(path, Duration::from_secs(5)))?);
    Ok(redb::Database::open(path)?)
}

#[test]
fn events_are_in_the_file_when_it_is_opened_again() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = connect(&path).await?;
        let appended = store.append(&[event("one"), event("two")]).await?;
        assert_eq!(appended.positions, [Position::from(1), Position::from(2)]);
        drop(store);

        let store = connect(&path).await?;
        assert_eq!(store.bounds().await?.epoch, appended.epoch);
        assert_eq!(all(&store).await?, [(1, "data: one\n".into()), (2, "data: two\n".into())]);
        Ok(())
    })
}

#[test]
fn positions_continue_after_all_events_were_deleted() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = connect(&path).await?;
        store.append(&[event("one")]).await?;
        store.delete(Position::from(1)).await?;
        drop(store);

        let store = connect(&path).await?;
        let bounds = store.bounds().await?;
        assert_eq!((bounds.newest.lo(), bounds.floor.lo(), bounds.oldest), (1, 0, None));
        let appended = store.append(&[event("two")]).await?;
        assert_eq!(appended.positions, [Position::from(2)]);
        Ok(())
    })
}

#[test]
fn appends_at_the_same_time_wait_for_the_disk_together() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = connect(&path).await?;
        let appends = (0..512).map(|n| {
            let store = store.clone();
            async move { store.append(&[event(&n.to_string())]).await }
        });
        for appended in join_all(appends).await {
            appended?;
        }
        assert_eq!(all(&store).await?.len(), 512);
        Test::Ok(())
    })?;
    let database = closed(&path)?;
    let txn = database.begin_read()?;
    let file = txn.open_table(redb::TableDefinition::<&str, u64>::new("sse-log"))?;
    let transactions = file.get("transactions")?.ok_or("no transaction")?.value();
    assert!(transactions < 16, "{transactions} transactions");
    Ok(())
}

#[test]
fn logs_of_one_file_do_not_share_events() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let one = connect(&path).await?;
        let other = connect_to(&path, "log-2", StoreOptions::default()).await?;
        let mut pages = other.follow(Position::START).await?;
        one.append(&[event("of one")]).await?;
        other.append(&[event("of the other")]).await?;
        assert_eq!(all(&one).await?, [(1, "data: of one\n".into())]);
        assert_eq!(all(&other).await?, [(1, "data: of the other\n".into())]);
        assert_ne!(one.bounds().await?.epoch, other.bounds().await?.epoch);
        let followed = loop {
            let page = pages.next().await.ok_or("the end")??;
            if !page.events.is_empty() {
                break page.events;
            }
        };
        assert_eq!(followed[0].block, "data: of the other\n");
        Ok(())
    })
}

#[test]
fn an_idempotency_key_outlives_the_process_and_not_its_window() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let window = Duration::from_millis(300);
    let options = StoreOptions::new().idempotency_window(window);
    let retention = Retention { events: 100, bytes: 1 << 20, age: None };
    block_on(async {
        let event = NewEvent::from("one").idempotency_key("key")?.encode(1000)?;
        let once = || event.clone();
        let store = connect_to(&path, "log", options.clone()).await?;
        let first = store.append(&[once(), once()]).await?;
        assert_eq!(first.positions, [Position::from(1), Position::from(1)]);
        drop(store);

        let store = connect_to(&path, "log", options).await?;
        assert_eq!(store.append(&[once()]).await?.positions, [Position::from(1)]);
        std::thread::sleep(window + Duration::from_millis(50));
        let second = store.append(&[once()]).await?;
        assert_eq!(second.positions, [Position::from(2)]);
        std::thread::sleep(window + Duration::from_millis(50));
        store.retain(&retention).await?;
        Test::Ok(())
    })?;
    let database = closed(&path)?;
    let txn = database.begin_read()?;
    type Once = redb::TableDefinition<'static, &'static str, (u64, u64)>;
    assert_eq!(txn.open_table(Once::new("log/once"))?.len()?, 0);
    type Order = redb::TableDefinition<'static, u64, (u64, &'static str)>;
    assert_eq!(txn.open_table(Order::new("log/once-order"))?.len()?, 0);
    Ok(())
}

#[test]
fn dropping_many_events_keeps_the_newest_and_raises_the_floor() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = connect(&path).await?;
        let events: Vec<_> = (0..10_000).map(|n| event(&n.to_string())).collect();
        store.append(&events).await?;
        for (events, bytes, floor) in [(5000, 1 << 30, 5000), (5000, 110, 9990), (1, 0, 9999)] {
            store.retain(&Retention { events, bytes, age: None }).await?;
            let bounds = store.bounds().await?;
            assert_eq!(bounds.floor, Position::from(floor));
            assert_eq!(bounds.oldest, Some(Position::from(floor + 1)));
            assert_eq!(bounds.newest, Position::from(10_000));
        }
        Ok(())
    })
}

#[test]
fn a_file_is_closed_with_its_last_handle_and_its_followers_end() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let log = block_on(sse_log_redb::open(&path, "mine"))?;
    block_on(log.append("one"))?;
    assert!(!block_on(sse_log_redb::closed(&path, Duration::ZERO))?);
    drop(log);
    // The follower holds the file, so it has ended once the file is closed.
    assert!(block_on(sse_log_redb::closed(&path, Duration::from_secs(5)))?);
    Ok(())
}
