use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sse_core::Timer;
pub(crate) use sse_test_kit::client::timer;

/// The clock of tokio, which counts how often it is set. A paused one moves on when nothing else can.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicUsize>);

impl Clock {
    pub(crate) fn timer(&self) -> Timer {
        let count = Arc::clone(&self.0);
        Timer::new(
            || tokio::time::Instant::now().into_std(),
            move |duration| {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(duration)
            },
        )
    }

    pub(crate) fn times_set(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits on the paused clock.
pub(crate) async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
