//! The EventSource of `undici`, Node's HTTP client.

use super::{Received, program};

/// Collects events until `done`.
///
/// # Panics
///
/// Where Node is missing, or the client gives up.
pub async fn run(url: &str, received: &mut Vec<Received>) {
    program::run(program::node(), "undici.mjs", url, received).await;
}
