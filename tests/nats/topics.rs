//! The topics of events: the costs of the index of subjects.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sse_conformance::engines::Nats;
use sse_conformance::suite::events::encoded;
use sse_core::store::{EncodedEvent, PageLimit, Store, TopicFilter, TopicPage};
use sse_core::{Event, NewEvent, Position, StoreOptions, Topic};
use sse_log_nats::{EngineOptions, NatsStore};

use crate::reading::count;
use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::{
    PAGE, api, append_all, bounds, event, flood, keyed, messages, once, open, open_at, soon, store,
    texts, told,
};

/// The limit of the pages of a log.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 48 * 1024 };

pub(crate) fn of<const N: usize>(topics: [&str; N], text: impl ToString) -> EncodedEvent {
    encoded(of_topics(topics, text))
}

fn of_topics<const N: usize>(topics: [&str; N], text: impl ToString) -> NewEvent {
    let event = NewEvent::from(Event::new(text.to_string()));
    topics.into_iter().fold(event, |event, topic| event.topic(topic).expect("a topic"))
}

pub(crate) fn filter<const N: usize>(topics: [&'static str; N], without: bool) -> TopicFilter {
    TopicFilter::new(topics.map(Topic::from_static), without)
}

/// Returns the texts of all events that pass, and the number of pages.
pub(crate) async fn all(store: &NatsStore, filter: &TopicFilter) -> (Vec<String>, usize) {
    all_by(store, filter, LIMIT).await
}

/// Does the same by pages of this size. By pages of 30 of a log of 30 topics it takes the index.
pub(crate) async fn all_by(
    store: &NatsStore,
    filter: &TopicFilter,
    limit: PageLimit,
) -> (Vec<String>, usize) {
    let (mut all, mut after) = (Vec::new(), bounds(store).await.floor);
    for pages in 1.. {
        let read = soon(store.read_topics(after, filter, limit)).await.expect("a page");
        let TopicPage { page, upto } = read;
        let texts =
            page.events.iter().map(|event| sse_conformance::suite::answers::text(&event.block));
        all.extend(texts);
        // It is the same position if there is no later event.
        if upto <= after || upto >= page.bounds.newest {
            return (all, pages);
        }
        after = upto;
    }
    unreachable!("there are fewer pages")
}

pub(crate) const FEW: PageLimit = PageLimit { events: 30, ..LIMIT };

/// Appends so many events, the event n of the topic `n % 30`.
pub(crate) async fn fill(store: &NatsStore, events: usize) {
    for number in 0..events {
        append_all(store, &[of([&(number % 30).to_string()], number)]).await;
    }
}

pub(crate) fn of_topic(topic: usize, events: std::ops::Range<usize>) -> Vec<String> {
    numbers(events.filter(|number| number % 30 == topic))
}

fn numbers(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

/// One message of the API for each of them, and a few to find that the other subjects have none; and one page of the log.
#[tokio::test]
async fn events_of_a_rare_topic_are_read_without_what_lies_between_them() {
    const MISSED: usize = 100;
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    let payload = format!("data: {}\n", "x".repeat(121));
    for number in 0..MISSED {
        flood(&nats, "sse.log.t.others", &payload, 1000).await;
        append_all(&store, &[of(["mine"], number)]).await;
    }
    bounds(&store).await;
    let reads = count(&relay, "$JS.API.STREAM.MSG.GET.SSE_log");
    let before = relay.carried().0;
    let (cpu, started) = (nats.cpu(), Instant::now());
    let (found, pages) = all(&store, &filter(["mine"], true)).await;
    let (took, cpu) = (started.elapsed(), nats.cpu() - cpu);
    assert_eq!(found, numbers(0..MISSED));
    let (reads, bytes) = (reads.load(SeqCst), relay.carried().0 - before);
    println!("{pages} pages, {reads} lookups, {bytes} bytes, {took:?}, {cpu:?} of the server");
    assert!(pages <= 2, "{pages} pages");
    assert!(reads <= MISSED + 30, "{reads} lookups");
    assert!(bytes < 300_000, "{bytes} bytes of 13 million");
}

/// Then a page costs less than a lookup for each.
#[tokio::test]
async fn a_reader_of_an_eighth_of_the_events_reads_the_log_page_by_page() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    for number in 0..50 {
        flood(&nats, "sse.log.t.others", "data: x\n", 50).await;
        append_all(&store, &(0..10).map(|_| of(["a", "b"], number)).collect::<Vec<_>>()).await;
    }
    bounds(&store).await;
    let reads = count(&relay, "$JS.API.STREAM.MSG.GET.SSE_log");
    // Who asks for another topic must look at the events of several topics, too.
    for (topic, expected) in [("a", 500), ("c", 0)] {
        assert_eq!(all(&store, &filter([topic], false)).await.0.len(), expected);
    }
    assert!(reads.load(SeqCst) <= 4, "{reads:?}");
}

/// The server's index is of the messages that it has.
#[tokio::test]
async fn dropped_and_deleted_events_leave_nothing_in_the_index() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let mut given = Vec::new();
    for number in 0..300 {
        let topic = format!("room/{number}");
        given.extend(append_all(&store, &[of([&topic], number)]).await);
    }
    // The notes on idempotency keys are kept, so the others are removed by their subjects.
    append_all(&store, &[once("a", "a"), once("b", "b")]).await;
    let retention = StoreOptions::new().events(22).retention();
    soon(store.retain(&retention)).await.expect("retained");
    soon(store.delete(given[299])).await.expect("deleted");
    let question = json!({ "subjects_filter": "sse.log.t.>" });
    let info = api(&nats, "STREAM.INFO.SSE_log", question);
    assert_eq!(info["state"]["subjects"].as_object().expect("subjects").len(), 19);
    assert_eq!(messages(&nats), 19 + 1 + 2);
}

