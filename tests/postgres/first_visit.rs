//! State that is read by SQL, and the stream after it: each event is in one of the two, and in one alone.
//
// Longer than other files: one application, and what its visitors see.

use std::collections::HashSet;
use std::future::poll_fn;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use sse_conformance::engines::Postgres;
use sse_core::{Error, EventId, EventLog, Snapshot, Start, StoreOptions};
use sse_log_postgres::{EngineOptions, Ordering, PostgresStore, open_store};
use sse_test_kit::client::Client;
use tokio_postgres::{Client as Connection, IsolationLevel, Transaction};

use crate::tools::{Processes, client, execute, open_ordered, soon};

const ORDERINGS: [Ordering; 2] = [Ordering::ByTransaction, Ordering::ByLock];

/// The application's own table, and two processes that serve the log.
async fn application(postgres: &Postgres, ordering: Ordering) -> [(PostgresStore, EventLog); 2] {
    execute(postgres, "CREATE TABLE IF NOT EXISTS items (item text)").await;
    let open = async || {
        let engine = postgres.shared(EngineOptions::new().ordering(ordering)).await;
        let options = StoreOptions::new().events(10_000_000).tail_events(50);
        let store = engine.store("log", options).await.expect("a name");
        let log = soon(open_store(store.clone())).await.expect("open");
        (store, log)
    };
    [open().await, open().await]
}

/// Changes the state, and appends the event that says so.
async fn put(transaction: &Transaction<'_>, store: &PostgresStore, item: &str) {
    let insert = "INSERT INTO items (item) VALUES ($1)";
    transaction.execute(insert, &[&item]).await.expect("inserted");
    store.append_in(transaction, item).await.expect("appended");
}

async fn put_alone(connection: &mut Connection, store: &PostgresStore, item: &str) {
    let transaction = connection.transaction().await.expect("begun");
    put(&transaction, store, item).await;
    transaction.commit().await.expect("committed");
}

/// Reads the state and its place in the log, at one moment.
async fn state(connection: &mut Connection, store: &PostgresStore) -> (EventId, Vec<String>) {
    let level = IsolationLevel::RepeatableRead;
    let reading = connection.build_transaction().isolation_level(level).read_only(true);
    let reading = reading.start().await.expect("begun");
    let rows = reading.query("SELECT item FROM items", &[]).await.expect("rows");
    let at = store.position_in(&reading).await.expect("a position");
    (at, rows.iter().map(|row| row.get(0)).collect())
}

#[tokio::test]
async fn a_stream_gives_what_the_state_does_not_have_though_a_writer_was_open_over_the_snapshot() {
    for ordering in ORDERINGS {
        let postgres = Postgres::start().await;
        let [(store, log), (_, other)] = application(&postgres, ordering).await;
        let mut writers = join_all((0..3).map(|_| client(&postgres))).await;
        let [early, late, reader] = &mut writers[..] else { unreachable!() };
        put_alone(late, &store, "first").await;
        let open = early.transaction().await.expect("begun");
        open.execute("SELECT pg_current_xact_id()", &[]).await.expect("it has a low id");
        put_alone(late, &store, "late").await;
        put(&open, &store, "early").await;

        let (at, state) = state(reader, &store).await;
        assert_eq!(state, ["first", "late"]);
        open.commit().await.expect("committed");
        put_alone(late, &store, "next").await;
        let mut whole = Client::resume(&log, &at);
        assert_eq!(whole.read_until(2).await, ["early", "next"], "{ordering:?}, after {at}");
        // Cut off in between, in another process.
        let ids: Vec<_> = whole.parsed().iter().map(|event| event.last_event_id.clone()).collect();
        assert_eq!(Client::resume(&other, &ids[0]).read_until(1).await, ["next"], "{}", ids[0]);
        let read = log.read_after(&at, 10).await.expect("it is after the position");
        let read: Vec<_> = read.iter().filter_map(|event| event.id()).collect();
        assert_eq!(read, ids.iter().collect::<Vec<_>>(), "the same ids");
        put_alone(late, &store, "last").await;
        assert_eq!(Client::resume(&log, &ids[1]).read_until(1).await, ["last"], "{}", ids[1]);
    }
}

