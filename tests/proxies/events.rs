//! Events come as soon as they are there.

use std::time::{Duration, Instant};

use sse_test_kit::reverse_proxies::ReverseProxy;
use sse_test_kit::wire::Request;

use crate::site::Site;

const AT_MOST: Duration = Duration::from_millis(100);

/// The middle of several, so that a machine that is busy with other tests fails none.
const TRIES: usize = 11;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub(crate) async fn passes_on_the_first_event_within_100_ms(proxy: &ReverseProxy) {
    let site = Site::start(proxy);
    site.append("the first").await;
    let mut times = Vec::new();
    for _ in 0..TRIES {
        let begun = Instant::now();
        let mut stream = Request::get("/events?start=oldest").send(site.proxy.http).await;
        assert_eq!(stream.next_event().await.data, "the first");
        times.push(begun.elapsed());
    }
    let median = median(times);
    println!("the first event through {}: {median:?} after the request", proxy.name);
    assert!(median < AT_MOST, "{median:?}");
}

pub(crate) async fn passes_on_each_event_within_100_ms(proxy: &ReverseProxy) {
    let site = Site::start(proxy);
    let mut stream = Request::get("/events").send(site.proxy.http).await;
    stream.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    let mut times = Vec::new();
    for number in 0..TRIES {
        let begun = Instant::now();
        site.append(&number.to_string()).await;
        assert_eq!(stream.next_event().await.data, number.to_string());
        times.push(begun.elapsed());
    }
    let median = median(times);
    println!("an event through {}: {median:?} after it was appended", proxy.name);
    assert!(median < AT_MOST, "{median:?}");
}

pub(crate) async fn shows_the_application_who_comes_back(proxy: &ReverseProxy) {
    let site = Site::start(proxy);
    site.append("seen").await;
    let seen = site.log.stats().newest;
    site.append("missed").await;
    let request = Request::get("/events").header("Last-Event-ID", seen.as_str());
    let mut by_header = request.send(site.proxy.http).await;
    assert_eq!(by_header.next_event().await.data, "missed");
    let request = Request::get(&format!("/events?lastEventId={seen}"));
    let mut by_query = request.send(site.proxy.http).await;
    assert_eq!(by_query.next_event().await.data, "missed");
}
