//! npm's `eventsource`, for Node.

use super::{Received, program};

/// Collects events until `done`.
///
/// # Panics
///
/// Where Node is missing, or the client gives up.
pub async fn run(url: &str, received: &mut Vec<Received>) {
    program::run(program::node(), "eventsource.mjs", url, received).await;
}
