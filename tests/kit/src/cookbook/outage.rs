//! A server that is gone for a while, and comes back without what it had in memory.

use crate::browser::Chromium;
use crate::program::Program;

/// Kills the server of the page that is open, which says so, and can send nothing.
///
/// # Panics
///
/// If the page does not say so.
pub async fn is_away(chromium: &Chromium, program: Program) {
    drop(program); // which kills it
    chromium.until("$('state').textContent === 'reconnecting'").await;
}

/// Starts a server in place of the one that was at this address, and waits until the page says that it began again.
///
/// # Panics
///
/// If the page does not say so, or counts it as resumed.
pub async fn begins_again(chromium: &Chromium, path: &str, address: &str) -> Program {
    let program = Program::start_with(path, &[("LISTEN", address)]).await;
    chromium.until("tally.begunAgain === 1 && $('state').textContent === 'live'").await;
    assert_eq!(chromium.value("tally.resumed").await, 0, "a reset is not a resume");
    let said = chromium.value("$('tally').textContent").await;
    assert!(said.as_str().is_some_and(|said| said.ends_with("began again once")), "{said}");
    program
}
