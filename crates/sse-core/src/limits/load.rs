//! How many streams are refused, so that those who are come back later the more there are.

use std::time::{Duration, Instant};

/// The time after which a refusal counts for about a third.
const MEMORY: Duration = Duration::from_secs(60);

/// The largest number by which a reconnection time is multiplied.
const MOST: f64 = 100.0;

/// The refusals of the last minute or so.
#[derive(Default)]
pub(crate) struct Load {
    refused: f64,
    at: Option<Instant>,
}

impl Load {
    /// Notes a refusal by a limit. Returns the number by which the reconnection time is to be multiplied: one more for each time that the limit
    /// was refused in the last minute.
    pub(crate) fn refuse(&mut self, now: Instant, limit: usize) -> f64 {
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.at = Some(now);
        self.refused *= (-since.as_secs_f64() / MEMORY.as_secs_f64()).exp();
        self.refused += 1.0;
        (1.0 + self.refused / limit.max(1) as f64).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_grows_with_the_refusals_and_falls_with_time() {
        let (mut load, now) = (Load::default(), Instant::now());
        let factor =
            |load: &mut Load, seconds| load.refuse(now + Duration::from_secs(seconds), 100);
        assert!(factor(&mut load, 0) < 1.02);
        for _ in 0..1000 {
            factor(&mut load, 0);
        }
        let busy = factor(&mut load, 0);
        assert!((10.0..12.0).contains(&busy), "{busy}");
        let later = factor(&mut load, 60);
        assert!((4.0..5.5).contains(&later), "{later}");
        assert!(factor(&mut load, 1000) < 1.02);
        for _ in 0..100_000 {
            factor(&mut load, 1000);
        }
        assert!(factor(&mut load, 1000) <= MOST);
    }
}
