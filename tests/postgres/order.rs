//! Transactions end in another order than they began in.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use sse_conformance::engines::Postgres;
use sse_core::Position;
use sse_core::store::Store;
use sse_log_postgres::Ordering;

use crate::tools::{PAGE, append, begin, bounds, client, open, open_ordered, take, texts};

/// Each in its own transactions, which take their time before and after they append.
async fn write(postgres: &Postgres, ordering: Ordering, writer: usize, transactions: usize) {
    let (store, mut client) = (open_ordered(postgres, ordering).await, client(postgres).await);
    let pause = || tokio::time::sleep(Duration::from_micros(fastrand::u64(0..3000)));
    for n in 0..transactions {
        let transaction = client.transaction().await.expect("begun");
        transaction.execute("SELECT pg_current_xact_id()", &[]).await.expect("it has an id");
        pause().await;
        let appended = store.append_in(&transaction, format!("{writer}-{n}")).await;
        appended.expect("appended");
        pause().await;
        match n % 10 {
            3 => transaction.rollback().await.expect("rolled back"),
            _ => transaction.commit().await.expect("committed"),
        }
    }
}

async fn loses_nothing(ordering: Ordering) {
    let postgres = Postgres::start().await;
    let store = open_ordered(&postgres, ordering).await;
    let mut pages = store.follow(Position::START).await.expect("followed");
    let writers = join_all((0..16).map(|writer| write(&postgres, ordering, writer, 40)));
    let follower = async {
        let events = take(&mut pages, 16 * 36).await;
        let texts: HashSet<_> = events.into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts.len(), 16 * 36, "none comes twice");
        assert!(!texts.iter().any(|text| text.ends_with("-3")), "none that was rolled back");
    };
    tokio::join!(writers, follower);
}

#[tokio::test]
async fn a_follower_gets_every_event_of_sixteen_writers_whose_transactions_overlap() {
    loses_nothing(Ordering::ByTransaction).await;
}

#[tokio::test]
async fn a_follower_gets_every_event_of_sixteen_writers_who_take_turns() {
    loses_nothing(Ordering::ByLock).await;
}

#[tokio::test]
async fn an_open_transaction_holds_back_what_is_appended_after_it_and_no_longer() {
    let postgres = Postgres::start().await;
    let (store, other) = (open(&postgres).await, client(&postgres).await);
    append(&store, "before").await;
    let before = bounds(&store).await;
    let mut pages = store.follow(before.newest).await.expect("followed");
    begin(&other).await;
    let after = append(&store, "after").await;
    assert_eq!(bounds(&store).await, before, "what can be read is what there is");
    let early = tokio::time::timeout(Duration::from_millis(300), async {
        while let Some(page) = pages.next().await {
            assert!(page.expect("a page").events.is_empty());
        }
    });
    assert!(early.await.is_err(), "it goes on");
    other.batch_execute("COMMIT").await.expect("committed");
    assert_eq!(take(&mut pages, 1).await, [(after, "after".to_owned())]);
}

#[tokio::test]
async fn an_open_transaction_holds_nothing_back_if_a_lock_makes_the_order() {
    let postgres = Postgres::start().await;
    let store = open_ordered(&postgres, Ordering::ByLock).await;
    let mut early = client(&postgres).await;
    let early = early.transaction().await.expect("begun");
    early.execute("SELECT pg_current_xact_id()", &[]).await.expect("it has a low id");
    append(&store, "one").await;
    assert_eq!(texts(&store).await, ["one"]);
    store.append_in(&early, "two").await.expect("appended");
    assert_eq!(texts(&store).await, ["one"]);
    early.commit().await.expect("committed");
    append(&store, "three").await;
    assert_eq!(texts(&store).await, ["one", "two", "three"]);
}

#[tokio::test]
async fn positions_stay_comparable_when_the_ordering_is_changed() {
    let postgres = Postgres::start().await;
    let by_transaction = open(&postgres).await;
    let mut pages = by_transaction.follow(Position::START).await.expect("followed");
    let mut clients = join_all((0..3).map(|_| client(&postgres))).await;
    let mut early = Vec::new();
    for client in &mut clients {
        let transaction = client.transaction().await.expect("begun");
        transaction.execute("SELECT pg_current_xact_id()", &[]).await.expect("it has a low id");
        early.push(transaction);
    }
    let mut commit = async |store, text| {
        let transaction = early.pop().expect("one is left");
        let store: &sse_log_postgres::PostgresStore = store;
        store.append_in(&transaction, text).await.expect("appended");
        transaction.commit().await.expect("committed");
    };
    append(&by_transaction, "1").await;

    let by_lock = open_ordered(&postgres, Ordering::ByLock).await;
    append(&by_lock, "2").await;
    commit(&by_lock, "3").await;
    append(&by_transaction, "4").await; // the ordering is the log's, not the process's

    let by_transaction = open(&postgres).await;
    let late = append(&by_transaction, "6").await;
    commit(&by_transaction, "5").await;
    assert!(bounds(&by_transaction).await.newest < late, "one could still come before it");
    commit(&by_lock, "5").await;
    let texts: Vec<_> = take(&mut pages, 7).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["1", "2", "3", "4", "5", "5", "6"]);

    open_ordered(&postgres, Ordering::ByLock).await;
    append(&by_transaction, "7").await;
    assert_eq!(take(&mut pages, 1).await[0].1, "7");
}

/// For a moment, which is all that other transactions take as a rule.
#[tokio::test]
async fn a_read_after_an_append_waits_for_what_holds_it_back() {
    let postgres = Postgres::start().await;
    let (store, other) = (open(&postgres).await, client(&postgres).await);
    let mut times = 0;
    // On a busy machine the commit may come too late for the moment, or before the read begins, but not each time.
    for _ in 0..10 {
        begin(&other).await;
        let after = append(&store, "after").await;
        let begun = Instant::now();
        let read = async {
            let page = store.read(Position::START, PAGE).await.expect("a page");
            (page.events.last().map(|event| event.position), begun.elapsed())
        };
        let commit = async {
            tokio::time::sleep(Duration::from_millis(20)).await; // a read that does not wait has returned by then
            other.batch_execute("COMMIT").await.expect("committed");
        };
        let ((newest, waited), ()) = tokio::join!(read, commit);
        let has_waited = newest == Some(after);
        assert!(
            has_waited || waited >= Duration::from_millis(100),
            "it waited for {waited:?} alone"
        );
        times += usize::from(has_waited);
    }
    assert!(times > 0, "no commit came within the time for which a reader waits");
}
