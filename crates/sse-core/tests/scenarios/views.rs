//! Clients that continue from what a snapshot of the store's database saw: they get once, in order, what it did not see, wherever they are
//! cut off.
//
// Longer than other files: one simulation, and the tests beside it.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::StreamExt;
use sse_core::store::View;
use sse_core::{
    Event, EventId, EventLog, Feed, Followed, NewEvent, OnGap, Position, Snapshot, Start,
    StoreOptions, TopicSet, merge,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::simulation::{Reader, for_each_seed};
use crate::support::clock;
use crate::support::poller::{Poller, settle};
use crate::support::scripted_store::{Positions, ScriptedStore};

const TOPIC: &str = "room/1";
/// The event that stands for the state that the snapshot saw.
const STATE: &str = "state";

/// A log over a store whose positions are of transactions, of two or three events each.
struct Log {
    name: &'static str,
    log: EventLog,
    events: Vec<Placed>,
    follower: JoinHandle<()>,
}

struct Placed {
    position: Position,
    text: String,
    has_topic: bool,
}

/// What a snapshot saw.
struct Seen {
    at: EventId,
    upto: Position,
    /// The transactions after it that had ended.
    ended: Vec<u64>,
}

impl Log {
    async fn open(name: &'static str, rng: &mut Rng) -> Self {
        let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
        let options = StoreOptions::new().tail_events(rng.usize(1..20));
        let opened = EventLog::open(store, options, clock::timer()).await;
        let (log, follower) = opened.expect("the store is up");
        let mut new = Self { name, log, events: Vec::new(), follower: tokio::spawn(follower) };
        for _ in 0..rng.usize(..40) {
            new.append(rng).await;
        }
        new
    }

    async fn append(&mut self, rng: &mut Rng) {
        let text = format!("{}{}", self.name, self.events.len());
        let (event, has_topic) = match rng.u8(..3) {
            0 => (NewEvent::from(text.as_str()), true),
            1 => (Event::new(&text).topic(TOPIC).expect("a topic"), true),
            _ => (Event::new(&text).topic("another").expect("a topic"), false),
        };
        let id = self.log.append(event).await.expect("stored");
        let (_, position) = id.as_str().split_once('.').expect("an id of a log");
        let position = position.parse().expect("a position");
        self.events.push(Placed { position, text, has_topic });
    }

    /// Returns what any snapshot could have seen: all up to a transaction, and some of those after it.
    fn seen(&self, rng: &mut Rng) -> Seen {
        let mut transactions: Vec<u64> =
            self.events.iter().map(|event| event.position.hi()).collect();
        transactions.dedup();
        let before = rng.usize(..=transactions.len());
        let (all, others) = transactions.split_at(before);
        let mut upto = self.events.iter().map(|event| event.position);
        let upto = upto.rfind(|position| all.contains(&position.hi())).unwrap_or_default();
        let before_end = &others[..rng.usize(..=others.len())];
        let end = before_end.last().map_or(upto.hi(), |last| last + rng.u64(1..4));
        let (ended, running): (Vec<_>, Vec<_>) = before_end.iter().partition(|_| rng.bool());
        let view = View::new(end, running);
        Seen { at: view.id(upto, self.log.epoch()).expect("it fits"), upto, ended }
    }

    /// Returns the texts of the events that the snapshot did not see, and that these streams get.
    fn unseen(&self, seen: &Seen, of_topic: bool) -> Vec<&str> {
        let has_ended = |event: &Placed| seen.ended.contains(&event.position.hi());
        let is_new = |event: &&Placed| event.position > seen.upto && !has_ended(event);
        let events = self.events.iter().filter(is_new);
        events.filter(|event| !of_topic || event.has_topic).map(|event| &*event.text).collect()
    }
}

/// A client over HTTP, which is cut off at any byte, and comes back with the id that it has.
async fn read(mut logs: Vec<Log>, rng: &mut Rng, feed: Feed, id: &str) -> (Vec<Log>, Vec<String>) {
    let (mut client, mut arrived) = (Reader::at(clock::timer(), id), Vec::new());
    let (mut steps, mut quiet) = (rng.usize(10..150), 0);
    while quiet < 5 {
        let is_settling = steps == 0;
        steps = steps.saturating_sub(1);
        match rng.u8(..16) {
            0..6 if !is_settling => {
                let log = rng.usize(..logs.len());
                logs[log].append(rng).await;
            }
            6 if !is_settling => client.cut(),
            7 => tokio::time::sleep(Duration::from_secs(1)).await,
            8 => settle().await,
            _ if !client.is_connected() => assert!(client.is_answered(feed.clone()), "it goes on"),
            _ => {
                let has_read = client.read(rng, !is_settling);
                assert!(client.last_event_id().len() <= EventId::MAX_LEN);
                if is_settling && !has_read {
                    settle().await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    quiet = if client.is_waiting() { quiet + 1 } else { 0 };
                }
            }
        }
        let events = std::mem::take(&mut client.arrived);
        assert!(events.iter().all(|event| event.event_type == "message"), "{events:?}");
        arrived.extend(events.into_iter().map(|event| event.data).filter(|text| text != STATE));
    }
    (logs, arrived)
}

fn snapshot(seen: &[Arc<Seen>], names: &[&'static str]) -> Start {
    let ids: Vec<_> = names.iter().copied().zip(seen.iter().map(|seen| seen.at.clone())).collect();
    Start::snapshot(move |request| {
        let of = |name: &str| request.log.as_deref().is_none_or(|log| log == name);
        let (_, at) = ids.iter().find(|(name, _)| of(name)).expect("a log of the merge");
        let snapshot = Snapshot::new([STATE, STATE], at.clone());
        async { Ok(snapshot) }
    })
}

async fn simulate(mut rng: Rng) {
    let rng = &mut rng;
    let logs = vec![Log::open("a", rng).await, Log::open("b", rng).await];
    let seen: Vec<_> = logs.iter().map(|log| Arc::new(log.seen(rng))).collect();
    let (feed, at) = (logs[0].log.feed(), seen[0].at.clone());
    let topics = || logs[0].log.topics([TOPIC]).expect("a topic");
    let (feed, id, is_merged, of_topic) = match rng.u8(..7) {
        0 => (feed, at.as_str(), false, false),
        1 => (feed.start_at(Start::After(at)), "", false, false),
        2 => (feed.start_at(snapshot(&seen, &["a"])), "", false, false),
        3 => (topics(), at.as_str(), false, true),
        4 => (topics().start_at(snapshot(&seen, &["a"])), "", false, true),
        5 => return follow(&logs[0], &seen[0], rng).await,
        _ => {
            let feed = merge([("a", &logs[0].log), ("b", &logs[1].log)]).expect("two logs");
            (feed.start_at(snapshot(&seen, &["a", "b"])), "", true, false)
        }
    };
    let id = id.to_owned();
    let (logs, arrived) = read(logs, rng, feed, &id).await;
    for (log, seen) in logs.iter().zip(&seen).take(if is_merged { 2 } else { 1 }) {
        let of_log = |text: &&String| text.starts_with(log.name);
        let texts: Vec<_> = arrived.iter().filter(of_log).collect();
        assert_eq!(texts, log.unseen(seen, of_topic), "after {}, {:?}", seen.at, seen.ended);
        log.follower.abort();
    }
}

/// A worker of the same process, which begins again now and then, and pages of a program.
async fn follow(log: &Log, seen: &Seen, rng: &mut Rng) {
    for of_topic in [false, true] {
        let expected = log.unseen(seen, of_topic);
        let (mut id, mut texts) = (seen.at.clone(), Vec::new());
        let topics = TopicSet::new([TOPIC]).expect("a topic");
        loop {
            let start = Start::After(id.clone());
            let mut following = match of_topic {
                true => log.log.follow_topics_after([TOPIC], start).expect("a topic"),
                false => log.log.follow_after(start),
            };
            for _ in 0..rng.usize(1..5) {
                let Ok(item) = timeout(Duration::from_secs(1), following.next()).await else {
                    break;
                };
                match item {
                    Some(Ok(Followed::Event(event))) => texts.extend(event.to_event().data),
                    other => panic!("{other:?} after {id}"),
                }
            }
            let before = std::mem::replace(&mut id, following.id().expect("it has begun"));
            if before == id || texts.len() > expected.len() {
                break;
            }
        }
        assert_eq!(texts, expected, "after {}, {:?}", seen.at, seen.ended);

        let (mut id, mut texts) = (seen.at.clone(), Vec::new());
        loop {
            let limit = rng.usize(1..5);
            let page = match of_topic {
                true => log.log.read_after_in(&topics, &id, limit).await,
                false => log.log.read_after(&id, limit).await,
            };
            let page = page.expect("the store is up");
            let Some(last) = page.last() else { break };
            id = last.id().expect("an event of a log").clone();
            assert_eq!(log.log.get(&id).await.expect("it is kept").block(), last.block());
            texts.extend(page.iter().filter_map(|event| event.to_event().data));
        }
        assert_eq!(texts, expected, "after {}, {:?}", seen.at, seen.ended);
    }
    log.follower.abort();
}

#[test]
fn a_client_gets_once_what_a_snapshot_did_not_see() {
    for_each_seed(1000, |rng| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(simulate(rng));
    });
}

/// No store is there to give it.
#[tokio::test]
async fn an_id_with_a_view_is_a_gap_in_a_log_in_memory() {
    let log = EventLog::in_memory(10);
    let id = log.append("one").await.expect("kept");
    let id = format!("{id}_8");
    assert!(
        log.read_after(&id.parse().expect("an id"), 1).await.expect_err("no log gave it").is_gap()
    );
    let mut client = Poller::new(&log, Some(&id));
    assert_eq!(client.all().len(), 2, "a reset, and the event: {:?}", client.data());
}

/// The epoch of the view is over, and so is what its snapshot saw.
#[tokio::test(start_paused = true)]
async fn a_gap_is_the_end_of_a_view() {
    let log = Log::open("a", &mut Rng::with_seed(0)).await.log;
    let before: EventId = log.append("before").await.expect("stored");
    let position: Position =
        before.as_str().split_once('.').expect("an id").1.parse().expect("an id");
    let all = View::new(position.hi() + 1_000_000, []);
    let at = all.id(position, log.epoch()).expect("it fits");
    let mut client = Poller::new(log.feed().on_gap(OnGap::Live), Some(at.as_str()));
    log.append("seen").await.expect("stored");
    settle().await;
    assert_eq!(client.all(), Vec::<String>::new());
    log.new_epoch().await.expect("begun");
    clock::pass(1000).await;
    assert_eq!(client.all(), Vec::<String>::new());
    log.append("new").await.expect("stored");
    clock::pass(1000).await;
    assert_eq!(client.all(), ["new"]);
    assert_eq!(client.id().parse::<EventId>().expect("an id").epoch(), Some(log.epoch()));
    assert!(!client.id().contains('_'), "{}", client.id());
}
