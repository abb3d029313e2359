//! The crate `reqwest-eventsource`.

use ::reqwest_eventsource::{Event, EventSource};
use futures_util::StreamExt;
use reqwest::Client;

use super::Received;

/// Collects events until `done`.
///
/// # Panics
///
/// If the client gives up.
pub async fn run(url: &str, received: &mut Vec<Received>) {
    let http = Client::builder().no_proxy().build().expect("plain HTTP needs no certificates");
    let mut source =
        EventSource::new(http.get(url)).expect("a request without a body can be repeated");
    let mut last_error = None;
    // It reports the end of every connection as an error and goes on; one it gives up on is followed by `None`.
    while let Some(event) = source.next().await {
        match event {
            Ok(Event::Open) => {}
            Ok(Event::Message(event)) => {
                received.push(Received { event_type: event.event, data: event.data, id: event.id });
                if received.last().is_some_and(Received::is_done) {
                    return;
                }
            }
            Err(error) => last_error = Some(error),
        }
    }
    panic!("reqwest-eventsource gave up: {last_error:?}");
}