#[tokio::test]
async fn a_snapshot_in_the_stream_has_the_same_place() {
    let postgres = Postgres::start().await;
    let [(store, log), _] = application(&postgres, Ordering::ByTransaction).await;
    let (mut early, mut late) = (client(&postgres).await, client(&postgres).await);
    let open = early.transaction().await.expect("begun");
    put(&open, &store, "early").await;
    put_alone(&mut late, &store, "late").await;
    let (at, state) = state(&mut client(&postgres).await, &store).await;
    let start = Start::snapshot(move |_| {
        let snapshot = Snapshot::new([state.join(",")], at.clone());
        async { Ok(snapshot) }
    });
    let merged = sse_core::merge([("a", &log)]).expect("a name");
    let mut clients =
        [Client::open(log.feed().start_at(start.clone())), Client::open(merged.start_at(start))];
    for client in &mut clients {
        assert_eq!(client.read_until(1).await, ["late"]);
    }
    open.commit().await.expect("committed");
    for client in &mut clients {
        assert_eq!(client.read_until(2).await, ["late", "early"]);
    }
    put_alone(&mut late, &store, "next").await;
    for client in &mut clients {
        assert_eq!(client.read_until(3).await, ["late", "early", "next"]);
    }
}

#[tokio::test]
async fn a_transaction_that_does_not_see_one_moment_is_refused_and_can_go_on() {
    let postgres = Postgres::start().await;
    let [(store, _), _] = application(&postgres, Ordering::ByTransaction).await;
    let mut connection = client(&postgres).await;
    let transaction = connection.transaction().await.expect("begun");
    let refused = store.position_in(&transaction).await.expect_err("it is read committed");
    assert!(
        is_about(&refused, "read committed, so its statements see different moments"),
        "{refused}"
    );
    transaction.commit().await.expect("it goes on");

    let level = IsolationLevel::Serializable;
    let transaction = connection.build_transaction().isolation_level(level);
    let transaction = transaction.start().await.expect("begun");
    let before = store.position_in(&transaction).await.expect("a position");
    put(&transaction, &store, "own").await;
    let refused = store.position_in(&transaction).await.expect_err("it has appended");
    assert!(is_about(&refused, "has appended to this log"), "{refused:?}");
    transaction.commit().await.expect("it goes on");
    let read = store.clone();
    let log = soon(open_store(read)).await.expect("open");
    assert_eq!(Client::resume(&log, before).read_until(1).await, ["own"]);
}

fn is_about(error: &Error, text: &str) -> bool {
    error.is_store() && format!("{error:?}").contains(text)
}

#[tokio::test]
async fn more_running_transactions_than_an_id_can_name_are_an_error() {
    let postgres = Postgres::start().await;
    let [(store, log), _] = application(&postgres, Ordering::ByTransaction).await;
    let mut connection = client(&postgres).await;
    put_alone(&mut connection, &store, "first").await;
    let running = try_join_all((0..60).map(|_| async {
        let open = client(&postgres).await;
        open.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.map(|()| open)
    }));
    let running = running.await.expect("begun");
    put_alone(&mut connection, &store, "late").await;
    let level = IsolationLevel::RepeatableRead;
    let reading = connection.build_transaction().isolation_level(level).start().await;
    let reading = reading.expect("begun");
    let refused = store.position_in(&reading).await.expect_err("too many");
    assert!(is_about(&refused, "longer than 128 bytes"), "{refused:?}");
    drop((reading, running));
    let (at, state) = loop {
        // The server ends them a moment after their connections have closed.
        let visit = state(&mut connection, &store).await;
        if !visit.0.as_str().contains('_') {
            break visit;
        }
    };
    assert_eq!(state, ["first", "late"]);
    put_alone(&mut connection, &store, "next").await;
    assert_eq!(Client::resume(&log, at).read_until(1).await, ["next"]);
}

/// Writers whose transactions overlap, and end in any order.
async fn write(postgres: &Postgres, store: PostgresStore, writer: usize, until: Instant) {
    let mut client = client(postgres).await;
    let pause = || tokio::time::sleep(Duration::from_micros(fastrand::u64(0..6000)));
    for n in 0.. {
        if Instant::now() > until {
            return;
        }
        let transaction = client.transaction().await.expect("begun");
        if n % 2 == 0 {
            transaction.execute("SELECT pg_current_xact_id()", &[]).await.expect("it has an id");
            pause().await;
        }
        put(&transaction, &store, &format!("{writer}-{n}")).await;
        pause().await;
        match n % 10 {
            3 => transaction.rollback().await.expect("rolled back"),
            _ => transaction.commit().await.expect("committed"),
        }
    }
}

