//! Events that a log in memory keeps: by age, by key, until they are deleted.

use std::time::Duration;

use sse_core::{Error, Event, EventLog, LogOptions, Start, StreamResponse};

use crate::support::client::{Client, request_after};
use crate::support::clock;
use crate::support::script::numbers;

fn oldest(log: &EventLog) -> Client {
    Client::open(log.feed().start_at(Start::Oldest))
}

#[tokio::test(start_paused = true)]
async fn events_that_are_too_old_are_dropped_except_the_newest() -> Result<(), Error> {
    let options = LogOptions::new().age(Duration::from_secs(60));
    let log = EventLog::in_memory_with(clock::timer(), options);
    let first = log.append("1").await?;
    clock::pass(40_000).await;
    let second = log.append("2").await?;
    clock::pass(19_000).await;
    assert_eq!(oldest(&log).read_all().await, numbers([1, 2]));
    clock::pass(2_000).await;
    assert_eq!(oldest(&log).read_all().await, numbers([2]));
    assert!(log.read_after(&first, 10).await.is_ok(), "nothing after it is gone");
    assert!(log.get(&first).await.expect_err("it is gone").is_gap());
    clock::pass(600_000).await;
    assert_eq!(log.stats().events, 1);
    log.append("3").await?;
    assert_eq!(oldest(&log).read_all().await, numbers([3]));
    assert!(log.read_after(&first, 10).await.expect_err("2 is gone").is_gap());
    assert_eq!(log.read_after(&second, 10).await?.len(), 1);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn of_each_key_those_who_keep_up_get_all_and_those_who_come_late_the_newest()
-> Result<(), Error> {
    let log = EventLog::in_memory(1000);
    let before = log.append("0").await?;
    let mut live = Client::open(&log);
    live.read_all().await;
    for n in 1..=6 {
        log.append(Event::from(n.to_string()).key(if n % 2 == 0 { "even" } else { "odd" })?)
            .await?;
        live.read_all().await;
    }
    log.append("7").await?;
    assert_eq!(live.read_all().await, numbers(1..=7));
    assert_eq!(oldest(&log).read_all().await, numbers([0, 5, 6, 7]));
    let mut behind = Client::resume(&log, before.as_str());
    assert_eq!(behind.read_all().await, numbers([5, 6, 7]), "what was replaced is no gap");
    assert_eq!(log.stats().events, 4);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_takes_no_room_for_long() -> Result<(), Error> {
    let log = EventLog::in_memory(LogOptions::new().events(100));
    let kept = log.append("kept").await?;
    for n in 0..20_000_u32 {
        log.append(Event::new("x".repeat(n as usize % 200)).key(&(n % 50).to_string())?).await?;
    }
    let stats = log.stats();
    assert_eq!(stats.events, 51);
    assert!(stats.bytes < 51 * 250, "{stats:?}");
    let late = log.read_after(&kept, 1000).await?;
    assert_eq!(late.len(), 50);
    assert_eq!(late[49].id(), Some(&stats.newest));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_deleted_event_is_seen_by_no_reader_and_is_no_gap() -> Result<(), Error> {
    let log = EventLog::in_memory(1000);
    let mut ids = Vec::new();
    for n in 1..=40 {
        // More than one page.
        ids.push(log.append(format!("{n} {}", "x".repeat(3000))).await?);
    }
    for n in [1, 7, 20, 21, 39, 40] {
        log.delete(&ids[n - 1]).await?;
        log.delete(&ids[n - 1]).await?;
    }
    let left = (1..=40).filter(|n| ![1, 7, 20, 21, 39, 40].contains(n));
    let seen = oldest(&log).read_all().await;
    let seen: Vec<_> = seen.iter().filter_map(|data| data.split(' ').next()).collect();
    assert_eq!(seen, numbers(left));
    let after_deleted = Client::resume(&log, ids[19].as_str()).read_all().await;
    assert!(after_deleted[0].starts_with("22 "), "resumed where nothing is");
    assert!(log.get(&ids[6]).await.expect_err("it is gone").is_gap());
    assert!(Client::resume(&log, ids[38].as_str()).read_all().await.is_empty());
    log.finish().await?;
    let request = request_after(&ids[37]);
    let status = StreamResponse::new(&request, &log, clock::timer()).status;
    assert_eq!(status, 204, "after it there is nothing, and never will be");
    Ok(())
}

/// The rows are those of the table in `docs/replay.md`.
#[tokio::test(start_paused = true)]
async fn an_append_that_is_tried_again_has_the_first_answer_whatever_became_of_its_event()
-> Result<(), Error> {
    let log = EventLog::in_memory_with(clock::timer(), 3);
    let once = |key: &str| Event::new("again").idempotency_key(key).expect("a short key");
    let superseding = Event::new("new").key("key")?;
    let kept = log.append(Event::new("1").idempotency_key("kept")?).await?;
    let dropped = log.append(Event::new("2").idempotency_key("dropped")?).await?;
    let superseded = once("superseded").key("key")?;
    let superseded = log.append_all([superseded, superseding]).await?.remove(0);
    let deleted = log.append(Event::new("3").idempotency_key("deleted")?).await?;
    log.delete(&deleted).await?;
    log.append_all(["4", "5", "6"]).await?;
    let first = [("dropped", dropped), ("superseded", superseded), ("deleted", deleted)];
    for _ in 0..2 {
        for (key, first) in &first {
            assert_eq!(
                log.append(Event::new("again").idempotency_key(key)?).await?,
                *first,
                "{key}"
            );
        }
        assert_eq!(
            log.append(Event::new("again").idempotency_key("kept")?).await?,
            kept,
            "three further keys came"
        );
        assert_eq!(log.stats().events, 3);
        log.finish().await?;
    }
    let batch = log.append_all([once("deleted"), once("superseded")]).await?;
    assert_eq!(batch, [first[2].1.clone(), first[1].1.clone()]);
    for events in [[once("deleted"), once("new")], [once("deleted"), "7".into()]] {
        let refused = log.append_all(events).await.expect_err("there is something to add");
        assert!(refused.is_finished(), "{refused}");
    }
    assert!(
        log.append(Event::new("7").idempotency_key("new").expect("a key"))
            .await
            .expect_err("it is not known")
            .is_finished()
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_is_forgotten_by_more_further_keys_than_events_and_by_a_new_epoch()
-> Result<(), Error> {
    let log = EventLog::in_memory_with(clock::timer(), 3);
    let first = log.append(Event::new("1").idempotency_key("first")?).await?;
    for n in 0..3 {
        log.append(Event::new("x").idempotency_key(&format!("further {n}"))?).await?;
        assert_eq!(
            log.append(Event::new("again").idempotency_key("first")?).await?,
            first,
            "after {n}"
        );
    }
    log.append(Event::new("x").idempotency_key("one too many")?).await?;
    let again = log.append(Event::new("again").idempotency_key("first")?).await?;
    assert_ne!(again, first);
    log.new_epoch().await?;
    let in_another_epoch = log.append(Event::new("once more").idempotency_key("first")?).await?;
    assert_ne!(in_another_epoch.epoch(), again.epoch());
    assert_eq!(
        log.append(Event::new("and again").idempotency_key("first")?).await?,
        in_another_epoch
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_tried_again_is_one_event_within_the_window() -> Result<(), Error> {
    let options = LogOptions::new().events(3);
    let log = EventLog::in_memory_with(clock::timer(), options);
    let first = log.append(Event::new("1").idempotency_key("order 1")?).await?;
    assert_eq!(log.append(Event::new("1").idempotency_key("order 1")?).await?, first);
    assert_ne!(log.append(Event::new("2").idempotency_key("order 2")?).await?, first);
    clock::pass(119_000).await;
    assert_eq!(log.append(Event::new("1").idempotency_key("order 1")?).await?, first);
    clock::pass(2_000).await;
    let again = log.append(Event::new("3").idempotency_key("order 1")?).await?;
    assert_ne!(again, first, "after two minutes it is forgotten");
    assert_eq!(oldest(&log).read_all().await, numbers([1, 2, 3]));
    for n in 4..=7 {
        log.append(n.to_string()).await?;
    }
    assert_eq!(
        log.append(Event::new("8").idempotency_key("order 1")?).await?,
        again,
        "its event is gone, and it is known"
    );
    for key in ["", &"x".repeat(129)] {
        let refused = Event::new("9").idempotency_key(key).expect_err("a key has 1 to 128 bytes");
        assert!(refused.is_invalid_event());
        assert!(Event::new("9").key(key).expect_err("so has this one").is_invalid_event());
    }
    Ok(())
}