/// Topics count as bytes: a log of long topics drops as many events as one with the same bytes of data.
#[tokio::test]
async fn topics_count_as_bytes_of_the_log() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let long = "t".repeat(120);
    for number in 0..200 {
        append_all(&store, &[of([&long], number)]).await;
    }
    let retention = StoreOptions::new().events(1000);
    soon(store.retain(&retention.bytes(200 * 130 / 2).retention())).await.expect("retained");
    let kept = messages(&nats);
    assert!((90..=101).contains(&kept), "{kept} of 200");
}

/// The record of a log says its format. In the formats before topics no message had any.
#[tokio::test]
async fn a_log_of_the_format_before_topics_is_raised_when_it_is_opened() {
    let nats = Nats::start().await;
    let before = open(&nats).await;
    append_all(&before, &[event("one")]).await;
    append_all(&before, &[event("two"), event("three")]).await;
    append_all(&before, &[keyed("key", "four")]).await;
    let record = || {
        let got = api(&nats, "STREAM.MSG.GET.SSE-META", json!({ "last_by_subj": "sse-meta.log" }));
        let data = got["message"]["data"].as_str().expect("base64").to_owned();
        String::from_utf8(STANDARD.decode(data).expect("base64")).expect("JSON")
    };
    let now = record();
    assert!(now.starts_with(r#"{"format":3,"#), "{now}");
    let earlier = now.replacen(r#""format":3"#, r#""format":2"#, 1);
    nats.publish("sse-meta.log", &[], earlier.as_bytes()).expect("stored");
    let epoch = bounds(&before).await.epoch;
    drop(before);
    let log = open(&nats).await;
    assert_eq!(record(), now);
    assert_eq!(bounds(&log).await.epoch, epoch);
    let page = soon(log.read(Position::START, PAGE)).await.expect("a page");
    assert!(page.events.iter().all(|event| event.topics.is_empty()));
    append_all(&log, &[of(["a"], "five")]).await;
    assert_eq!(texts(&log).await, ["one", "two", "three", "four", "five"]);
    let later = now.replacen(r#""format":3"#, r#""format":5"#, 1);
    nats.publish("sse-meta.log", &[], later.as_bytes()).expect("stored");
    let refused = soon(log.bounds()).await.expect_err("it is of a later version");
    assert!(told(&refused).contains("upgrade sse-log-nats"), "{}", told(&refused));
}

/// A thousand lookups take longer over a slow line than a call may. The page of the log has come by then.
#[tokio::test]
async fn a_reader_whose_lookups_are_not_answered_gets_what_was_read_of_the_log() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let options = StoreOptions::new().store_timeout(Duration::from_secs(1));
    let store = store(&relay.url(), EngineOptions::default(), options).await;
    append_all(&store, &[of(["mine"], "first")]).await;
    flood(&nats, "sse.log.t.others", "data: x\n", 2000).await;
    append_all(&store, &[of(["mine"], "last")]).await;
    bounds(&store).await;
    let lost = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lost);
    relay.asked(move |asked| {
        if asked != "$JS.API.STREAM.MSG.GET.SSE_log" {
            return Fate::Passes;
        }
        counted.fetch_add(1, SeqCst);
        Fate::IsLost
    });
    let mine = filter(["mine"], true);
    let read = soon(store.read_topics(Position::START, &mine, LIMIT)).await.expect("a page");
    assert!(lost.load(SeqCst) > 0, "it looked nothing up");
    assert_eq!(read.page.events.len(), 1);
    assert!(read.upto > read.page.events[0].position && read.upto < read.page.bounds.newest);
    relay.asked(|_| Fate::Passes);
    assert_eq!(all(&store, &mine).await.0, ["first", "last"]);
}

/// One message of the same size as in the format before topics.
#[tokio::test]
async fn an_append_without_topics_costs_what_it_did_before_there_were_any() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    let size = || api(&nats, "STREAM.INFO.SSE_log", json!({}))["state"]["bytes"].as_u64();
    let (batch, keyed_one) = ([event("x"), event("y")], [keyed("key", "x")]);
    append_all(&store, &[event("first")]).await;
    // What the version before stored and sent.
    let appends: [(&[EncodedEvent], _); 3] = [(&batch[..1], 47), (&batch, 82), (&keyed_one, 85)];
    for (events, bytes) in appends {
        let (before, sent) = (size().expect("a number"), relay.carried().1);
        append_all(&store, events).await;
        assert_eq!(size(), Some(before + bytes), "{} events", events.len());
        assert_eq!(relay.carried().1 - sent, 1);
    }
}
