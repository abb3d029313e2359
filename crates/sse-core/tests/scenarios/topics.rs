//! Streams of topics.

use std::sync::Arc;
use std::time::Duration;

use sse_core::{
    Event, EventLog, LogOptions, NewEvent, Start, StreamOptions, Topic, TopicSet, copy, merge,
};

use crate::simulation::Reader;
use crate::support::poller::Poller;
use crate::support::virtual_clock::VirtualClock;
use crate::support::wakes::Wakes;

fn of(data: &str, topics: &[&str]) -> NewEvent {
    let event = NewEvent::from(data);
    topics.iter().fold(event, |event, topic| event.topic(*topic).expect("a topic"))
}

pub(crate) async fn append(log: &EventLog, data: &str, topics: &[&str]) -> String {
    log.append(of(data, topics)).await.expect("in memory").to_string()
}

/// Returns the data of a stream of these topics that has this last event ID.
fn read(log: &EventLog, topics: &[&str], start: Start, id: Option<&str>) -> Vec<String> {
    let feed = log.topics(topics).expect("topics").start_at(start).no_position_event();
    Poller::new(feed, id).all()
}

#[tokio::test]
async fn a_stream_gets_each_event_of_its_topics_once_and_those_without_a_topic() {
    let log = EventLog::in_memory(100);
    append(&log, "before there were topics", &[]).await;
    append(&log, "a", &["a"]).await;
    append(&log, "a and b, twice each", &["a", "b", "b", "a"]).await;
    append(&log, "c", &["c"]).await;
    append(&log, "for all", &[]).await;
    let all = ["before there were topics", "a", "a and b, twice each", "c", "for all"];
    assert_eq!(read(&log, &["a", "b"], Start::Oldest, None), [all[0], all[1], all[2], all[4]]);
    assert_eq!(read(&log, &[], Start::Oldest, None), [all[0], all[4]]);
    assert_eq!(Poller::new(log.feed().start_at(Start::Oldest), None).all(), all);
}

#[tokio::test]
async fn the_newest_events_are_those_of_its_topics() {
    let log = EventLog::in_memory(100);
    for number in 0..20 {
        append(&log, &number.to_string(), &[["a", "b", "c"][number % 3]]).await;
    }
    assert_eq!(read(&log, &["a", "b"], Start::Last(3), None), ["15", "16", "18", "19"][1..]);
    assert_eq!(read(&log, &["a"], Start::Last(100), None).len(), 7);
    assert_eq!(read(&log, &["nobody's"], Start::Last(3), None), Vec::<String>::new());
}

#[tokio::test]
async fn no_id_shows_a_client_events_of_other_topics() {
    let log = EventLog::in_memory(5);
    let mut ids = vec![];
    for number in 0..10 {
        ids.push(append(&log, "secret", &[["a", "b"][number % 2]]).await);
    }
    let epoch = log.epoch();
    let forged = ["", "0", "x", "undefined", "_a.0", "another.3"].map(String::from);
    let ahead = [format!("{epoch}.11"), format!("{epoch}.{}", u64::MAX), format!("{epoch}.0")];
    for id in ids.iter().chain(&forged).chain(&ahead) {
        for start in [Start::Live, Start::Oldest, Start::Last(9)] {
            let seen = read(&log, &["mine"], start, Some(id));
            assert!(!seen.iter().any(|data| data == "secret"), "{id}: {seen:?}");
        }
        if let Ok(id) = id.parse() {
            let mine = TopicSet::new(["mine"]).expect("a topic");
            assert!(log.get_in(&mine, &id).await.is_err(), "{id}");
            let missed = log.read_after_in(&mine, &id, 9).await;
            assert!(missed.unwrap_or_default().is_empty(), "{id}");
        }
    }
}

#[tokio::test]
async fn an_append_wakes_no_stream_of_other_topics() {
    let log = EventLog::in_memory(100);
    let mut streams = vec![];
    for topic in ["a", "b", "both", "all"] {
        let topics = if topic == "both" { vec!["a", "b"] } else { vec![topic] };
        let feed = match topic {
            "all" => log.feed(),
            _ => log.topics(topics).expect("topics"),
        };
        let (wakes, mut stream) = (Wakes::new(), Poller::new(feed, None));
        while stream.chunk_with(&wakes.waker()) {}
        streams.push((topic, wakes, stream));
    }
    let woken = |streams: &mut Vec<(_, Arc<Wakes>, Poller)>| -> Vec<&str> {
        let woken = streams.iter_mut().filter_map(|(topic, wakes, stream)| {
            let is_woken = wakes.take() > 0;
            while is_woken && stream.chunk_with(&wakes.waker()) {}
            is_woken.then_some(*topic)
        });
        woken.collect()
    };
    append(&log, "1", &["a"]).await;
    assert_eq!(woken(&mut streams), ["a", "both", "all"]);
    append(&log, "2", &["c"]).await;
    assert_eq!(woken(&mut streams), ["all"]);
    append(&log, "3", &["b", "a"]).await;
    assert_eq!(woken(&mut streams), ["a", "b", "both", "all"]);
    append(&log, "4", &[]).await;
    assert_eq!(woken(&mut streams), ["a", "b", "both", "all"]);
    log.finish().await.expect("in memory");
    assert_eq!(woken(&mut streams), ["a", "b", "both", "all"]);
    assert!(streams.iter().all(|(_, _, stream)| stream.is_over()));
}

