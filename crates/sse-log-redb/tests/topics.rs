//! The index of topics in the file: it has an entry for each topic of each event, and little of events that are gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use futures_executor::block_on;
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use sse_core::store::{EncodedEvent, PageLimit, Store, StoredEvent, TopicFilter};
use sse_core::{Error, NewEvent, Position, StoreOptions, Topic};
use sse_log_redb::{EngineOptions, RedbStore, closed, connect};

type Test = Result<(), Box<dyn std::error::Error>>;
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };
const PART: u64 = 16_384;
const ENTRIES: TableDefinition<'_, (u64, &str, u16), ()> = TableDefinition::new("log/topics");
const RUNS: TableDefinition<'_, u64, u64> = TableDefinition::new("log/runs");
const EVENTS: TableDefinition<'_, u64, (u64, u64, &str, &[u8])> =
    TableDefinition::new("log/events");

async fn open(path: &Path, events: usize) -> Result<RedbStore, Error> {
    let options = StoreOptions::new().events(events);
    connect(path, EngineOptions::default()).await?.store("log", options).await
}

fn event(topics: &[&str]) -> NewEvent {
    let add = |event: NewEvent, topic: &&str| event.topic(*topic).expect("a topic");
    topics.iter().fold(NewEvent::from("x"), add)
}

fn encoded(event: NewEvent) -> EncodedEvent {
    event.encode(1000).expect("a small event")
}

fn filter(topics: &[&'static str], without: bool) -> TopicFilter {
    TopicFilter::new(topics.iter().map(|topic| Topic::from_static(topic)), without)
}

async fn positions(store: &RedbStore, filter: &TopicFilter) -> Outcome<Vec<u64>> {
    let read = store.read_topics(Position::START, filter, ALL).await?;
    assert_eq!(read.upto, read.page.bounds.newest);
    Ok(read.page.events.iter().map(|event| event.position.lo()).collect())
}

/// Returns the file as a redb database, after this process has closed it.
fn raw(path: &Path) -> Outcome<redb::Database> {
    assert!(block_on(closed(path, Duration::from_secs(5)))?);
    Ok(redb::Database::open(path)?)
}

/// Entries of the index: topic and position.
type Entries = BTreeSet<(String, u64)>;

/// Returns the entries of the index, and its runs of events without topics.
fn index(path: &Path) -> Outcome<(Entries, Vec<(u64, u64)>)> {
    let database = raw(path)?;
    let txn = database.begin_read()?;
    let mut entries = BTreeSet::new();
    for entry in txn.open_table(ENTRIES)?.iter()? {
        let (key, _) = entry?;
        let (part, topic, place) = key.value();
        entries.insert((topic.to_owned(), part * PART + u64::from(place)));
    }
    let runs = txn.open_table(RUNS)?;
    let runs = runs.iter()?.map(|run| run.map(|(last, first)| (first.value(), last.value())));
    Ok((entries, runs.collect::<Result<_, _>>()?))
}

/// After any calls: an entry for each topic of each event, and each run has an event without topics.
#[test]
fn the_index_has_each_topic_of_each_event_and_nothing_of_removed_events() -> Test {
    for seed in 0..30 {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.redb");
        let mut rng = Rng::with_seed(seed);

        for _ in 0..4 {
            let (floor, stored) = block_on(change(&path, &mut rng))?;
            let (entries, runs) = index(&path)?;
            let kept: Entries = entries.into_iter().filter(|(_, at)| *at > floor.lo()).collect();
            let expected = stored.iter().flat_map(|event| {
                let entry = |topic: &Topic| (topic.as_str().to_owned(), event.position.lo());
                event.topics.iter().map(entry)
            });
            assert_eq!(kept, expected.collect::<Entries>(), "seed {seed}");
            assert!(runs.iter().all(|(_, last)| *last > floor.lo()), "seed {seed}: {runs:?}");
            // The run in which the floor is may be empty.
            for (first, last) in runs.iter().filter(|(first, _)| *first > floor.lo()) {
                let is_in = |event: &StoredEvent| (*first..=*last).contains(&event.position.lo());
                let is_plain = |event: &StoredEvent| is_in(event) && event.topics.is_empty();
                assert!(stored.iter().any(is_plain), "seed {seed}: {first} to {last} is empty");
            }
        }
    }
    Ok(())
}

async fn change(path: &Path, rng: &mut Rng) -> Outcome<(Position, Vec<StoredEvent>)> {
    let store = open(path, 1000).await?;
    for _ in 0..30 {
        let newest = store.bounds().await?.newest.lo();
        match rng.u8(..8) {
            0 | 1 => store.delete(Position::from(rng.u64(..newest + 2))).await?,
            2 => {
                let options = StoreOptions::new().events(rng.usize(1..60));
                store.retain(&options.retention()).await?;
            }
            _ => {
                let events: Vec<_> = (0..rng.usize(1..20)).map(|_| any_event(rng)).collect();
                store.append(&events).await?;
            }
        }
    }
    let page = store.read(Position::START, ALL).await?;
    Ok((page.bounds.floor, page.events))
}

fn any_event(rng: &mut Rng) -> EncodedEvent {
    let all = ["a", "b", "c"];
    let event = event(&all[..[0, 0, 1, 2, 3][rng.usize(..5)]]);
    encoded(match rng.u8(..3) {
        0 => event.key(all[rng.usize(..3)]).expect("a key"),
        _ => event,
    })
}

/// Nothing is dropped, so only removal at once keeps the index small.
#[test]
fn the_index_of_keys_that_change_often_does_not_grow() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path, 1000).await?;
        let plain = encoded(event(&[]).key("plain")?);
        let topical = encoded(event(&["a", "b"]).key("topical")?);
        for _ in 0..100 {
            store.append(&[plain.clone(), plain.clone(), topical.clone()]).await?;
            store.append(std::slice::from_ref(&plain)).await?;
            store.delete(store.bounds().await?.newest).await?;
            store.append(std::slice::from_ref(&topical)).await?;
        }
        Test::Ok(())
    })?;
    let (entries, runs) = index(&path)?;
    assert_eq!((entries.len(), runs.len()), (2, 0));
    Ok(())
}

