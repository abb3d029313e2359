//! The events of a log for code of the application.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use sse_core::{Event, EventLog, Followed, Following, GapReason, Start, StoreOptions, TopicSet};

use crate::support::clock;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};
use crate::topics::append;

/// Returns the data of the events that are there, or the reason of a gap.
fn now(events: &mut Following) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(Some(item)) = events.next().now_or_never() {
        all.push(match item.expect("no error") {
            Followed::Event(event) => event.to_event().data.expect("each has data"),
            Followed::Gap(gap) => gap.reason.as_str().to_owned(),
            _ => unreachable!("there is nothing else"),
        });
    }
    all
}

#[tokio::test]
async fn it_gives_what_is_there_and_then_what_comes_up_to_the_end() {
    let log = EventLog::in_memory(100);
    log.append_all(["1", "2"]).await.expect("in memory");
    let mut events = log.follow_after(Start::Oldest);
    assert_eq!(now(&mut events), ["1", "2"]);
    assert_eq!(events.id(), Some(log.stats().newest));
    // A wait that is given up loses nothing.
    for _ in 0..3 {
        assert!(events.next().now_or_never().is_none());
    }
    let next = tokio::spawn(async move { (events.next().await, events) });
    tokio::task::yield_now().await;
    let id = log.append("3").await.expect("in memory");
    let (item, mut events) = next.await.expect("it runs");
    let Some(Ok(Followed::Event(event))) = item else { panic!("{item:?}") };
    assert_eq!(event.id(), Some(&id));
    assert_eq!(event.block(), b"data: 3\n");
    log.append("4").await.expect("in memory");
    log.finish().await.expect("in memory");
    assert_eq!(now(&mut events), ["4"]);
    assert!(events.next().await.is_none() && events.next().await.is_none());
    let mut rest = log.follow_after(Start::After(id));
    assert_eq!(now(&mut rest), ["4"]);
}

#[tokio::test]
async fn a_gap_is_told_before_the_oldest_event() {
    let log = EventLog::in_memory(2);
    let first = log.append("1").await.expect("in memory");
    let mut live = log.follow_after(Start::Live);
    log.append_all(["2", "3", "4"]).await.expect("in memory");
    let mut events = log.follow_after(Start::After(first));
    let Some(Ok(Followed::Gap(gap))) = events.next().await else { panic!("no gap") };
    assert_eq!((gap.reason, gap.log), (GapReason::TooOld, None));
    assert_eq!(now(&mut events), ["3", "4"]);
    assert_eq!(now(&mut live), ["too-old", "3", "4"]);
    log.new_epoch().await.expect("in memory");
    log.append("5").await.expect("in memory");
    assert_eq!(now(&mut live), ["other-epoch", "5"]);
}

#[tokio::test]
async fn it_is_one_of_the_streams_that_a_shutdown_ends() {
    let log = EventLog::in_memory(2);
    let mut events = log.follow_after(Start::Live);
    assert_eq!((log.stats().open_streams, log.shutdown().open_streams()), (1, 1));
    let ended = tokio::spawn(async move { events.next().await.is_none() });
    tokio::task::yield_now().await;
    log.shutdown().begin();
    assert!(ended.await.expect("it runs"));
    log.shutdown().drained().await;
    assert_eq!(log.stats().open_streams, 0);
}

#[tokio::test]
async fn topics_can_be_followed_and_change() {
    let log = EventLog::in_memory(100);
    append(&log, "before", &["room/2"]).await;
    let mine = TopicSet::new(["room/1"]).expect("topics");
    let mut events = log.follow_topics_after(&mine, Start::Oldest).expect("in memory");
    append(&log, "1", &["room/1"]).await;
    append(&log, "2", &["room/2"]).await;
    append(&log, "all", &[]).await;
    let newest = append(&log, "3", &["room/3"]).await;
    assert_eq!(now(&mut events), ["1", "all"]);
    assert_eq!(events.id().expect("it has read").as_str(), newest, "others' events move it on");
    mine.add("room/2", Start::Last(2)).expect("a topic");
    mine.remove("room/1");
    append(&log, "4", &["room/2"]).await;
    append(&log, "5", &["room/1"]).await;
    assert_eq!(now(&mut events), ["before", "2", "4"]);
    assert!(log.follow_topics_after(["\n"], Start::Live).expect_err("refused").is_invalid_topic());
}

#[tokio::test]
async fn the_id_of_a_worker_that_waits_does_not_grow_old() {
    let log = EventLog::in_memory(3);
    let mut events = log.follow_topics_after(["mine"], Start::Live).expect("in memory");
    assert!(now(&mut events).is_empty());
    for _ in 0..9 {
        append(&log, "others", &["another's"]).await;
    }
    let id = events.id().expect("it has read");
    assert_eq!(id, log.stats().newest);
    let mine = append(&log, "mine", &["mine"]).await;
    append(&log, "others", &["another's"]).await;
    assert_eq!(events.id(), Some(id.clone()), "an event of its own is to come");
    assert_eq!(now(&mut events), ["mine"]);
    assert_ne!(events.id().expect("it has read").as_str(), mine);
    let mut again = log.follow_topics_after(["mine"], Start::After(id)).expect("in memory");
    assert_eq!(now(&mut again), ["mine"], "nothing was missed");
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_the_tail_is_read_from_the_store() {
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    let options = StoreOptions::new().tail_events(3);
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    let following = tokio::spawn(follower);
    for number in 1..=200 {
        let event = Event::new(number.to_string()).topic(["a", "b"][number % 2]).expect("a topic");
        log.append(event).await.expect("stored");
    }
    let mut all = log.follow_after(Start::Oldest);
    let mut half = log.follow_topics_after(["b"], Start::Oldest).expect("kept");
    for number in numbers(1..=200) {
        let item = all.next().await;
        let Some(Ok(Followed::Event(event))) = item else { panic!("{item:?}") };
        assert_eq!(event.to_event().data, Some(number));
    }
    for number in (1..=200).filter(|number| number % 2 == 1) {
        let item = half.next().await;
        let Some(Ok(Followed::Event(event))) = item else { panic!("{item:?}") };
        assert_eq!(event.to_event().data, Some(number.to_string()));
    }
    // While the store is away it waits.
    store.fault(Call::Pages, Fault::Fails);
    assert!(tokio::time::timeout(Duration::from_secs(60), all.next()).await.is_err());
    following.abort();
}
