//! A first visit that begins with what came within some time.

use std::time::Duration;

use sse_core::{
    Event, EventLog, EventType, Feed, LogOptions, OnGap, Start, StoreOptions, StreamResponse, merge,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::client::{Client, request};
use crate::support::clock::{self, pass};
use crate::support::poller::settle;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

/// A log over a store of which three events are in memory, and its follower.
async fn stored(positions: Positions) -> (EventLog, ScriptedStore, JoinHandle<()>) {
    let store = ScriptedStore::on(clock::timer(), positions);
    let options = StoreOptions::new().tail_events(3);
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    (log, store, tokio::spawn(follower))
}

fn in_memory(options: LogOptions) -> EventLog {
    EventLog::in_memory_with(clock::timer(), options)
}

/// A log in memory that keeps times, and one over each kind of store.
async fn logs() -> Vec<(EventLog, Option<JoinHandle<()>>)> {
    let mut logs = vec![(in_memory(LogOptions::new().keeps_times(true)), None)];
    for positions in [Positions::Dense, Positions::Sparse] {
        let (log, _, following) = stored(positions).await;
        logs.push((log, Some(following)));
    }
    logs
}

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    let events = numbers.into_iter().map(|number| Event::new(number.to_string()));
    log.append_all(events).await.expect("stored");
    settle().await;
}

/// Appends three events at once, three 10 s later, and three 10 s after that. Returns when.
async fn append_nine(log: &EventLog) -> [Instant; 3] {
    let mut times = [Instant::now(); 3];
    for (group, time) in (0..).zip(&mut times) {
        if group > 0 {
            pass(10_000).await;
        }
        *time = Instant::now();
        append(log, 3 * group + 1..3 * group + 4).await;
    }
    times
}

fn since(log: &EventLog, millis: u64) -> Feed {
    log.feed().start_at(Start::Since(Duration::from_millis(millis)))
}

