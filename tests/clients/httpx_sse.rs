//! Python's `httpx-sse`.

use sse_test_kit::installed::python;

use super::{Received, program};

/// Collects events until `done`.
///
/// # Panics
///
/// Where Python is missing, or the client gives up.
pub async fn run(url: &str, received: &mut Vec<Received>) {
    program::run(python(), "httpx_sse_client.py", &[url], received).await;
}

/// Collects the events of one response, as in the README of the library.
///
/// # Panics
///
/// If the response ends before `done`: the message has `the loop ended`, or the error that was raised.
pub async fn run_once(url: &str, received: &mut Vec<Received>) {
    program::run(python(), "httpx_sse_client.py", &[url, "once"], received).await;
}