#[test]
fn retention_leaves_index_entries_of_at_most_16_384_dropped_events() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let batch = vec![encoded(event(&["a", "b"])); 1000];
    let mut largest = 0;
    for round in 1..=8 {
        block_on(async {
            let store = open(&path, 500).await?;
            for _ in 0..5 {
                store.append(&batch).await?;
            }
            Test::Ok(())
        })?;
        let (entries, runs) = index(&path)?;
        assert_eq!(runs, [], "all events have topics");
        let kept = entries.iter().filter(|(_, at)| *at > round * 5000 - 500).count();
        assert_eq!(kept, 1000);
        largest = largest.max(entries.len() - kept);
        assert!(largest <= 2 * PART as usize, "{largest} entries of dropped events");
    }
    assert!(largest > PART as usize, "the bound is near: {largest}");
    Ok(())
}

/// Another program deletes rows, and changes an entry of the index, while no process has the file open.
#[test]
fn events_that_another_program_removed_are_not_read_and_no_entry_gives_an_event_of_others() -> Test
{
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    block_on(async {
        let store = open(&path, 1000).await?;
        for topics in [&["a"][..], &["a"], &["b"], &[], &["a", "b"], &["a"]] {
            store.append(&[encoded(event(topics))]).await?;
        }
        assert_eq!(positions(&store, &filter(&["a"], true)).await?, [1, 2, 4, 5, 6]);
        Test::Ok(())
    })?;
    let database = raw(&path)?;
    let txn = database.begin_write()?;
    for position in [2, 6] {
        assert!(txn.open_table(EVENTS)?.remove(position)?.is_some());
    }
    txn.open_table(ENTRIES)?.insert((0, "a", 3), ())?;
    txn.commit()?;
    drop(database);
    block_on(async {
        let store = open(&path, 1000).await?;
        assert_eq!(positions(&store, &filter(&["a"], true)).await?, [1, 4, 5]);
        assert_eq!(positions(&store, &filter(&["a"], false)).await?, [1, 5]);
        assert_eq!(positions(&store, &filter(&["b"], false)).await?, [3, 5]);
        store.append(&[encoded(event(&["a"]))]).await?;
        assert_eq!(positions(&store, &filter(&["a"], false)).await?, [1, 5, 7]);
        Ok(())
    })
}

/// The parts of a log: a topic of one event in each, and a topic with many events.
#[test]
fn a_topic_is_read_over_all_parts_of_the_log() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");
    let count = 6 * PART as usize;
    let of = |n: u64| match (n % (PART / 2), n % 3) {
        (0, _) => event(&["rare", "b"]),
        (_, 0) => event(&["a"]),
        (_, 1) => event(&["b"]),
        _ => event(&[]),
    };
    block_on(async {
        let store = open(&path, count).await?;
        let events: Vec<_> = (1..=count as u64).map(|n| encoded(of(n))).collect();
        for some in events.chunks(4096) {
            store.append(some).await?;
        }
        let rare: Vec<_> = (1..=12).map(|n| n * PART / 2).collect();
        assert_eq!(positions(&store, &filter(&["rare"], false)).await?, rare);
        // More topics than a call looks up in all parts.
        let many = (0..999).map(|n| Topic::try_from(n.to_string()).expect("a topic"));
        let many = TopicFilter::new(many.chain([Topic::from_static("rare")]), false);
        let others = [(&["b"][..], false), (&["rare"], true), (&["a", "rare"], true)];
        for filter in others.map(|(topics, without)| filter(topics, without)).iter().chain([&many])
        {
            let (mut at, mut found, mut calls) = (Position::START, Vec::new(), 0);
            while at < store.bounds().await?.newest {
                let read = store.read_topics(at, filter, PageLimit::of_events(1000)).await?;
                calls += 1;
                assert!(read.upto > at && read.page.events.len() <= 1000);
                found.extend(read.page.events.iter().map(|event| event.position.lo()));
                at = read.upto;
            }
            let expected = (1..=count as u64).filter(|n| filter.takes(&encoded(of(*n)).topics));
            assert!(found.iter().copied().eq(expected), "{:?}", filter.topics());
            assert!(calls > 1, "no call looks up all of {} topics", filter.topics().len());
        }
        Ok(())
    })
}