#[tokio::test]
async fn a_client_is_told_its_position_if_only_events_of_others_came() {
    let (clock, log) = (VirtualClock::new(), EventLog::in_memory(4));
    let mut client = Reader::at(clock.timer(), "");
    let feed = log.topics(["a"]).expect("a topic");
    assert!(client.is_answered(feed.clone()));
    let mut rng = fastrand::Rng::with_seed(1);
    let mut quiet = |client: &mut Reader| {
        clock.pass(Duration::from_secs(21));
        while client.read(&mut rng, false) {}
        std::mem::take(&mut client.arrived)
    };
    assert!(quiet(&mut client).is_empty(), "it has not moved");
    append(&log, "mine", &["a"]).await;
    assert_eq!(quiet(&mut client)[0].data, "mine");
    for number in 0..10 {
        append(&log, &number.to_string(), &["b"]).await;
    }
    let told = quiet(&mut client);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].event_type.as_str(), told[0].data.as_str()), ("position", ""));
    assert_eq!(told[0].last_event_id, log.stats().newest.as_str());
    assert!(quiet(&mut client).is_empty(), "it has not moved since");
    client.cut();
    assert!(client.is_answered(feed));
    assert!(quiet(&mut client).is_empty(), "its id is not too old");
}

#[tokio::test]
async fn an_event_that_was_dropped_is_a_gap_only_for_the_streams_that_ask_for_it() {
    let log = EventLog::in_memory(2);
    let [mut a, mut b] = ["a", "b"].map(|topic| {
        let mut stream = Poller::new(log.topics([topic]).expect("a topic"), None);
        stream.all();
        stream
    });
    append(&log, "lost", &["a"]).await;
    for _ in 0..3 {
        append(&log, "others", &["c"]).await;
    }
    append(&log, "kept", &["b"]).await;
    assert_eq!(b.all(), ["kept"]);
    a.all();
    assert!(a.data()[0].contains("too-old"), "{:?}", a.data());
}

#[tokio::test]
async fn a_merge_resumes_logs_of_topics() {
    let (prices, rooms) = (EventLog::in_memory(100), EventLog::in_memory(100));
    let feed = merge([("p", prices.feed()), ("r", rooms.topics(["a"]).expect("a topic"))]);
    let feed = feed.expect("two logs").start_at(Start::Oldest);
    let mut stream = Poller::new(feed.clone(), None);
    append(&rooms, "a1", &["a"]).await;
    append(&rooms, "b1", &["b"]).await;
    append(&prices, "p1", &[]).await;
    let mut seen = stream.all();
    seen.sort();
    assert_eq!(seen, ["a1", "p1"]);
    let id = stream.id();
    drop(stream);
    append(&rooms, "b2", &["b"]).await;
    append(&rooms, "a2", &["a"]).await;
    append(&prices, "p2", &[]).await;
    let mut seen = Poller::new(feed, Some(&id)).all();
    seen.sort();
    assert_eq!(seen, ["a2", "p2"]);
}

#[tokio::test]
async fn a_log_that_requires_topics_refuses_an_event_without_one() {
    let log = EventLog::in_memory(LogOptions::new().topics_required(true));
    assert!(log.append("to everybody").await.expect_err("it is refused").is_invalid_topic());
    assert!(log.append_now("to everybody").expect_err("it is refused").is_invalid_topic());
    append(&log, "to one", &["user/7"]).await;
    assert_eq!(read(&log, &["user/7"], Start::Oldest, None), ["to one"]);
}

#[tokio::test]
async fn topics_are_checked() {
    for wrong in ["", "a\nb", "\u{7f}", "\u{80}", "x\u{9f}", &"x".repeat(129)] {
        assert!(Topic::try_from(wrong).is_err(), "{wrong:?}");
        assert!(Event::new("").topic(wrong).expect_err("it is refused").is_invalid_topic());
        assert!(
            EventLog::in_memory(9).topics([wrong]).expect_err("it is refused").is_invalid_topic()
        );
    }
    for right in [" ", "room/42", "a*>|", &"\u{a0}".repeat(64), &"é".repeat(64)] {
        assert_eq!(Topic::try_from(right).expect(right), right);
    }
    let mut nine = (0..9).map(|number| number.to_string());
    let event = nine.try_fold(NewEvent::from(""), NewEvent::topic);
    assert!(event.expect_err("it is refused").is_invalid_topic());
    let mut often = std::iter::repeat_n("a", 20);
    assert!(often.try_fold(NewEvent::from(""), NewEvent::topic).is_ok(), "each counts once");
}

#[tokio::test]
async fn a_copy_of_a_log_has_its_topics() {
    let (old, new) = (EventLog::in_memory(100), EventLog::in_memory(100));
    append(&old, "a", &["a"]).await;
    append(&old, "b", &["b", "c"]).await;
    append(&old, "all", &[]).await;
    copy(&old, &new).await.expect("in memory");
    assert_eq!(read(&new, &["c"], Start::Oldest, None), ["b", "all"]);
}

#[tokio::test]
async fn a_client_that_polls_is_told_its_position() {
    let log = EventLog::in_memory(100);
    let first = append(&log, "a", &["a"]).await;
    let newest = append(&log, "b", &["b"]).await;
    let options = StreamOptions::new().ends_when_caught_up();
    let feed = log.topics(["a"]).expect("a topic").with(&options);
    let mut poll = Poller::new(feed, Some(&first));
    poll.all();
    assert!(poll.is_over());
    assert_eq!(poll.id(), newest);
}
