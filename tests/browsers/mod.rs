//! A real browser: Chromium, headless, on pages that collect the events of a stream.
//!
//! [`Front`] is the one origin that has both the pages and the stream, and the two clients
//! have the shape of those in [`clients`](crate::clients).

mod front;

use std::time::Duration;

use serde_json::json;
use sse_test_kit::browser::Chromium;

use crate::clients::Received;

pub use self::front::Front;

/// Collects events with Chromium's own `EventSource`, until `done`.
///
/// # Panics
///
/// Where Chromium or ChromeDriver is missing, or the client gives up.
pub async fn eventsource(url: &str, received: &mut Vec<Received>) {
    collect("eventsource.html", url, received).await;
}

/// Collects events with `event-source-polyfill` in Chromium, until `done`.
///
/// # Panics
///
/// Where Chromium or ChromeDriver is missing, or the client gives up.
pub async fn polyfill(url: &str, received: &mut Vec<Received>) {
    collect("polyfill.html", url, received).await;
}

/// Collects events with `@microsoft/fetch-event-source` in Chromium, used as its README says, until `done`.
///
/// # Panics
///
/// Where Chromium or ChromeDriver is missing, or the client gives up.
pub async fn fetch_event_source(url: &str, received: &mut Vec<Received>) {
    collect("fetch_event_source.html", url, received).await;
}

/// The same, with a page that comes back after an end if an event of the type `goodbye` was the last.
///
/// # Panics
///
/// As [`fetch_event_source`].
pub async fn fetch_event_source_with_goodbye(url: &str, received: &mut Vec<Received>) {
    collect("fetch_event_source.html?goodbye", url, received).await;
}

/// Collects events with Datastar in Chromium, until `datastar-done`. It gives only events of `datastar-` types, without their ids.
///
/// # Panics
///
/// Where Chromium or ChromeDriver is missing, or the client gives up.
pub async fn datastar(url: &str, received: &mut Vec<Received>) {
    collect("datastar.html", url, received).await;
}

/// The same, with its option `retry: 'always'`.
///
/// # Panics
///
/// As [`datastar`].
pub async fn datastar_that_always_retries(url: &str, received: &mut Vec<Received>) {
    collect("datastar.html?retry=always", url, received).await;
}

/// Collects events with htmx 4 in Chromium, until `datastar-done`.
///
/// # Panics
///
/// Where Chromium or ChromeDriver is missing, or the client gives up.
pub async fn htmx(url: &str, received: &mut Vec<Received>) {
    collect("htmx.html", url, received).await;
}

/// Opens the stream at `url` by Chromium's own `EventSource`, and waits until that stops for good.
///
/// # Panics
///
/// If Chromium or ChromeDriver is missing, or if it still tries after 30 s.
pub async fn stops(url: &str) {
    let (authority, path) = split(url);
    let front = Front::start(authority).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/eventsource.html?stream={path}", front.addr())).await;
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let stopped = async {
        while chromium.execute("return window.gaveUp()", json!([])).await != true {
            tick.tick().await;
        }
    };
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, stopped).await.expect("EventSource stops for good");
}

/// Opens `page` before the stream at `url` and takes the events off it as they come.
async fn collect(page: &str, url: &str, received: &mut Vec<Received>) {
    let (authority, path) = split(url);
    let front = Front::start(authority).await;
    let chromium = Chromium::start().await;
    let (file, query) = page.split_once('?').unwrap_or((page, "alone"));
    let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    chromium.open(&format!("http://{}/{file}?{query}&stream={path}", front.addr())).await;
    let script = "return { fresh: window.events.slice(arguments[0]), gaveUp: window.gaveUp() }";
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    while !received.last().is_some_and(Received::is_done) {
        tick.tick().await;
        let mut state = chromium.execute(script, json!([received.len()])).await;
        let fresh: Vec<Received> =
            serde_json::from_value(state["fresh"].take()).expect("the page collects events");
        assert!(!fresh.is_empty() || state["gaveUp"] == false, "{page} gave up");
        received.extend(fresh);
    }
}

/// `http://host:port/path` in two: where to connect, and what to ask for.
fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").expect("a stream has an http URL");
    rest.split_at(rest.find('/').expect("a stream has a path"))
}
