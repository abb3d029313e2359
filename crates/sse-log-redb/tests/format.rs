//! Files of other formats.

use std::path::Path;
use std::time::Duration;

use futures_executor::block_on;
use redb::{ReadableDatabase, TableDefinition};
use sse_core::store::{PageLimit, Store, StoredEvent, TopicFilter};
use sse_core::{Epoch, Error, NewEvent, Position, StoreOptions, Topic};
use sse_log_redb::{EngineOptions, RedbStore, closed, connect};

type Test = Result<(), Box<dyn std::error::Error>>;

const FILE: TableDefinition<'_, &str, u64> = TableDefinition::new("sse-log");
const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };

async fn open(path: &Path) -> Result<RedbStore, Error> {
    connect(path, EngineOptions::default()).await?.store("log", StoreOptions::default()).await
}

#[test]
fn a_file_of_another_format_is_refused_by_its_number() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    for format in [1, 4] {
        let database = redb::Database::create(&path)?;
        let txn = database.begin_write()?;
        txn.open_table(FILE)?.insert("format", format)?;
        txn.commit()?;
        drop(database);
        let error = block_on(open(&path)).expect_err("a refusal");
        let expected = format!("its format is {format}, and this version of sse-log-redb reads 3");
        assert!(format!("{error:?}").contains(&expected), "{error:?}");
    }
    Ok(())
}

/// Writes a file as the version before topics wrote it: four events, the second of which was deleted, and the last of which has a key.
fn write_format_2(path: &Path) -> Result<Epoch, Box<dyn std::error::Error>> {
    type Head = (&'static str, u64, u64, u64, u64, u64, bool);
    type Row = (u64, u64, &'static str, &'static [u8]);
    let epoch = Epoch::random()?;
    let database = redb::Database::create(path)?;
    let txn = database.begin_write()?;
    {
        let mut file = txn.open_table(FILE)?;
        file.insert("format", 2)?;
        file.insert("transactions", 3)?;
        let mut heads = txn.open_table(TableDefinition::<&str, Head>::new("heads"))?;
        heads.insert("log", (epoch.as_str(), 0, 4, 3, 38, 1, false))?;
        heads.insert("empty", (Epoch::random()?.as_str(), 0, 0, 0, 0, 0, true))?;
        let mut events = txn.open_table(TableDefinition::<u64, Row>::new("log/events"))?;
        let mut row = [&10_u32.to_le_bytes()[..], b"data: one\n", &u32::MAX.to_le_bytes()].concat();
        row.extend([&12_u32.to_le_bytes()[..], b"data: three\n"].concat());
        events.insert(3, (1, 1000, "", &*row))?;
        let row = [&16_u32.to_le_bytes()[..], b"data: with key\n\n"].concat();
        events.insert(4, (4, 1000, "key", &*row))?;
        let mut keys = txn.open_table(TableDefinition::<&str, u64>::new("log/keys"))?;
        keys.insert("key", 4)?;
        txn.open_table(TableDefinition::<u64, Row>::new("empty/events"))?;
    }
    txn.commit()?;
    Ok(epoch)
}

fn check(events: &[StoredEvent], expected: &[(u64, &str, &str)]) {
    let texts = events.iter().map(|event| {
        let topics: Vec<_> = event.topics.iter().map(Topic::as_str).collect();
        let block = String::from_utf8_lossy(&event.block).trim_end().to_owned();
        (event.position.lo(), block, topics.join(" "))
    });
    let expected = expected
        .iter()
        .map(|(at, text, topics)| (*at, format!("data: {text}"), (*topics).to_owned()));
    assert_eq!(texts.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn the_events_of_a_file_from_before_topics_are_kept_and_have_none() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let epoch = write_format_2(&path)?;
    let old = [(1, "one", ""), (3, "three", ""), (4, "with key", "")];
    for is_new in [true, false] {
        block_on(async {
            let store = open(&path).await?;
            let bounds = store.bounds().await?;
            assert_eq!((bounds.epoch, bounds.deletions), (epoch, 1));
            if is_new {
                check(&store.read(Position::START, ALL).await?.events, &old);
                let event = NewEvent::from("new").key("key")?.topic("a")?.encode(1000)?;
                store.append(&[event]).await?;
            }
            for without in [true, false] {
                let filter = TopicFilter::new([Topic::from_static("a")], without);
                let read = store.read_topics(Position::START, &filter, ALL).await?;
                let new = [(5, "new", "a")];
                let expected = if without { [&old[..2], &new].concat() } else { new.to_vec() };
                check(&read.page.events, &expected);
                assert_eq!(read.upto, Position::from(5));
            }
            Test::Ok(())
        })?;
        assert!(block_on(closed(&path, Duration::from_secs(5)))?);
    }
    let database = redb::Database::open(&path)?;
    let format = database.begin_read()?.open_table(FILE)?.get("format")?;
    assert_eq!(format.map(|format| format.value()), Some(3), "the version before refuses it");
    drop(database);
    let empty = block_on(async {
        let engine = connect(&path, EngineOptions::default()).await?;
        engine.store("empty", StoreOptions::default()).await?.bounds().await.map_err(Error::from)
    })?;
    assert!(empty.is_finished, "each log is kept");
    Ok(())
}
