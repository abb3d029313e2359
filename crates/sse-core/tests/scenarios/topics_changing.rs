//! Topics that change while streams are open.

use sse_core::{EventLog, Start, Topic, TopicSet};

use crate::support::poller::Poller;
use crate::topics::append;

#[tokio::test]
async fn the_topics_of_open_streams_change_with_their_set() {
    let log = EventLog::in_memory(100);
    let mine = TopicSet::new(["a"]).expect("a topic");
    let feed = log.topics(&mine).expect("in memory").no_position_event();
    let mut tabs = [(); 2].map(|()| Poller::new(feed.clone(), None));
    tabs.iter_mut().for_each(|tab| drop(tab.all()));
    append(&log, "before", &["b"]).await;
    append(&log, "1", &["a"]).await;
    tabs.iter_mut().for_each(|tab| drop(tab.all()));
    mine.add("b", Start::Live).expect("a topic");
    append(&log, "2", &["b"]).await;
    append(&log, "unread", &["a"]).await;
    mine.remove("a");
    append(&log, "3", &["a"]).await;
    mine.add("c", Start::Last(2)).expect("a topic");
    for tab in &mut tabs {
        assert_eq!(
            tab.all(),
            ["1", "2"],
            "what is unread of a topic that was removed is not given"
        );
    }
    assert_eq!(log.open_streams_of(&Topic::from_static("b")), 2);
    assert_eq!(log.open_streams_of(&Topic::from_static("a")), 0);
    assert_eq!((log.stats().topics, log.stats().open_streams), (2, 2));
    drop(tabs);
    assert_eq!((log.stats().topics, log.stats().open_streams), (0, 0));
}

#[tokio::test]
async fn an_added_topic_comes_with_its_newest_events_without_ids() {
    let log = EventLog::in_memory(100);
    for number in 0..5 {
        append(&log, &number.to_string(), &["room"]).await;
    }
    append(&log, "both", &["room", "a"]).await;
    let mine = TopicSet::new(["a"]).expect("a topic");
    let mut stream = Poller::new(log.topics(&mine).expect("in memory"), None);
    stream.all();
    append(&log, "mine", &["a"]).await;
    stream.all();
    let id = stream.id();
    mine.add("room", Start::Last(3)).expect("a topic");
    assert_eq!(stream.all(), ["mine", "3", "4"], "it had the newest by another topic");
    assert_eq!(stream.id(), id);
}

#[tokio::test]
async fn the_newest_events_of_a_topic_that_is_removed_meanwhile_are_not_given() {
    let log = EventLog::in_memory(1000);
    let large = "x".repeat(10_000);
    for _ in 0..100 {
        append(&log, &large, &["room"]).await;
    }
    let mine = TopicSet::new(["a"]).expect("a topic");
    let mut stream = Poller::new(log.topics(&mine).expect("in memory"), None);
    stream.all();
    mine.add("room", Start::Last(100)).expect("a topic");
    assert!(stream.chunk());
    let given = stream.data().len();
    assert!((1..20).contains(&given), "a chunk of them: {given}");
    mine.remove("room");
    append(&log, "mine", &["a"]).await;
    assert_eq!(stream.all()[given..], ["mine"]);
}
