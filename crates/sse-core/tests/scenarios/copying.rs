//! A log that moves from one store to another.

use sse_core::{Error, Event, EventLog, Start, StoreOptions, copy};

use crate::support::client::Client;
use crate::support::clock;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

async fn over(store: &ScriptedStore) -> EventLog {
    let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    tokio::spawn(follower);
    log
}

#[tokio::test(start_paused = true)]
async fn all_that_is_kept_moves_and_its_clients_are_told_of_one_gap() -> Result<(), Error> {
    let old = over(&ScriptedStore::on(clock::timer(), Positions::Dense)).await;
    old.append_all((0..3000).map(|n| n.to_string())).await?;
    old.append(Event::new("before").key("a key")?).await?;
    old.append(Event::new("after").key("a key")?).await?;
    let mut client = Client::open(old.feed().start_at(Start::Last(1)));
    client.read_until(1).await;

    let new = over(&ScriptedStore::on(clock::timer(), Positions::Sparse)).await;
    assert_eq!(copy(&old, &new).await?, 3001);
    let mut back = Client::resume(&new, client.last_event_id());
    let events = back.read_until(3002).await;
    assert!(events[0].starts_with(r#"{"reason":"other-epoch""#));
    assert_eq!((&*events[1], &*events[3000], &*events[3001]), ("0", "2999", "after"));
    new.append(Event::new("the newest").key("a key")?).await?;
    back.read_until(3003).await;
    let late = Client::resume(&new, &back.parsed()[3000].last_event_id).read_until(1).await;
    assert_eq!(late, ["the newest"], "keys move, too");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn to_copy_again_after_an_error_adds_nothing_twice() -> Result<(), Error> {
    let old = EventLog::in_memory(5000);
    old.append_all((0..2500).map(|n| n.to_string())).await?;
    old.finish().await?;
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let new = over(&store).await;
    store.fault(Call::Append, Fault::LosesTheAnswer);
    assert!(copy(&old, &new).await.expect_err("the first append").is_outcome_unknown());
    store.mend(Call::Append);
    assert_eq!(copy(&old, &new).await?, 2500);
    let mut client = Client::open(new.feed().start_at(Start::Oldest));
    let events = client.read_to_end().await;
    assert_eq!(events, (0..2500).map(|n| n.to_string()).collect::<Vec<_>>());
    Ok(())
}

/// One call takes no more than an engine does: NATS takes 1 MiB.
#[tokio::test(start_paused = true)]
async fn large_events_are_copied_some_at_a_time() -> Result<(), Error> {
    let old = EventLog::in_memory(1000);
    old.append_all((0..100).map(|_| "x".repeat(50_000))).await?;
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    assert_eq!(copy(&old, &over(&store).await).await?, 100);
    assert_eq!(store.calls(Call::Append), 100, "each of them is all that a page has room for");
    Ok(())
}
