//! The number of streams that a browser may have at once.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use sse_test_kit::browser::Chromium;
use sse_test_kit::eventually::{eventually, eventually_asked, settled};
use sse_test_kit::reverse_proxies::ReverseProxy;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::site::Site;

pub(crate) async fn speaks_http_2(proxy: &ReverseProxy) {
    let site = Site::start(proxy);
    site.append("over HTTP/2").await;
    let mut curl = Command::new("curl")
        .args(["--insecure", "--silent", "--no-buffer", "--include", "--http2"])
        .arg(format!("https://{}/events?start=oldest", site.proxy.https))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("curl: {error}; tests/run installs it (Debian: curl)"));
    let mut lines = BufReader::new(curl.stdout.take().expect("it is piped")).lines();
    let read = async {
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().await.expect("it prints text") {
            all.push(line);
            if all.last().is_some_and(|line| line == "data: over HTTP/2") {
                return all;
            }
        }
        panic!("curl has ended: {all:?}");
    };
    let lines = timeout(Duration::from_secs(5), read).await.expect("an event within 5 s");
    assert_eq!(lines[0].trim_end(), "HTTP/2 200");
}

pub(crate) async fn gives_chromium_ten_streams_over_http_2(proxy: &ReverseProxy) {
    let site = Site::start(proxy);
    let chromium = Chromium::trusting_any_certificate().await;
    open_ten(&chromium, &format!("https://{}", site.proxy.https)).await;
    eventually(Duration::from_secs(5), "ten streams are open", || site.streams() == 10).await;
    site.append("to all").await;
    until_received(&chromium, 10).await;
}

pub(crate) async fn gives_chromium_six_streams_over_http_1_1(proxy: &ReverseProxy) {
    let site = Site::start(proxy);
    let chromium = Chromium::start().await;
    open_ten(&chromium, &format!("http://{}", site.proxy.http)).await;
    eventually(Duration::from_secs(5), "six streams are open", || site.streams() == 6).await;
    let (quiet, at_most) = (Duration::from_millis(300), Duration::from_secs(5));
    settled(quiet, at_most, "how many streams are open", || site.streams()).await;
    assert_eq!(site.streams(), 6);
    site.append("to six").await;
    until_received(&chromium, 6).await;
}

async fn open_ten(chromium: &Chromium, origin: &str) {
    chromium.open(&format!("{origin}/page")).await;
    let script = "window.received = 0;
        window.sources = Array.from({ length: 10 }, () => new EventSource('/events'));
        for (const source of sources) source.onmessage = () => received++";
    chromium.execute(script, json!([])).await;
}

async fn until_received(chromium: &Chromium, wanted: u64) {
    let received = async || chromium.execute("return received", json!([])).await == wanted;
    let what = format!("{wanted} streams have received it");
    eventually_asked(Duration::from_secs(5), &what, received).await;
}
