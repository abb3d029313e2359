//! A proxy that compresses what it can leaves event streams alone, or at least does not hold events back.

use std::time::{Duration, Instant};

use sse_test_kit::reverse_proxies::ReverseProxy;
use sse_test_kit::wire::{End, Request};

use crate::site::Site;

pub(crate) async fn compresses_a_page_and_holds_no_event_back(proxy: &ReverseProxy) {
    let site = Site::start(proxy);
    let ask = |path| Request::get(path).header("Accept-Encoding", "gzip");

    // Else the stream's being plain would say nothing.
    let mut page = ask("/page").send(site.proxy.http).await;
    assert_eq!(page.header("Content-Encoding"), Some("gzip"));
    assert_eq!(page.end().await, End::Clean);
    assert!(page.bytes().len() < 1000, "{} bytes", page.bytes().len());

    let mut stream = ask("/events").send(site.proxy.http).await;
    assert_eq!(stream.header("Content-Encoding"), None);
    stream.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        site.append("an event").await;
        stream.next_event().await;
        times.push(begun.elapsed());
    }
    times.sort();
    assert!(times[2] < Duration::from_millis(100), "{times:?}");
}
