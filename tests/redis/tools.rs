//! The shared part of the tests.

use std::sync::Arc;

use sse_conformance::engines::Redis;
pub(crate) use sse_conformance::suite::answers::{PAGE, append, bounds, soon, told, until};
pub(crate) use sse_conformance::suite::events::{event, keyed, keyed_once, once};
use sse_conformance::suite::store_engine::Engine;
use sse_core::store::{EncodedEvent, Store, StoredEvent, TopicFilter};
use sse_core::{Event, NewEvent, Position, StoreOptions, Topic};
use sse_log_redis::{EngineOptions, RedisStore, connect};

/// The stream of the log that the tests use.
pub(crate) const STREAM: &str = "sse:{log}";

/// The store of the log at a URL.
pub(crate) async fn store_at(url: &str) -> RedisStore {
    let redis = connect(url, EngineOptions::default()).await.expect("a URL");
    redis.store("log", StoreOptions::default()).await.expect("a name")
}

pub(crate) async fn open(redis: &Redis) -> Arc<dyn Store> {
    open_with(redis, StoreOptions::default()).await
}

pub(crate) async fn open_with(redis: &Redis, options: StoreOptions) -> Arc<dyn Store> {
    redis.open("log", options).await.expect("a name and a URL")
}

/// The positions of the events after this one.
pub(crate) async fn after(store: &dyn Store, position: Position) -> Vec<Position> {
    let page = soon(store.read(position, PAGE)).await.expect("a page");
    page.events.iter().map(|event| event.position).collect()
}

/// Returns the answer of Redis to `redis-cli`.
pub(crate) async fn command(redis: &Redis, command: impl AsRef<str>) -> String {
    redis.command(command.as_ref()).await.expect("it answers")
}

/// A number of `INFO`.
pub(crate) async fn stat(redis: &Redis, section: &str, name: &str) -> usize {
    let info = command(redis, format!("INFO {section}")).await;
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.expect("a line").parse().expect("a number")
}

/// Returns an event with these topics.
pub(crate) fn of_topics<T: AsRef<str>>(
    text: impl ToString,
    topics: impl IntoIterator<Item = T>,
) -> EncodedEvent {
    let event = NewEvent::from(Event::new(text.to_string()));
    let event =
        topics.into_iter().fold(event, |event, topic| event.topic(topic.as_ref()).expect("valid"));
    event.encode(2 * 1024 * 1024).expect("it fits")
}

pub(crate) fn filter<T: AsRef<str>>(
    topics: impl IntoIterator<Item = T>,
    without: bool,
) -> TopicFilter {
    let topics = topics.into_iter().map(|topic| Topic::try_from(topic.as_ref()).expect("valid"));
    TopicFilter::new(topics, without)
}

/// Returns all events that pass, by as many pages as it takes.
pub(crate) async fn read_topics(store: &dyn Store, filter: &TopicFilter) -> Vec<StoredEvent> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let read = soon(store.read_topics(after, filter, PAGE)).await.expect("a page");
        all.extend(read.page.events);
        // It is the same position if there is no later event.
        if read.upto <= after || read.upto >= read.page.bounds.newest {
            return all;
        }
        after = read.upto;
    }
}
