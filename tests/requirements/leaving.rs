//! A client that leaves takes with it all that was held for it.

use std::time::Duration;

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::eventually::eventually;
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::wire::{PATIENCE, Request};
use sse_core::EventLog;

pub(crate) async fn frees_the_subscription_of_an_idle_client_that_leaves(framework: &Framework) {
    let log = EventLog::in_memory(100);
    let events = log.clone();
    let app = App::new(ServerOptions::default())
        .stream("events", move |_| events.feed().keep_alive(Duration::from_millis(200)));
    let server = framework.start(app);
    let client = Request::get("/events").send(server.address).await;
    eventually(PATIENCE, "it subscribes", || log.stats().readers == 1).await;
    client.leave_fin();
    eventually(PATIENCE, "it is gone", || log.stats().readers == 0).await;
}
