//! The settings of a run, from the environment.

use std::env;
use std::time::Duration;

use sse_core::StoreOptions;

use crate::faults::{Kind, Subject};

/// The length of a run, and its faults.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Decides what happens: `SSE_SEED`, or another each time.
    pub(crate) seed: u64,
    /// For how long rounds are begun: `SSE_CHAOS_SECONDS`, or 15.
    pub(crate) time: Duration,
    /// The time that a client may take to get the newest event, once a fault has ended. A slow line stays slow: some hundred kB take it 20 s and more.
    pub(crate) patience: Duration,
    /// The faults there may be, if not all that the engine has: `SSE_CHAOS_FAULTS=kill,pause`.
    pub(crate) kinds: Option<Vec<Kind>>,
}

impl Options {
    pub(crate) fn from_environment() -> Self {
        let number = |name| env::var(name).ok().map(|value| value.parse().expect("a number"));
        let kinds = env::var("SSE_CHAOS_FAULTS").ok().map(|kinds| {
            let kind = |name: &str| {
                Kind::named(name).unwrap_or_else(|| panic!("{name} is not in {:?}", Kind::ALL))
            };
            kinds.split(',').map(kind).collect()
        });
        Self {
            seed: number("SSE_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000)),
            time: Duration::from_secs(number("SSE_CHAOS_SECONDS").unwrap_or(15)),
            patience: Duration::from_secs(60),
            kinds,
        }
    }
}

/// The number of events that a log keeps.
pub(crate) const KEPT: usize = 2000;

/// The age from which it drops them. The clock of a server can jump by more at once, and that of a file by less.
const AGE: Duration = Duration::from_secs(8 * 3600);

/// Returns the options that both processes give the log: few events are kept, fewer are in memory. It has an age if the clock can jump.
pub(crate) fn log_options(subject: &dyn Subject) -> StoreOptions {
    let age = subject.kinds().contains(&Kind::Clock).then_some(AGE);
    StoreOptions::new().events(KEPT).age(age).tail_events(100).store_check(Duration::from_secs(1))
}
