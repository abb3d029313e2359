//! The crate `eventsource-client`.

use std::time::Duration;

use ::eventsource_client::{Client, ClientBuilder, ReconnectOptions, SSE};
use futures_util::StreamExt;
use launchdarkly_sdk_transport::HyperTransport;

use super::Received;

/// Collects events until `done`.
///
/// # Panics
///
/// If the client gives up.
pub async fn run(url: &str, received: &mut Vec<Received>) {
    let transport = HyperTransport::builder()
        .disable_proxy()
        .build_http()
        .expect("plain HTTP needs no certificates");
    // The delay doubles at every lost connection until it has held for a minute or the server sends `retry`.
    let reconnect = ReconnectOptions::reconnect(true)
        .retry_initial(true)
        .delay_max(Duration::from_secs(1))
        .build();
    let client = ClientBuilder::for_url(url)
        .expect("the test's URL is one")
        .reconnect(reconnect)
        .build_with_transport(transport);
    let mut stream = client.stream();
    let mut last_error = None;
    // It reports the end of every connection as an error and goes on; one it gives up on is followed by `None`.
    while let Some(event) = stream.next().await {
        match event {
            Ok(SSE::Event(event)) if event.event_type == "goodbye" => {}
            Ok(SSE::Event(event)) => {
                received.push(Received {
                    event_type: event.event_type,
                    data: event.data,
                    id: event.id.unwrap_or_default(),
                });
                if received.last().is_some_and(Received::is_done) {
                    return;
                }
            }
            Ok(SSE::Connected(_) | SSE::Comment(_)) => {}
            Err(error) => last_error = Some(error),
        }
    }
    panic!("eventsource-client gave up: {last_error:?}");
}
