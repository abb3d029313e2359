//! A client that has left is noticed by the application, though nothing is written to it.

use std::time::{Duration, Instant};

use sse_test_kit::eventually::eventually;
use sse_test_kit::reverse_proxies::ReverseProxy;
use sse_test_kit::wire::{Request, Response};

use crate::site::Site;

pub(crate) async fn lets_the_server_know_of_a_client_that_closes(proxy: &ReverseProxy) {
    leaves(proxy, Response::leave_fin).await;
}

pub(crate) async fn lets_the_server_know_of_a_client_that_crashes(proxy: &ReverseProxy) {
    leaves(proxy, Response::leave_rst).await;
}

async fn leaves(proxy: &ReverseProxy, leave: fn(Response)) {
    let site = Site::start(proxy);
    let mut stream = Request::get("/events").send(site.proxy.http).await;
    stream.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
    assert_eq!(site.streams(), 1);
    let begun = Instant::now();
    leave(stream);
    let at_most = Duration::from_millis(500);
    eventually(at_most, "the application knows", || site.streams() == 0).await;
    println!("known through {} after {:?}", proxy.name, begun.elapsed());
}
