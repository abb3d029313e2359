//! Waiting until something is so.

use std::time::{Duration, Instant};

/// Waits until a condition holds, and says how long that took.
///
/// # Panics
///
/// When it does not within `at_most`.
pub async fn eventually(
    at_most: Duration,
    what: &str,
    mut condition: impl FnMut() -> bool,
) -> Duration {
    let begun = Instant::now();
    while !condition() {
        let waited = begun.elapsed();
        assert!(waited < at_most, "waited for {waited:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    begun.elapsed()
}
