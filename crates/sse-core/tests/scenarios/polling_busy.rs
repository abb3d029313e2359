//! A client that polls comes to the end, however busy the log, the merge or the source is.

use sse_core::{EventId, EventLog, FeedOnce, StreamRequest, merge};

use crate::answers::{append, polled};
use crate::support::client::Client;
use crate::support::script::{Script, numbers};

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
    let log = EventLog::in_memory(1000);
    let first = log.append("0").await.expect("stored");
    append(&log, 1..=50).await;
    let client = busy(log.feed(), first.as_str(), async || append(&log, [0]).await).await;
    let events = client.events();
    assert_eq!(events[..50], numbers(1..=50), "what was there when it came");
    // The same holds for a first visit, and after a gap.
    busy(log.feed(), "", async || append(&log, [0]).await).await;
    let client = busy(log.feed(), "nonsense", async || append(&log, [0]).await).await;
    assert!(client.events().len() > 50);
}

#[tokio::test(start_paused = true)]
async fn the_response_to_a_client_that_polls_a_busy_merge_ends() {
    let (a, b) = (EventLog::in_memory(1000), EventLog::in_memory(1000));
    let feed = || merge([("a", &a), ("b", &b)]).expect("two names");
    append(&a, [0]).await;
    let opening = sse_core::EventType::from_static("opened");
    let mut first = Client::open(feed().position_event(opening));
    first.read_all().await;
    append(&a, 1..=5).await;
    append(&b, 1..=5).await;
    let publish = async || {
        append(&a, [0]).await;
        append(&b, [0]).await;
    };
    let client = busy(feed(), first.last_event_id(), publish).await;
    assert!(client.events().len() >= 10, "what was there when it came: {:?}", client.events());
    busy(feed(), "", publish).await;
    busy(feed(), "nonsense", publish).await;
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
