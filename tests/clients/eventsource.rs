//! npm's `eventsource`, for Node.

use sse_test_kit::installed::node;

use super::{Received, program};

/// Collects events until `done`.
///
/// # Panics
///
/// Where Node is missing, or the client gives up.
pub async fn run(url: &str, received: &mut Vec<Received>) {
    program::run(node(), "eventsource.mjs", &[url], received).await;
}
