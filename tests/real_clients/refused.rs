//! `EventSource` comes back if the error of a feed will pass, and stops at one that will not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use sse_conformance::browsers;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::server::{Serve, Server};
use sse_core::store::StoreError;
use sse_core::{Error, Event, EventLog, FeedOnce, Start};
use tokio::time::timeout;

macro_rules! one_test {
    ([$($long:meta)?] $framework:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$long])?
        async fn chromium_comes_back_while_a_store_is_away_and_stops_at_an_invalid_topic() {
            refused::comes_back_or_stops(adapters::$framework::serve).await;
        }
    };
}
pub(crate) use one_test;

pub(crate) async fn comes_back_or_stops(serve: Serve) {
    let log = EventLog::in_memory(10);
    log.append(Event::typed("done", "")).await.expect("a log in memory takes it");
    let (visits, refusals) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (visited, refused, invalid) = (Arc::clone(&visits), Arc::clone(&refusals), log.clone());
    let app = App::new(ServerOptions::default())
        .stream("events", move |_| {
            let is_away = visited.fetch_add(1, SeqCst) < 2;
            let feed = match is_away {
                true => Err(Error::from(StoreError::failed("Redis is away"))),
                false => Ok(log.feed().start_at(Start::Oldest)),
            };
            FeedOnce::from(feed).retry(Duration::from_millis(50))
        })
        .stream("invalid", move |_| {
            refused.fetch_add(1, SeqCst);
            invalid.topics([""])
        });
    let server = Server::start(serve, app);

    let mut received = Vec::new();
    let url = format!("http://{}/events", server.address);
    let read = timeout(Duration::from_secs(30), browsers::eventsource(&url, &mut received)).await;
    read.expect("EventSource comes back, and gets the event");
    assert_eq!(visits.load(SeqCst), 3);

    browsers::stops(&format!("http://{}/invalid", server.address)).await;
    assert_eq!(refusals.load(SeqCst), 1);
}
