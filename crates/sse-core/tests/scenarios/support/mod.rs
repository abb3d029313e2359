//! The shared part of the scenarios: a paused clock, a client, a source that does as it is told.

pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod losses;
pub(crate) mod poller;
pub(crate) mod report;
pub(crate) mod script;
#[cfg(target_os = "linux")]
pub(crate) mod threads;
pub(crate) mod virtual_clock;
pub(crate) mod wakes;

// The standard's reader, and the rules that clients need kept: files of the conformance suite that know no more than the core.
#[path = "../../../../../tests/suite/parser.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod parser;
#[path = "../../../../../tests/suite/rules.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod rules;
#[path = "../../../../../tests/suite/scripted_store/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs)]
pub(crate) mod scripted_store;
