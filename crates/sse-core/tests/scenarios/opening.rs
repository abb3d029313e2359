//! A client on its first visit can be given an id at once.

use sse_core::{Event, EventLog, EventType, Feed, OnGap, Start};

use crate::support::client::Client;
use crate::support::script::{Script, numbers};

const HERE: EventType = EventType::from_static("here");

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        log.append(Event::new(number.to_string())).await.expect("stored");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_cut_off_before_its_first_event_has_lost_nothing() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=2).await;
    let mut client = Client::open(log.feed().position_event(HERE));
    client.read_until(1).await;
    let opening = &client.parsed()[0];
    assert_eq!((opening.event_type.as_str(), opening.data.as_str()), ("here", ""));
    append(&log, 3..=4).await;
    let mut again = Client::resume(log.feed().position_event(HERE), client.last_event_id());
    assert_eq!(again.read_all().await, numbers(3..=4), "and no second opening");
    client.read_all().await;
    assert_eq!(client.events()[1..], numbers(3..=4));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_on_live_after_a_gap_is_given_an_id_too() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=2).await;
    let feed = || log.feed().position_event(HERE).on_gap(OnGap::Live);
    let mut client = Client::resume(feed(), "nonsense");
    assert_eq!(client.read_all().await, [""]);
    append(&log, [3]).await;
    let mut again = Client::resume(feed(), client.last_event_id());
    assert_eq!(again.read_all().await, numbers([3]));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_begins_with_history_gets_an_id_if_there_is_no_history() {
    for start in [Start::Oldest, Start::Last(5), Start::Last(0)] {
        let log = EventLog::in_memory(10);
        let feed = || log.feed().position_event(HERE).start_at(start.clone());
        let mut client = Client::open(feed());
        assert_eq!(client.read_all().await, [""], "{start:?}");
        append(&log, 1..=9).await;
        let mut again = Client::resume(feed(), client.last_event_id());
        assert_eq!(again.read_all().await, numbers(1..=9));
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_has_no_position_to_open_with() {
    let script = Script::default();
    let mut client = Client::open(Feed::from(script.clone()).position_event(HERE));
    client.read_all().await;
    script.publish(1);
    assert_eq!(client.read_all().await, numbers([1]));
}
