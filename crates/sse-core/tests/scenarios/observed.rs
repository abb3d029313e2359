//! An observer is notified of streams and of logs.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sse_core::{
    Delivered, Ended, Event, EventLog, Feed, FeedOnce, Gap, Observer, OnGap, Start, StoreOptions,
    StreamContext, StreamOptions, merge,
};

use crate::support::client::Client;
use crate::support::clock;
use crate::support::poller::{Poller, append};
use crate::support::script::{Fetch, Script};
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

/// Keeps what it is told, each as a line.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, line: String) {
        self.0.lock().expect("not poisoned").push(line);
    }

    /// Returns the notes since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("not poisoned"))
    }
}

impl Observer for Notes {
    fn opened(&self) {
        self.add("opened".into());
    }
    fn gap(&self, gap: &Gap) {
        self.add(format!("gap {} {}", gap.reason, gap.log.as_deref().unwrap_or("-")));
    }
    fn delivered(&self, delivered: &Delivered<'_>) {
        self.add(format!("delivered {} {}", delivered.events, delivered.bytes));
    }
    fn ended(&self, ended: &Ended) {
        let id = ended.last_event_id.as_ref().map_or("-", |id| id.as_str());
        let after = ended.lasted.as_secs();
        self.add(format!("{:?} {} {} {after} {id}", ended.end, ended.events, ended.bytes));
    }
    fn appended(&self, events: usize, bytes: usize) {
        self.add(format!("appended {events} {bytes}"));
    }
    fn store_lost(&self, what: &str, _: &(dyn StdError + 'static)) {
        self.add(format!("lost {what}"));
    }
    fn store_back(&self, what: &str) {
        self.add(format!("back {what}"));
    }
}

/// Returns the notes of an observer of this feed, whose client reads all there is, and then leaves.
async fn told(feed: impl Into<FeedOnce>, id: Option<&str>) -> Vec<String> {
    let notes = Notes::default();
    let feed = feed.into().observer(notes.clone());
    let mut client = match id {
        Some(id) => Client::resume(feed, id),
        None => Client::open(feed),
    };
    client.read_all().await;
    drop(client);
    notes.take()
}

#[tokio::test(start_paused = true)]
async fn a_stream_says_what_it_gave_how_long_it_was_and_why_it_ended() {
    let (log, notes) = (EventLog::in_memory(10), Notes::default());
    assert!(log.observe(notes.clone()));
    assert!(!log.observe(Notes::default()), "it has one");
    let ids = log.append_all(["one", "two"]).await.expect("stored");
    assert_eq!(notes.take(), ["appended 2 20"]);
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_all().await;
    clock::pass(5000).await;
    client.read_all().await;
    let bytes = "data: one\nid: \n\ndata: two\nid: \n\n".len() + 2 * ids[0].as_str().len();
    assert_eq!(notes.take(), ["opened".into(), format!("delivered 2 {bytes}")], "no keep-alive");
    log.append_now("three").expect("in memory");
    log.finish().await.expect("in memory");
    client.read_to_end().await;
    let told = notes.take();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("Finished 3 "), "{told:?}");
    assert!(told[2].ends_with(&format!(" 5 {}", log.stats().newest)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn each_end_has_its_reason() {
    let log = EventLog::in_memory(2);
    append(&log, "1").await;
    let end = |told: Vec<String>| told.last().cloned().unwrap_or_default();
    assert!(end(told(log.feed(), None).await).starts_with("Left 0 "));
    let polls = log.feed().start_at(Start::Oldest).ends_when_caught_up();
    assert!(end(told(polls, None).await).starts_with("Polled 1 "));
    let failing = Script::holding(1..=3);
    failing.fetch_is(Fetch::Fails);
    assert!(end(told(Feed::from(failing), Some("1")).await).starts_with("Failed 0 "));
    let full = Feed::from(Script::holding(1..=9)).remembered_ids(2);
    assert!(end(told(full, Some("1")).await).starts_with("Full 8 "));
    let ending = StreamContext::run(|context| async move {
        context.send_event("one").await?;
        Ok(())
    });
    assert!(end(told(ending, None).await).starts_with("Finished 1 "));
    let other = sse_core::Shutdown::new();
    other.begin();
    assert!(end(told(log.feed().shutdown(&other), None).await).starts_with("Shutdown 0 "));
    let refused = |feed: Feed, id: &str| {
        let notes = Notes::default();
        assert_eq!(Poller::new(feed.observer(notes.clone()), Some(id)).status, 204);
        notes.take()
    };
    for feed in [log.feed(), Feed::from(Script::default())] {
        let told = refused(feed.on_gap(OnGap::Stop), "\u{e9}");
        assert_eq!(told, ["opened", "gap unknown -", "Gap 0 0 0 -"]);
    }
    log.finish().await.expect("in memory");
    let told = refused(log.feed(), log.stats().newest.as_str());
    assert_eq!(told, ["opened", "Finished 0 0 0 -"]);
}

#[tokio::test(start_paused = true)]
async fn each_gap_is_told_once_with_the_log_that_it_is_in() {
    let (log, other) = (EventLog::in_memory(2), EventLog::in_memory(2));
    let first = log.append("1").await.expect("stored");
    log.append_all(["2", "3", "4"]).await.expect("stored");
    let gaps = |told: Vec<String>| -> Vec<String> {
        told.into_iter().filter(|line| line.starts_with("gap")).collect()
    };
    let old = first.as_str();
    for feed in [log.feed(), log.feed().on_gap(OnGap::Live), log.feed().on_gap(OnGap::StartOver)] {
        assert_eq!(gaps(told(feed, Some(old)).await), ["gap too-old -"]);
    }
    let both = merge([("a", &log), ("b", &other)]).expect("two names");
    assert_eq!(gaps(told(both, Some("nonsense")).await), ["gap unknown a", "gap unknown b"]);
    let lost = Script::default();
    lost.fetch_is(Fetch::TellsOfAGap);
    assert_eq!(gaps(told(Feed::from(lost), Some("2")).await), ["gap unknown -"]);
    assert!(gaps(told(&log, None).await).is_empty());
}

/// The observer of its options has a stream for itself; that of the log has the others.
#[tokio::test(start_paused = true)]
async fn a_feed_with_an_observer_of_its_own_is_not_told_to_that_of_its_log() {
    let (log, of_log, own) = (EventLog::in_memory(2), Notes::default(), Notes::default());
    log.observe(of_log.clone());
    let options = StreamOptions::new().observer(own.clone());
    drop(Client::open(log.feed().with(&options)));
    assert_eq!((own.take().len(), of_log.take().len()), (2, 0));
    assert_eq!(Poller::new(&log, None).status, 200);
    assert_eq!((own.take().len(), of_log.take().len()), (0, 2));
}

/// Counts the open streams of a log when one has ended.
struct Counting(EventLog, Arc<Mutex<Vec<usize>>>);

impl Observer for Counting {
    fn ended(&self, _: &Ended) {
        let open = (self.0.stats().open_streams, self.0.shutdown().open_streams());
        assert_eq!(open.0, open.1);
        self.1.lock().expect("not poisoned").push(open.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_ended_is_no_longer_counted_when_its_end_is_told() {
    let (log, counts) = (EventLog::in_memory(2), Arc::default());
    let options = StreamOptions::new().observer(Counting(log.clone(), Arc::clone(&counts)));
    let feed = log.feed().with(&options);
    let clients = [Client::open(&feed), Client::open(&feed)];
    drop(clients);
    assert_eq!(*counts.lock().expect("not poisoned"), [1, 0]);
}

struct Panicking;

impl Observer for Panicking {
    fn opened(&self) {
        panic!("opened");
    }
    fn delivered(&self, _: &Delivered<'_>) {
        panic!("delivered");
    }
    fn appended(&self, _: usize, _: usize) {
        panic!("appended");
    }
    fn ended(&self, _: &Ended) {
        panic!("ended");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_harms_nobody() {
    let log = EventLog::in_memory(2);
    log.observe(Panicking);
    log.append(Event::new("1")).await.expect("stored");
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    assert_eq!(client.read_all().await, ["1"]);
    drop(client);
    assert_eq!(log.stats().open_streams, 0);
}

async fn over_a_store(options: StoreOptions) -> (ScriptedStore, EventLog, Notes) {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    tokio::spawn(follower);
    let notes = Notes::default();
    assert!(log.observe(notes.clone()));
    (store, log, notes)
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_told_once_and_once_when_it_is_back() {
    let (store, log, notes) = over_a_store(StoreOptions::default()).await;
    log.append("1").await.expect("stored");
    log.append_now("2").expect("queued");
    clock::pass(100).await;
    assert_eq!(notes.take(), ["appended 1 8", "appended 1 8"]);
    store.go_down();
    clock::pass(60_000).await;
    let lost = notes.take();
    assert!(lost.iter().any(|line| line == "lost following the store of an event log"), "{lost:?}");
    store.come_back();
    clock::pass(15_000).await;
    let back = notes.take();
    assert_eq!(back.len(), lost.len(), "each is back that was lost: {lost:?}, {back:?}");
    assert!(back.iter().all(|line| line.starts_with("back ")), "{back:?}");
}

#[tokio::test(start_paused = true)]
async fn appends_that_fail_are_told_once_and_once_when_they_succeed_again() {
    let (store, log, notes) = over_a_store(StoreOptions::new().store_wait(Duration::ZERO)).await;
    store.fault(Call::Append, Fault::Fails);
    log.append("refused").await.expect_err("the store fails");
    log.append("refused").await.expect_err("the store fails again");
    log.append_now("refused").expect("it is queued");
    clock::pass(1000).await;
    assert_eq!(notes.take(), ["lost storing events"]);
    store.mend(Call::Append);
    log.append("stored").await.expect("the store is up");
    assert_eq!(notes.take(), ["back storing events", "appended 1 13"]);
}
