//! The keep-alive is there for the time-outs of proxies.

use std::time::{Duration, Instant};

use sse_test_kit::reverse_proxies::ReverseProxy;
use sse_test_kit::wire::Request;

use crate::site::{SILENT, Site};

/// A second instead of the 60 of the docs.
fn impatient(proxy: &ReverseProxy) -> String {
    assert!(proxy.configuration.contains("60s"), "{} has no time-out", proxy.name);
    proxy.configuration.replace("60s", "1s")
}

pub(crate) async fn keeps_a_stream_that_is_kept_alive(proxy: &ReverseProxy) {
    let configuration = impatient(proxy);
    let silent = Site::start_with(proxy, &configuration, SILENT);
    let alive = Site::start_with(proxy, &configuration, Duration::from_millis(200));
    let mut kept = Request::get("/events").send(alive.proxy.http).await;
    let mut cut = Request::get("/events").send(silent.proxy.http).await;

    // Else the other would say nothing.
    let begun = Instant::now();
    cut.end().await;
    assert!(begun.elapsed() > Duration::from_millis(500), "it was the time-out that cut it off");

    kept.read_until(|bytes| bytes.windows(10).filter(|w| w == b"keep-alive").count() >= 12).await;
    alive.append("still there").await;
    assert_eq!(kept.next_event().await.data, "still there");
}
