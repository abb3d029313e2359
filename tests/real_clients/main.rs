//! Real clients lose nothing, get nothing twice and nothing out of order, however often their
//! connection is cut.
//!
//! The programs and packages that they need are installed by `tests/run`; what is missing fails its
//! tests.

mod feed;
mod fleet;
mod goodbyes;
mod refused;
mod rolling;

use std::time::Duration;

use sse_conformance::clients::Received;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::server::{Serve, Server};
use sse_conformance::{adapters, browsers, clients};
use sse_core::{Event, EventLog, EventType};
use sse_test_kit::lines::{Cuts, CuttingProxy};
use tokio::time::{interval, timeout};

/// How soon a client comes back, and so how often it can be cut in reasonable time.
#[derive(Clone, Copy)]
enum Returns {
    /// As soon as `retry: 50` says.
    AsTold,
    /// After a second, however little `retry` says.
    Slowly,
}

/// One named test for each client, for a framework.
macro_rules! lose_nothing {
    ($long:tt $framework:ident $constant:ident: $($does:ident)*) => {
        mod $framework {
            use super::*;

            one_test!($long $framework, chromium_eventsource_loses_nothing, browsers::eventsource, AsTold);
            one_test!($long $framework, event_source_polyfill_loses_nothing, browsers::polyfill, Slowly);
            one_test!($long $framework, npm_eventsource_loses_nothing, clients::eventsource::run, AsTold);
            one_test!($long $framework, undici_loses_nothing, clients::undici::run, AsTold);
            one_test!($long $framework, eventsource_client_loses_nothing, clients::eventsource_client::run, AsTold);
            one_test!($long $framework, reqwest_eventsource_loses_nothing, clients::reqwest_eventsource::run, AsTold);
            refused::one_test!($long $framework);
            one_test!($long $framework, httpx_sse_loses_nothing, clients::httpx_sse::run, AsTold);
        }
    };
}

macro_rules! one_test {
    ([$($long:meta)?] $framework:ident, $name:ident, $client:path, $returns:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$long])?
        async fn $name() {
            loses_nothing(adapters::$framework::serve, $client, Returns::$returns).await;
        }
    };
}

sse_conformance::for_each_framework!(lose_nothing);

/// Appends the feed while `client` reads it through connections that are cut.
async fn loses_nothing(
    serve: Serve,
    client: impl AsyncFnOnce(&str, &mut Vec<Received>),
    returns: Returns,
) {
    let (events_a_tick, limit) = match returns {
        Returns::AsTold => (10, 40),
        Returns::Slowly => (3, 18),
    };
    let log = EventLog::in_memory(2_000);
    let feed = log.clone();
    let retry = Duration::from_millis(50);
    let app =
        App::new(ServerOptions::default()).stream("events", move |_| feed.feed().retry(retry));
    let server = Server::start(serve, app);
    let seed = fastrand::u64(..);
    let cuts = Cuts {
        seed,
        // No cut within the head: Chromium takes half a head for a whole one, without a content
        // type, and gives up; undici 6 never comes back.
        bytes: 1_000..6_000,
        rst_share: 0.5,
        limit,
    };
    let proxy = CuttingProxy::start(server.address, cuts).await;
    // With a position from the start: a client that is cut before its first event would otherwise
    // come back as one that has never been there, and get what is new from then on.
    let start = log.stats().newest;
    let url = format!("http://{}/events?lastEventId={start}", proxy.addr());

    let mut received = Vec::new();
    let read = timeout(Duration::from_secs(60), client(&url, &mut received));
    let (published, read) = tokio::join!(publish(&log, events_a_tick), read);

    let cuts = proxy.cuts();
    println!("{cuts} cuts, seed {seed}");
    let longer = published.len().max(received.len());
    if let Some(at) = (0..longer).find(|&at| published.get(at) != received.get(at)) {
        let (published, received) = (published.get(at), received.get(at));
        panic!("event {at}: published {published:?}, received {received:?}");
    }
    read.expect("the client ends within 60 s");
    assert!(cuts >= 15, "only {cuts} cuts");
}

/// Appends the feed at a pace that leaves time for cuts, and says what the client is to receive.
async fn publish(log: &EventLog, events_a_tick: usize) -> Vec<Received> {
    let mut published = Vec::new();
    let mut tick = interval(Duration::from_millis(20));
    for (at, (event_type, data)) in feed::events().into_iter().enumerate() {
        if at % events_a_tick == 0 {
            tick.tick().await;
        }
        let mut event = Event::new(data.clone());
        if event_type != "message" {
            event = event.event_type(EventType::from_static(event_type));
        }
        let id = log.append(event).await.expect("a log in memory takes it");
        published.push(Received { event_type: event_type.to_owned(), data, id: id.to_string() });
    }
    published
}
