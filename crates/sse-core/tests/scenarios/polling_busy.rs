//! A client that polls comes to the end, however busy the log, the merge or the source is.

use sse_core::{EventId, EventLog, FeedOnce, Start, StoreOptions, StreamRequest, merge};

use crate::answers::{append, polled};
use crate::support::client::Client;
use crate::support::clock;
use crate::support::poller::settle;
use crate::support::script::{Script, numbers};
use crate::support::scripted_store::{Positions, ScriptedStore};
use crate::topics;

/// A log over a store that gives seven events at a time, and of which the newest three are in memory.
async fn stored() -> EventLog {
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    store.short_pages(7);
    let options = StoreOptions::new().tail_events(3);
    let opened = EventLog::open(store, options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    tokio::spawn(follower);
    log
}

/// Polls with one more event before each time, and says how many chunks came before the end.
async fn busy(
    feed: impl Into<FeedOnce>,
    last_event_id: &str,
    mut publish: impl AsyncFnMut(),
) -> Client {
    let query = format!("poll&lastEventId={last_event_id}");
    let mut client = Client::with(&StreamRequest::new("GET", Some(&query), []), polled(feed));
    for _ in 0..100 {
        publish().await;
        if client.chunk().await.is_none() {
            return client;
        }
    }
    panic!("no end after {} events", client.events().len());
}

#[tokio::test(start_paused = true)]
async fn the_response_to_a_client_that_polls_a_busy_log_ends() {
    for log in [EventLog::in_memory(1000), stored().await] {
        let first = log.append("0").await.expect("stored");
        append(&log, 1..=50).await;
        settle().await;
        let publish = async || append(&log, [0]).await;
        let client = busy(log.feed(), first.as_str(), publish).await;
        let events = client.events();
        assert_eq!(events[..50], numbers(1..=50), "what was there when it came");
        // The same holds for a first visit, and after a gap.
        busy(log.feed(), "", publish).await;
        let oldest = log.feed().start_at(Start::Oldest);
        assert!(busy(oldest, "", publish).await.events().len() > 50);
        let client = busy(log.feed(), "nonsense", publish).await;
        assert!(client.events().len() > 50);
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_to_a_client_that_polls_for_topics_of_a_busy_log_ends() {
    for log in [EventLog::in_memory(1000), stored().await] {
        let first = topics::append(&log, "0", &["mine"]).await;
        for number in 1..=50 {
            topics::append(&log, &number.to_string(), &["mine"]).await;
            topics::append(&log, "others", &["another's"]).await;
        }
        settle().await;
        // Whether the events that come meanwhile are for it, or for others alone.
        for topic in ["another's", "mine"] {
            let publish = async || drop(topics::append(&log, "meanwhile", &[topic]).await);
            let feed = || log.topics(["mine"]).expect("it keeps topics");
            let client = busy(feed(), &first, publish).await;
            assert_eq!(client.events()[..50], numbers(1..=50), "what was there when it came");
            let client = busy(feed().start_at(Start::Oldest), "", publish).await;
            assert_eq!(client.events()[..51], numbers(0..=50), "what was there when it came");
            busy(feed(), "", publish).await;
            let client = busy(feed(), "nonsense", publish).await;
            assert!(client.events().len() > 50);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_to_a_client_that_polls_a_busy_merge_ends() {
    let in_memory = || EventLog::in_memory(1000);
    for (a, b) in [(in_memory(), in_memory()), (stored().await, stored().await)] {
        let feed = || merge([("a", &a), ("b", &b)]).expect("two names");
        append(&a, [0]).await;
        let opening = sse_core::EventType::from_static("opened");
        let mut first = Client::open(feed().position_event(opening));
        first.read_all().await;
        append(&a, 1..=5).await;
        append(&b, 1..=5).await;
        settle().await;
        let publish = async || {
            append(&a, [0]).await;
            append(&b, [0]).await;
        };
        let client = busy(feed(), first.last_event_id(), publish).await;
        assert!(client.events().len() >= 10, "what was there when it came: {:?}", client.events());
        busy(feed(), "", publish).await;
        busy(feed(), "nonsense", publish).await;
    }
}

/// It comes from another process, and the store is asked whether it knows its id: by then it is known what there is.
#[tokio::test(start_paused = true)]
async fn a_client_that_polls_a_process_that_is_behind_gets_what_was_there_when_it_came() {
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    store.short_pages(7);
    let open = async || {
        let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
        opened.expect("the store is up")
    };
    let ((log, follower), (other, _)) = (open().await, open().await);
    let first = other.append("0").await.expect("stored");
    append(&other, 1..=50).await;
    tokio::spawn(follower);
    let client = busy(log.feed(), first.as_str(), async || append(&other, [0]).await).await;
    assert_eq!(client.events()[..50], numbers(1..=50));
}

#[tokio::test(start_paused = true)]
async fn the_response_to_a_client_that_polls_a_busy_source_ends() {
    let script = Script::holding(1..=5);
    let mut number = 5;
    let publish = async || {
        number += 1;
        script.publish(number);
    };
    let client = busy(FeedOnce::from(script.clone()), "1", publish).await;
    assert_eq!(client.events()[..4], numbers(2..=5), "what was there when it came");
    let id = EventId::try_from(client.last_event_id()).expect("an id");
    assert_eq!(script.subscribers(), 0, "after {id}");
}
