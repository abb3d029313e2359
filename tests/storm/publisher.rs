//! Events at an even pace, each of them unlike all others.

use std::time::{Duration, Instant};

/// The number of events a second.
pub(crate) const RATE: u32 = 1000;

/// The data of an event: short and long, with lines and without.
pub(crate) fn text(number: u64) -> String {
    let line = if number.is_multiple_of(3) { "\n" } else { "-" };
    let length = (number * 7919 % 23) as usize;
    format!("{number}{}", line.repeat(length))
}

/// Publishes the events from 1 to `count`. Where the machine is slow they come in bursts, but not later.
pub(crate) async fn publish(count: u64, mut append: impl AsyncFnMut(u64)) {
    let begun = Instant::now();
    let mut published = 0;
    while published < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let due = (begun.elapsed().as_secs_f64() * f64::from(RATE)) as u64;
        while published < due.min(count) {
            published += 1;
            append(published).await;
        }
    }
}
