//! The shared part of the scenarios: a paused clock, a client that does not wait, a source that does as it is told.

pub(crate) mod clock;
pub(crate) mod losses;
pub(crate) mod poller;
pub(crate) mod report;
pub(crate) mod script;
pub(crate) mod task;
#[cfg(target_os = "linux")]
pub(crate) mod threads;
pub(crate) mod virtual_clock;
pub(crate) mod wakes;

pub(crate) use sse_test_kit::{client, parser, scripted_store};
