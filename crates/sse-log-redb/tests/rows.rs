//! Events of one transaction share rows of the file. Readers do not notice, even if some of these events are removed.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use futures_executor::block_on;
use redb::{ReadableDatabase, ReadableTableMetadata, TableDefinition};
use sse_core::store::{EncodedEvent, PageLimit, Retention, Store};
use sse_core::{NewEvent, Position, StoreOptions};
use sse_log_redb::{EngineOptions, Error, RedbStore, closed, connect};

type Test = Result<(), Box<dyn std::error::Error>>;
type Row = (u64, u64, &'static str, &'static [u8]);

const ROUNDS: u64 = 40;
const STEPS: usize = 60;

async fn open(path: &Path) -> Result<RedbStore, Error> {
    connect(path, EngineOptions::default()).await?.store("log", StoreOptions::default()).await
}

fn event(data: &str) -> EncodedEvent {
    NewEvent::from(data).encode(1 << 20).expect("data alone")
}

fn keyed(key: &str, data: &str) -> EncodedEvent {
    let event = NewEvent::from(data).key(key).expect("a short key");
    event.encode(1 << 20).expect("data alone")
}

fn rows(path: &Path) -> Result<u64, Box<dyn std::error::Error>> {
    assert!(block_on(closed(path, Duration::from_secs(5)))?);
    let database = redb::Database::open(path)?;
    let txn = database.begin_read()?;
    Ok(txn.open_table(TableDefinition::<u64, Row>::new("log/events"))?.len()?)
}

#[test]
fn events_of_one_transaction_share_rows_of_at_most_16_kib() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path).await?;
        let large = "x".repeat(20_000);
        // Each event takes 4 + 10 bytes, so a row holds 1152 events.
        store.append(&vec![event("abc"); 3000]).await?;
        store.append(&[event("a"), event(&large), event("b"), event("c")]).await?;
        store.append(&[keyed("k", "d"), event("e"), keyed("l", "f")]).await?;
        Test::Ok(())
    })?;
    assert_eq!(rows(&path)?, 3 + 3 + 3);
    Ok(())
}

/// Expected contents of the log, by position.
#[derive(Default)]
struct Model {
    events: Vec<(u64, Option<String>, Vec<u8>)>,
    newest: u64,
    floor: u64,
}

impl Model {
    fn append(&mut self, event: &EncodedEvent) {
        self.newest += 1;
        let key = event.key.as_deref().map(str::to_owned);
        if key.is_some() {
            self.events.retain(|(_, of, _)| *of != key);
        }
        self.events.push((self.newest, key, event.block.to_vec()));
    }

    fn retain(&mut self, events: usize) {
        while self.events.len() > events.max(1) {
            self.floor = self.events.remove(0).0;
        }
    }

    fn after(&self, after: u64, limit: PageLimit) -> Vec<(u64, Option<String>, Vec<u8>)> {
        let mut bytes = 0;
        let events = self.events.iter().filter(|event| event.0 > after).enumerate();
        let page = events.take_while(|(before, event)| {
            bytes += event.2.len();
            *before == 0 || (*before < limit.events && bytes <= limit.bytes)
        });
        page.map(|(_, event)| event.clone()).collect()
    }

    fn before_last(&self, limit: PageLimit) -> u64 {
        let (mut count, mut bytes) = (0, 0);
        let newest_first = self.events.iter().rev();
        let before = newest_first.map(|event| {
            bytes += event.2.len();
            let fits = count < limit.events && (count == 0 || bytes <= limit.bytes);
            count += 1;
            (event.0, fits)
        });
        let before = before.skip_while(|(_, fits)| *fits).map(|(at, _)| at).next();
        if limit.events == 0 { self.newest } else { before.unwrap_or(self.floor) }
    }
}

#[test]
fn events_read_unchanged_while_others_are_superseded_deleted_and_dropped() -> Test {
    for seed in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.redb");
        block_on(round(&path, seed)).map_err(|error| format!("seed {seed}: {error}"))?;
    }
    Ok(())
}

async fn round(path: &Path, seed: u64) -> Test {
    let (mut rng, mut model) = (Rng::with_seed(seed), Model::default());
    let mut store = open(path).await?;
    for _ in 0..STEPS {
        match rng.u8(0..10) {
            0..5 => {
                let events: Vec<_> = (0..rng.usize(1..40)).map(|_| any_event(&mut rng)).collect();
                events.iter().for_each(|event| model.append(event));
                store.append(&events).await?;
            }
            5..7 => {
                let position = rng.u64(1..model.newest.max(1) + 3);
                model.events.retain(|event| event.0 != position);
                store.delete(Position::from(position)).await?;
            }
            7..9 => {
                let events = rng.usize(0..100);
                model.retain(events);
                let retention = Retention { events, bytes: usize::MAX, age: None };
                store.retain(&retention).await?;
            }
            _ => {
                drop(store);
                assert!(closed(path, Duration::from_secs(5)).await?);
                store = open(path).await?;
            }
        }
        check(&store, &model, &mut rng).await?;
    }
    Ok(())
}

fn any_event(rng: &mut Rng) -> EncodedEvent {
    let size = if rng.u8(0..20) == 0 { 17_000 } else { rng.usize(0..1500) };
    let data = rng.alphanumeric().to_string().repeat(size);
    match rng.u8(0..4) {
        0 => keyed(&format!("key-{}", rng.u8(0..8)), &data),
        _ => event(&data),
    }
}

async fn check(store: &RedbStore, model: &Model, rng: &mut Rng) -> Test {
    let bounds = store.bounds().await?;
    assert_eq!((bounds.newest.lo(), bounds.floor.lo()), (model.newest, model.floor));
    assert_eq!(bounds.oldest.map(|oldest| oldest.lo()), model.events.first().map(|event| event.0));
    let bytes = if rng.bool() { usize::MAX } else { rng.usize(0..90_000) };
    let limit = PageLimit { events: rng.usize(0..150), bytes };
    assert_eq!(store.before_last(limit).await?.lo(), model.before_last(limit), "{limit:?}");
    let after = rng.u64(0..model.newest + 2);
    let page = store.read(Position::from(after), limit).await?;
    let read = page.events.iter().map(|event| {
        (event.position.lo(), event.key.as_deref().map(str::to_owned), event.block.to_vec())
    });
    assert!(read.eq(model.after(after, limit)), "after {after}: {limit:?}");
    Ok(())
}
