//! The storm over an event log.

use sse_conformance::suite::framework::Framework;
use sse_core::{Event, EventLog};

use crate::publisher::text;
use crate::storm::{Speeds, storm};

pub(crate) async fn gets_every_event_of_a_log_once_and_in_order_through_a_reconnect_storm(
    framework: &Framework,
) {
    let log = EventLog::in_memory(10_000);
    let (read, start) = (log.clone(), log.stats().newest);
    let feed = move || read.feed();
    storm(framework, feed, start.as_str(), Speeds::Full, async move |number| {
        let appended = log.append(Event::new(text(number))).await;
        appended.expect("a small event");
    })
    .await;
}