/// A visit: the state, and the events after it, up to one that was appended once the state was read.
struct Visit {
    at: EventId,
    state: Vec<String>,
    events: Vec<String>,
}

/// Visits again and again. Each client is cut off after any byte, and comes back to one process or the other.
async fn visit(
    postgres: &Postgres,
    logs: &[(PostgresStore, EventLog); 2],
    visitor: usize,
    until: Instant,
) -> Vec<Visit> {
    let (mut connection, mut visits) = (client(postgres).await, Vec::new());
    while Instant::now() < until {
        let (at, state) = state(&mut connection, &logs[0].0).await;
        let mark = format!("visit {visitor}-{}", visits.len());
        put_alone(&mut connection, &logs[1].0, &mark).await;
        let (mut last, mut events) = (at.to_string(), Vec::new());
        while events.last() != Some(&mark) {
            let mut client = Client::resume(&logs[fastrand::usize(..2)].1, &last);
            for _ in 0..fastrand::usize(1..5) {
                let mut is_cut = false;
                let received = |length| {
                    is_cut = fastrand::u8(..4) == 0;
                    if is_cut { fastrand::usize(..=length) } else { length }
                };
                let mut received = Some(received);
                let chunk = poll_fn(|cx| {
                    client.poll_part(cx, |length| received.take().expect("one chunk")(length))
                });
                soon(chunk).await.expect("it goes on");
                if is_cut || client.parsed().iter().any(|event| event.data == mark) {
                    break;
                }
            }
            let arrived = client.take_parsed();
            assert!(arrived.iter().all(|event| event.event_type == "message"), "{arrived:?}");
            events.extend(arrived.into_iter().map(|event| event.data));
            if let Some(end) = events.iter().position(|event| *event == mark) {
                events.truncate(end + 1);
            }
            if !client.last_event_id().is_empty() {
                last = client.last_event_id().to_owned();
            }
        }
        visits.push(Visit { at, state, events });
    }
    visits
}

async fn each_event_is_in_the_state_or_in_the_stream(ordering: Ordering, time: Duration) {
    let postgres = Postgres::start().await;
    let logs = application(&postgres, ordering).await;
    let until = Instant::now() + time;
    let writers = (0..16).map(|n| write(&postgres, logs[n % 2].0.clone(), n, until));
    let visitors = (0..4).map(|n| visit(&postgres, &logs, n, until));
    let (_, visits) = tokio::join!(join_all(writers), join_all(visitors));

    let all = crate::tools::texts(&open_ordered(&postgres, ordering).await).await;
    let (mut views, visits) = (0, visits.into_iter().flatten().collect::<Vec<_>>());
    for Visit { at, state, events } in &visits {
        views += usize::from(at.as_str().contains('_'));
        let mark = events.last().expect("at least the mark");
        let end = all.iter().position(|event| event == mark).expect("it was appended");
        let expected: HashSet<_> = all[..=end].iter().collect();
        let (state, streamed): (HashSet<_>, HashSet<_>) =
            (state.iter().collect(), events.iter().collect());
        assert_eq!(streamed.len(), events.len(), "none comes twice after {at}");
        let doubled: Vec<_> = state.intersection(&streamed).collect();
        assert!(doubled.is_empty(), "in both, after {at}: {doubled:?}");
        let union: HashSet<_> = state.union(&streamed).copied().collect();
        let lost: Vec<_> = expected.difference(&union).collect();
        assert!(lost.is_empty(), "in neither, after {at}: {lost:?}");
        assert_eq!(union.len(), expected.len(), "nothing that was rolled back, after {at}");
    }
    println!("{ordering:?}: {} visits, {views} with a view, {} events", visits.len(), all.len());
    assert!(visits.len() > 4, "each visitor has come more than once");
    assert_eq!(views > 0, ordering == Ordering::ByTransaction, "of {} visits", visits.len());
}

#[tokio::test]
async fn first_visits_among_sixteen_writers_lose_and_double_nothing() {
    for ordering in ORDERINGS {
        each_event_is_in_the_state_or_in_the_stream(ordering, Duration::from_secs(2)).await;
    }
}

#[tokio::test]
#[ignore = "a minute for each ordering; by its name"]
async fn first_visits_among_sixteen_writers_for_a_minute() {
    for ordering in ORDERINGS {
        each_event_is_in_the_state_or_in_the_stream(ordering, Duration::from_secs(60)).await;
    }
}
