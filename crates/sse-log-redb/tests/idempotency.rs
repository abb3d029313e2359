//! Idempotency keys after the end of a log, and after changes of the clock.

use std::time::Duration;

use futures_executor::block_on;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use sse_core::store::{EncodedEvent, Retention, Store, StoreError};
use sse_core::{NewEvent, Position};
use sse_log_redb::{EngineOptions, Error, RedbStore, StoreOptions, connect};

type Test = Result<(), Box<dyn std::error::Error>>;

type Row = (u64, u64, &'static str, &'static [u8]);

const EVENTS: TableDefinition<'_, u64, Row> = TableDefinition::new("log/events");
const ONCE: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("log/once");
const ORDER: TableDefinition<'_, u64, (u64, &str)> = TableDefinition::new("log/once-order");

async fn open(path: &std::path::Path, options: StoreOptions) -> Result<RedbStore, Error> {
    connect(path, EngineOptions::default()).await?.store("log", options).await
}

fn once(key: &str) -> EncodedEvent {
    let event = NewEvent::from(key).idempotency_key(key).expect("a key");
    event.encode(1000).expect("data alone")
}

/// A caller that missed the result of the first attempt gets the positions of its events.
#[test]
fn a_retry_after_the_log_is_finished_returns_the_first_positions() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path, StoreOptions::default()).await?;
        let first = store.append(&[once("a"), once("b")]).await?;
        store.finish().await?;
        assert_eq!(
            store.append(&[once("b"), once("a")]).await?.positions,
            [Position::from(2), Position::from(1)]
        );
        assert_eq!(store.append(&[once("a")]).await?.positions, first.positions[..1]);
        let refused = store.append(&[once("a"), once("c")]).await;
        assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
        Ok(())
    })
}

/// The clock was years ahead when the first key was stored. That key and the later keys still expire after the window.
#[test]
fn an_idempotency_key_from_the_future_does_not_keep_other_keys() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let window = Duration::from_millis(50);
    let options = StoreOptions::new().idempotency_window(window);
    block_on(async {
        let store = open(&path, options.clone()).await?;
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
        let store = open(&path, options.clone()).await?;
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

/// The clock of the process that stored the key was ahead by more than the window; in another file it was years behind.
#[test]
fn an_idempotency_key_is_known_after_the_clock_was_set() -> Test {
    let (minute, year) = (60_000, 365 * 24 * 3_600_000);
    for (way, by) in [3 * minute, year, -3 * minute, -10 * year].into_iter().enumerate() {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.redb");
        let first = block_on(async {
            let store = open(&path, StoreOptions::default()).await?;
            Ok::<_, Box<dyn std::error::Error>>(store.append(&[once("key")]).await?)
        })?;
        shift(&path, by)?;
        block_on(async {
            let store = open(&path, StoreOptions::default()).await?;
            assert_eq!(store.append(&[once("key")]).await?, first, "way {way}");
            Test::Ok(())
        })?;
    }
    Ok(())
}

/// The clock was set ahead by years while the file was not open: at most a day of that counts.
#[test]
fn events_do_not_expire_when_the_clock_is_set_ahead() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let age = Some(Duration::from_secs(3 * 24 * 3600));
    let options = StoreOptions::new().age(age);
    block_on(async {
        let store = open(&path, options.clone()).await?;
        store.append(&[once("a"), once("b"), once("c")]).await?;
        Test::Ok(())
    })?;
    shift(&path, -10 * 365 * 24 * 3_600_000)?;
    block_on(async {
        let store = open(&path, options.clone()).await?;
        store.retain(&options.retention()).await?;
        assert_eq!(store.bounds().await?.oldest, Some(Position::from(1)));
        Ok(())
    })
}

/// Moves all times in a file by this many milliseconds, as if the clock of the writing process had differed.
fn shift(path: &std::path::Path, by: i64) -> Test {
    let database = redb::Database::open(closed(path)?)?;
    let txn = database.begin_write()?;
    {
        let moved = |time: u64| time.checked_add_signed(by).expect("a time");
        let mut file = txn.open_table(TableDefinition::<&str, u64>::new("sse-log"))?;
        let clock = file.get("clock")?.ok_or("no clock")?.value();
        file.insert("clock", moved(clock))?;
        let mut events = txn.open_table(EVENTS)?;
        let rows = events.iter()?.map(|row| {
            let (last, row) = row?;
            let (first, time, key, entries) = row.value();
            Ok((last.value(), first, time, key.to_owned(), entries.to_owned()))
        });
        let rows = rows.collect::<Result<Vec<_>, redb::StorageError>>()?;
        let last = rows.last().ok_or("no event")?.0;
        for (last, first, time, key, entries) in rows {
            events.insert(last, (first, moved(time), &*key, &*entries))?;
        }
        let mut keys = txn.open_table(ONCE)?;
        let mut order = txn.open_table(ORDER)?;
        for at in 1..=last {
            let (time, key) = {
                let once = order.get(at)?.ok_or("no key")?;
                (once.value().0, once.value().1.to_owned())
            };
            order.insert(at, (moved(time), &*key))?;
            keys.insert(&*key, (at, moved(time)))?;
        }
    }
    txn.commit()?;
    Ok(())
}

/// A key is known within its window until more keys came than the log keeps events, even if its event was removed.
#[test]
fn an_idempotency_key_is_known_until_more_keys_came_than_events_are_kept() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let options = StoreOptions::new().events(3);
        let store = open(&path, options.clone()).await?;
        store.append(&[once("a")]).await?;
        store.delete(Position::from(1)).await?;
        assert_eq!(store.append(&[once("a")]).await?.positions, [Position::from(1)], "deleted");
        store.append(&[once("b"), once("c"), once("d")]).await?;
        let unkeyed = NewEvent::from("x").encode(1000)?;
        store.append(&vec![unkeyed; 10]).await?;
        store.retain(&options.retention()).await?;
        assert_eq!(store.append(&[once("a")]).await?.positions, [Position::from(1)], "and trimmed");
        store.append(&[once("e")]).await?;
        assert_eq!(store.append(&[once("a")]).await?.positions, [Position::from(16)], "the fifth");
        assert_eq!(store.append(&[once("c")]).await?.positions, [Position::from(3)]);
        Ok(())
    })
}
