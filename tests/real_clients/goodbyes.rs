//! What each client makes of each goodbye: `docs/deploying.md` shows it, a row and a test for each client.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::FutureExt;
use sse_conformance::adapters::AXUM;
use sse_conformance::clients::Received;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::{browsers, clients};
use sse_core::{Delivered, Event, EventLog, EventType, Feed, Observer, Shutdown};
use sse_test_kit::eventually::eventually;
use tokio::time::timeout;

const PAGE: &str = include_str!("../../docs/deploying.md");

/// A client may wait some seconds before it comes back, and a browser takes some to start.
const PATIENCE: Duration = Duration::from_secs(40);

macro_rules! rows {
    ($($test:ident: $client:path, $name:literal, $set:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            let plain = outcome($client, |feed| feed).await;
            let goodbye = EventType::from_static("goodbye");
            let event = outcome($client, |feed| feed.goodbye_event(goodbye)).await;
            let cut = outcome($client, Feed::cut_on_goodbye).await;
            let row = format!("| {} | {plain} | {event} | {cut} | {} |\n", $name, $set);
            println!("{row}");
            assert!(PAGE.contains(&row), "docs/deploying.md does not have what was measured: {row}");
        }
    )*};
}

rows! {
    chromium_eventsource_comes_back: browsers::eventsource,
        "`EventSource` in Chromium", "nothing";
    event_source_polyfill_comes_back: browsers::polyfill,
        "event-source-polyfill 1.0.31", "nothing";
    npm_eventsource_comes_back: clients::eventsource::run,
        "npm `eventsource` 3.0.7", "nothing";
    undici_comes_back: clients::undici::run,
        "`EventSource` of undici 6.29.1", "[a proxy](#a-rolling-restart)";
    eventsource_client_comes_back: clients::eventsource_client::run,
        "eventsource-client 0.18.0 (Rust)", "nothing";
    htmx_comes_back: browsers::htmx,
        "htmx 4.0.1", "nothing";
    fetch_event_source_comes_back_from_a_cut: browsers::fetch_event_source,
        "fetch-event-source 2.0.1", "`cut_on_goodbye`, or the next row";
    fetch_event_source_comes_back_from_the_event_if_its_page_says_so:
        browsers::fetch_event_source_with_goodbye,
        "the same, with [`onclose`](clients.md#an-end-that-the-client-takes-for-the-last-word)", "`goodbye_event`";
    datastar_comes_back_from_a_cut: browsers::datastar,
        "Datastar 1.0.1", "`cut_on_goodbye`, or the next row";
    datastar_comes_back_if_its_page_says_so: browsers::datastar_that_always_retries,
        "the same, with `retry: 'always'`", "nothing";
    httpx_sse_comes_back_in_a_loop_of_its_user: clients::httpx_sse::run,
        "httpx-sse 0.4.3 (Python), in a loop that asks again with the last id", "nothing";
    httpx_sse_tells_its_user_of_a_cut: clients::httpx_sse::run_once,
        "the same, without a loop", "`cut_on_goodbye`, if an end is to be an error";
}

/// Counts the events that were delivered.
#[derive(Clone, Default)]
struct DeliveredEvents(Arc<AtomicUsize>);

impl Observer for DeliveredEvents {
    fn delivered(&self, delivered: &Delivered<'_>) {
        self.0.fetch_add(delivered.events, SeqCst);
    }
}

/// Ends the first stream of a client by a goodbye, and says what the client does then.
async fn outcome(
    client: impl AsyncFnOnce(&str, &mut Vec<Received>),
    goodbye: impl FnOnce(Feed) -> Feed,
) -> &'static str {
    let log = EventLog::in_memory(10);
    let start = log.stats().newest;
    log.append(Event::typed("datastar-number", "number 1")).await.expect("it is in memory");
    let first = Shutdown::new();
    let visits = Arc::new(AtomicUsize::new(0));
    let (visited, ending) = (Arc::clone(&visits), first.clone());
    let delivered = DeliveredEvents::default();
    let feed = goodbye(log.feed().retry(Duration::from_millis(50)).observer(delivered.clone()));
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        match visited.fetch_add(1, SeqCst) {
            0 => feed.clone().shutdown(&ending),
            _ => feed.clone(),
        }
    });
    let server = AXUM.start(app);
    let url = format!("http://{}/events?lastEventId={start}", server.address);
    let mut received = Vec::new();
    let reading = AssertUnwindSafe(client(&url, &mut received)).catch_unwind();
    let leave = async {
        eventually(PATIENCE, "the client has an event", || delivered.0.load(SeqCst) == 1).await;
        first.begin();
        eventually(PATIENCE, "its stream has ended", || first.open_streams() == 0).await;
        log.append(Event::typed("datastar-done", "number 2")).await.expect("it is in memory");
    };
    let (read, ()) = tokio::join!(timeout(PATIENCE, reading), leave);
    let texts: Vec<_> = received.iter().map(|event| event.data.as_str()).collect();
    match read.expect("it comes back, or stops") {
        Ok(()) => {
            assert_eq!(texts, ["number 1", "number 2"]);
            assert!(visits.load(SeqCst) > 1);
            "comes back"
        }
        Err(panic) => {
            assert_eq!(texts, ["number 1"]);
            how_it_stopped(&*panic)
        }
    }
}

/// A client that gives up panics, and says how.
fn how_it_stopped(panic: &(dyn Any + Send)) -> &'static str {
    let message = panic.downcast_ref::<String>().expect("a formatted message");
    let ways = [("the loop ended", "its loop ends"), ("RemoteProtocolError", "raises an error")];
    let way = ways.iter().find(|(what, _)| message.contains(what));
    match way {
        Some((_, how)) => how,
        None if message.contains("gave up") => "**stops**",
        None => panic!("{message}"),
    }
}
