//! The shared part of the hello-worlds: a page that shows a stream, and a clock to be streamed.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let log = hello::with_clock(sse_core::EventLog::in_memory(1000));
//! tokio::time::sleep(std::time::Duration::from_millis(100)).await;
//! assert_eq!(log.stats().events, 1);
//! # }
//! ```
#![forbid(unsafe_code)]

use std::time::Duration;

use sse_core::{Event, EventLog, EventType};

/// A page that shows the events of `/events` as they come, with their ids, and says when the stream was cut and resumed.
///
/// It has the look of the recipes, and is put together by the compiler, so that each framework serves a constant.
pub const PAGE: &str = concat!(
    include_str!("../page/head.html"),
    "<style>\n",
    include_str!("../../look/look.css"),
    "</style>\n<script>\n",
    include_str!("../../look/look.js"),
    "</script>\n",
    include_str!("../page/body.html"),
);

const TIME: EventType = EventType::from_static("time");

/// Returns the same log, to which the time is appended each second, for ever. Prints the address of the page.
///
/// # Panics
///
/// If it is called outside of a tokio runtime.
pub fn with_clock(log: EventLog) -> EventLog {
    println!("open http://127.0.0.1:3000, or: curl -N http://127.0.0.1:3000/events");
    tokio::spawn(tick(log.clone()));
    log
}

async fn tick(log: EventLog) {
    loop {
        let now = serde_json::json!({ "now": jiff::Timestamp::now() });
        let event = Event::new(now.to_string()).event_type(TIME);
        log.append(event).await.expect("a short event without an id is accepted");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
