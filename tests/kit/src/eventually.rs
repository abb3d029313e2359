//! Waiting until a condition holds.

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

/// The same for a test without a runtime: the thread sleeps.
///
/// # Panics
///
/// When it does not within `at_most`.
pub fn eventually_here(at_most: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        let waited = begun.elapsed();
        assert!(waited < at_most, "waited for {waited:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until a condition holds that has to be asked for.
///
/// # Panics
///
/// When it does not within `at_most`.
pub async fn eventually_asked(at_most: Duration, what: &str, condition: impl AsyncFnMut() -> bool) {
    let holds = holds_within(at_most, condition).await;
    assert!(holds, "waited for {at_most:?} in vain until {what}");
}

/// Returns true as soon as a condition holds that has to be asked for, and false if it does not within `at_most`.
pub async fn holds_within(at_most: Duration, mut condition: impl AsyncFnMut() -> bool) -> bool {
    some_within(at_most, async || condition().await.then_some(())).await.is_some()
}

/// Tries until there is a result, and returns it.
///
/// # Panics
///
/// When there is none within `at_most`.
pub async fn eventually_some<T>(
    at_most: Duration,
    what: &str,
    attempt: impl AsyncFnMut() -> Option<T>,
) -> T {
    let result = some_within(at_most, attempt).await;
    result.unwrap_or_else(|| panic!("waited for {at_most:?} in vain until {what}"))
}

async fn some_within<T>(
    at_most: Duration,
    mut attempt: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let trying = async {
        loop {
            if let Some(result) = attempt().await {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(at_most, trying).await.ok()
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
