//! Waiting until something happens, for a bounded time, with an explanation when it does not.

use std::fmt::Display;
use std::panic::Location;
use std::time::Duration;

/// The most time to wait for anything in the suite, unless a test says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The name of a condition that a test waits for, and its place in the source.
///
/// `#[track_caller]` has no effect on an `async fn`, so what is awaited by a test is a plain
/// function that makes one of these and returns a future.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    what: &'static str,
    caller: &'static Location<'static>,
}

impl Wait {
    /// Names what is waited for, by the line that calls this.
    #[track_caller]
    pub fn until(what: &'static str) -> Self {
        let caller = Location::caller();
        Self { what, caller }
    }

    /// Fails the test with what it has read so far, for which the last bytes are enough.
    pub fn in_vain(self, why: impl Display, received: &[u8]) -> ! {
        let Self { what, caller } = self;
        let total = received.len();
        let tail = received[total.saturating_sub(2000)..].escape_ascii();
        panic!(
            "waited at {caller} for {what}: {why}; {total} bytes of body so far, ending in \"{tail}\""
        )
    }
}
