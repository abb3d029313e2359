//! Waiting until something is so.

use std::time::{Duration, Instant};

/// Waits until a condition holds.
///
/// # Panics
///
/// When it does not within `at_most`.
pub async fn eventually(at_most: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        let waited = begun.elapsed();
        assert!(waited < at_most, "waited for {waited:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until a condition holds that has to be asked for.
///
/// # Panics
///
/// When it does not within `at_most`.
pub async fn eventually_asked(
    at_most: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> bool,
) {
    eventually_some(at_most, what, async || condition().await.then_some(())).await;
}

/// Tries until there is a result, and returns it.
///
/// # Panics
///
/// When there is none within `at_most`.
pub async fn eventually_some<T>(
    at_most: Duration,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Option<T>,
) -> T {
    let trying = async {
        loop {
            if let Some(result) = attempt().await {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let tried = tokio::time::timeout(at_most, trying).await;
    tried.unwrap_or_else(|_| panic!("waited for {at_most:?} in vain until {what}"))
}

/// Waits until a value has stayed the same for as long as `quiet`.
///
/// # Panics
///
/// When it does not within `at_most`.
pub async fn settled<T: PartialEq>(
    quiet: Duration,
    at_most: Duration,
    what: &str,
    mut value: impl FnMut() -> T,
) {
    let mut last = (value(), Instant::now());
    eventually(at_most, &format!("{what} has settled"), || {
        let now = value();
        if now != last.0 {
            last = (now, Instant::now());
        }
        last.1.elapsed() >= quiet
    })
    .await;
}
