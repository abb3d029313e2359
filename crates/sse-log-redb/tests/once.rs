//! Idempotency keys, where a log has ended and where the clock was set back.

use std::time::Duration;

use futures_executor::block_on;
use redb::{ReadableDatabase, ReadableTableMetadata, TableDefinition};
use sse_core::store::{NewEvent, Retention, Store, StoreError};
use sse_core::{Cursor, Event};
use sse_log_redb::{EngineOptions, Error, RedbStore, StoreOptions, connect};

type Test = Result<(), Box<dyn std::error::Error>>;

const ONCE: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("log/once");
const ORDER: TableDefinition<'_, u64, (u64, &str)> = TableDefinition::new("log/once-order");

async fn open(path: &std::path::Path, options: StoreOptions) -> Result<RedbStore, Error> {
    connect(path, EngineOptions::default()).await?.store("log", options).await
}

fn once(key: &str) -> NewEvent {
    let event = NewEvent::encode(&Event::new(key), 1000).expect("data alone");
    event.with_idempotency_key(key).expect("a key")
}

/// Whoever did not hear of the first attempt is told where its event is.
#[test]
fn an_append_that_is_tried_again_after_the_end_is_known() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path, StoreOptions::default()).await?;
        let first = store.append(&[once("a"), once("b")]).await?;
        store.finish().await?;
        assert_eq!(
            store.append(&[once("b"), once("a")]).await?.cursors,
            [Cursor::from(2), Cursor::from(1)]
        );
        assert_eq!(store.append(&[once("a")]).await?.cursors, first.cursors[..1]);
        let refused = store.append(&[once("a"), once("c")]).await;
        assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
        Ok(())
    })
}

/// The clock was years ahead when the first of them came. It and those after it are forgotten all the same.
#[test]
fn an_idempotency_key_from_the_future_is_in_no_other_key_s_way() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let window = Duration::from_millis(50);
    let options = StoreOptions { idempotency_window: window, ..StoreOptions::default() };
    block_on(async {
        let store = open(&path, options).await?;
        store.append(&[once("future"), once("later")]).await?;
        Test::Ok(())
    })?;
    let database = redb::Database::open(closed(&path)?)?;
    let txn = database.begin_write()?;
    let years = 1 << 50;
    txn.open_table(ONCE)?.insert("future", (1, years))?;
    txn.open_table(ORDER)?.insert(1, (years, "future"))?;
    txn.commit()?;
    drop(database);

    block_on(async {
        let store = open(&path, options).await?;
        std::thread::sleep(Duration::from_millis(100));
        store.retain(&Retention { events: 100, bytes: 1 << 20, age: None }).await?;
        Test::Ok(())
    })?;
    let database = redb::Database::open(closed(&path)?)?;
    let txn = database.begin_read()?;
    assert_eq!((txn.open_table(ONCE)?.len()?, txn.open_table(ORDER)?.len()?), (0, 0));
    Ok(())
}

fn closed(path: &std::path::Path) -> Result<&std::path::Path, Box<dyn std::error::Error>> {
    assert!(block_on(sse_log_redb::closed(path, Duration::from_secs(5)))?);
    Ok(path)
}
