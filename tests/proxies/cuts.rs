//! A response that is broken off, as a client sees it, in each framework and behind each proxy.
//!
//! It is measured here, and `docs/deploying.md` shows it.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use sse_conformance::adapters::{ACTIX, AXUM, HYPER, ROCKET, WARP};
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::wire_h2::Connection;
use sse_core::{Event, StreamContext};
use sse_test_kit::reverse_proxies::{CADDY, HAPROXY, NGINX, Running};
use sse_test_kit::wire::{End, Request};
use tokio::process::Command;
use tokio::time::timeout;

const PAGE: &str = include_str!("../../docs/deploying.md");

/// The bytes that arrive through every proxy.
const FRAMES: &str = ": ok\ndata: one\n\nevent: failed\ndata: the upstream died\n\n";

/// A stream that says that it has failed, and is broken off then.
fn app() -> App {
    App::new(ServerOptions::default()).stream("events", |_| {
        let feed = StreamContext::run(|context| async move {
            context.send_event(Event::new("one")).await?;
            Err("the upstream died".into())
        });
        let failed = Event::typed("failed", "the upstream died");
        feed.error_event(move |_| failed.clone()).cut_on_error().no_retry()
    })
}

fn say(end: End) -> &'static str {
    match end {
        End::Clean => "a clean end",
        End::Truncated | End::Reset => "broken off",
    }
}

/// Over HTTP/1.1, or else HTTP/1.0.
async fn over_http_1(address: SocketAddr, adapt: fn(Request) -> Request) -> &'static str {
    let mut response = adapt(Request::get("/events")).send(address).await;
    let end = response.end().await;
    let body = String::from_utf8_lossy(response.bytes());
    assert!(body.starts_with(FRAMES), "{body:?}");
    say(end)
}

async fn over_http_2(address: SocketAddr) -> &'static str {
    let connection = Connection::open(address).await;
    let mut response = connection.get("/events", &[]).await;
    let end = response.end().await;
    let body = String::from_utf8_lossy(response.bytes());
    assert!(body.starts_with(FRAMES), "{body:?}");
    say(end)
}

/// Over HTTP/2 with TLS, which browsers speak to proxies.
async fn over_http_2_with_tls(address: SocketAddr) -> &'static str {
    let curl = Command::new("curl")
        .args(["--insecure", "--silent", "--no-buffer", "--http2"])
        .arg(format!("https://{address}/events"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(5), curl).await.expect("the end within 5 s");
    let output = output
        .unwrap_or_else(|error| panic!("curl: {error}; tests/run installs it (Debian: curl)"));
    let body = String::from_utf8_lossy(&output.stdout);
    assert!(body.starts_with(FRAMES), "{body:?}");
    say(if output.status.success() { End::Clean } else { End::Reset })
}

/// Behind a proxy, to which its clients speak HTTP/1.1 or HTTP/2.
async fn behind(proxy: &Running) -> String {
    let [old, new] =
        [over_http_1(proxy.http, |request| request).await, over_http_2_with_tls(proxy.https).await];
    if old == new { old.to_owned() } else { format!("HTTP/1.1 {old}, HTTP/2 {new}") }
}

/// nginx as it is by default: it speaks HTTP/1.0 to the application.
fn nginx_1_0() -> String {
    let lines = "    proxy_http_version 1.1; # with the line below: connections to the application are used again\n    proxy_set_header Connection \"\";\n";
    let without = NGINX.configuration.replace(lines, "");
    assert_ne!(without, NGINX.configuration, "the configuration has these lines no more");
    without
}

#[test]
fn a_cut_looks_to_clients_as_the_docs_say() {
    let mut table = String::from(
        "| | HTTP/1.1 | HTTP/2 | HTTP/1.0 | nginx, HTTP/1.0 to the application | nginx, HTTP/1.1 | HAProxy | Caddy |\n|---|---|---|---|---|---|---|---|\n",
    );
    crate::run(async {
        let all = [AXUM, ACTIX, WARP, ROCKET, HYPER];
        let names = ["axum", "actix-web", "warp", "Rocket", "hyper"];
        for (name, framework) in names.into_iter().zip(all) {
            let server = framework.start(app());
            let address = server.address;
            let cells = [
                over_http_1(address, |request| request).await.to_owned(),
                over_http_2(address).await.to_owned(),
                over_http_1(address, Request::http10).await.to_owned(),
                behind(&NGINX.start_with(&nginx_1_0(), &[address])).await,
                behind(&NGINX.start(&[address])).await,
                behind(&HAPROXY.start(&[address])).await,
                behind(&CADDY.start(&[address])).await,
            ];
            writeln!(table, "| {name} | {} |", cells.join(" | ")).expect("a text takes all");
        }
    });
    println!("{table}");
    assert!(PAGE.contains(&table), "docs/deploying.md does not have what was measured:\n{table}");
}