#[tokio::test(start_paused = true)]
async fn a_first_visit_gets_what_came_within_its_time_and_then_what_comes() {
    for (log, _follower) in logs().await {
        let times = append_nine(&log).await;
        pass(100).await;
        let millis = Duration::from_millis;
        for (group, first) in (0..).zip([1, 4, 7]) {
            // An event that is exactly as old is given.
            for (less, first) in [(millis(0), first), (millis(1), first + 3)] {
                let since = Start::Since(times[group].elapsed() - less);
                let feed = log.feed().start_at(since.clone());
                let mut client = Client::open(feed.clone());
                let expected = numbers(first..=9);
                client.read_until(expected.len()).await;
                assert_eq!(client.read_all().await, expected, "{since:?}");
                if first < 10 {
                    let mut again = Client::resume(feed, client.last_event_id());
                    assert_eq!(again.read_all().await, numbers([]), "it is no first visit");
                }
            }
        }
        let mut all = Client::open(log.feed().start_at(Start::Since(Duration::MAX)));
        assert_eq!(all.read_until(9).await, numbers(1..=9));
        let mut client = Client::open(since(&log, 5));
        assert_eq!(client.read_all().await, numbers([]), "nothing is so new");
        append(&log, [10]).await;
        assert_eq!(client.read_until(1).await, numbers(10..=10));
        assert!(client.parsed().iter().all(|event| event.event_type == "message"), "no gap");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_topics_begins_where_one_of_all_events_would() {
    let mut all = logs().await;
    for (log, _) in &mut all {
        for number in 0..40 {
            let event = Event::new(number.to_string()).topic(["a", "b"][number % 2]);
            log.append(event.expect("a topic")).await.expect("stored");
            pass(1000).await;
        }
        let feed = log.topics(["b"]).expect("it keeps topics");
        for (millis, first) in [(11_500, 29), (12_500, 29), (13_500, 27), (100_000, 1)] {
            let feed = feed.clone().start_at(Start::Since(Duration::from_millis(millis)));
            let expected = numbers((first..40).step_by(2));
            let mut client = Client::open(feed);
            assert_eq!(client.read_until(expected.len()).await, expected, "{millis} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_log_of_a_merge_begins_by_its_own_times() {
    let all = logs().await;
    for (number, (log, _)) in (0..).zip(&all) {
        pass(10_000).await;
        append(log, [10 * number + 1]).await;
        pass(10_000).await;
        append(log, [10 * number + 2]).await;
    }
    let [(a, _), (b, _), (c, _)] = &all[..] else { panic!("three logs") };
    let feed = merge([("a", a), ("b", b), ("c", c)]).expect("three names");
    let mut client = Client::open(feed.start_at(Start::Since(Duration::from_secs(25))));
    let mut events = client.read_until(3).await;
    events.sort();
    assert_eq!(events, ["12", "21", "22"]);
}

#[tokio::test(start_paused = true)]
async fn it_begins_with_the_oldest_that_is_kept_if_older_ones_were_dropped() {
    let minute = Duration::from_secs(60);
    // An age is enough to know the times.
    let options = LogOptions::new().events(5).age(minute);
    let log = in_memory(options);
    append_nine(&log).await;
    for millis in [12_000, 20_000, 1_000_000] {
        assert_eq!(Client::open(since(&log, millis)).read_all().await, numbers(5..=9));
    }
    pass(90_000).await;
    let newest = Client::open(since(&log, 100_000)).read_all().await;
    assert_eq!(newest, numbers(9..=9), "it is kept whatever its age");
    assert_eq!(Client::open(since(&log, 80_000)).read_all().await, numbers([]));

    let (log, store, _follower) = stored(Positions::Sparse).await;
    append_nine(&log).await;
    store.trim(5);
    let mut client = Client::open(since(&log, 1_000_000));
    assert_eq!(client.read_until(4).await, numbers(6..=9));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_starts_over_gets_a_reset_and_what_came_within_the_time() {
    for (log, _follower) in logs().await {
        append_nine(&log).await;
        let feed = since(&log, 15_000).on_gap(OnGap::StartOver);
        let mut client = Client::resume(feed.clone(), "nonsense");
        let events = client.read_until(7).await;
        assert_eq!(client.parsed()[0].event_type, "reset");
        assert_eq!(events[1..], numbers(4..=9));
        let restart = client.parsed()[0].last_event_id.clone();
        assert_eq!(Client::resume(feed, restart).read_until(6).await, numbers(4..=9));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_with_nothing_so_new_begins_live_with_an_opening_event() {
    for (log, _follower) in logs().await {
        append_nine(&log).await;
        pass(10).await;
        let feed = since(&log, 5).position_event(EventType::from_static("opened"));
        let mut client = Client::open(feed);
        client.read_until(1).await;
        let opened = client.parsed()[0].clone();
        assert_eq!(opened.event_type, "opened");
        assert_eq!(opened.last_event_id, log.stats().newest.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn a_finished_log_is_a_204_if_nothing_in_memory_is_so_new() {
    let log = in_memory(LogOptions::new().keeps_times(true));
    append_nine(&log).await;
    log.finish().await.expect("finished");
    let status = |feed| StreamResponse::new(&request(), feed, clock::timer()).status;
    assert_eq!(Client::open(since(&log, 15_000)).read_to_end().await, numbers(4..=9));
    pass(10).await;
    assert_eq!(status(since(&log, 5)), 204);

    let (log, _, _follower) = stored(Positions::Dense).await;
    append_nine(&log).await;
    log.finish().await.expect("finished");
    pass(10).await;
    assert_eq!(Client::open(since(&log, 15_000)).read_to_end().await, numbers(4..=9));
    assert_eq!(Client::open(since(&log, 5)).read_to_end().await, numbers([]));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_again() {
    let (log, store, _follower) = stored(Positions::Dense).await;
    append_nine(&log).await;
    store.fault(Call::BeforeSince, Fault::Fails);
    let mut client = Client::open(since(&log, 15_000));
    client.read_for(Duration::from_secs(3)).await;
    assert_eq!(client.events(), numbers([]));
    store.mend(Call::BeforeSince);
    // 3 s have passed.
    assert_eq!(client.read_until(6).await, numbers(4..=9));
}

#[tokio::test(start_paused = true)]
async fn an_epoch_forgets_the_times_of_the_events_before_it() {
    for (log, _follower) in logs().await {
        append(&log, 1..=2).await;
        log.new_epoch().await.expect("begun");
        pass(1000).await;
        append(&log, 3..=4).await;
        let mut client = Client::open(since(&log, 500));
        assert_eq!(client.read_until(2).await, numbers(3..=4));
    }
}
