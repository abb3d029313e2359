//! The figures of a window, and the median and quartiles of many.

use std::time::Duration;

/// The figures of one window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// The server's processor time, in microseconds a delivery.
    pub(crate) cpu: f64,
    /// Deliveries a second.
    pub(crate) rate: f64,
    /// From the append to the receipt, in milliseconds: the median, and what 99 % do not exceed.
    pub(crate) delays: Option<(f64, f64)>,
    /// The part of the time in which the server computed.
    pub(crate) server: f64,
    /// The part of the time in which the client computed.
    pub(crate) client: f64,
}

/// A median between quartiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Window {
    /// The figures of the time while so much was delivered.
    pub(crate) fn new(deliveries: u64, took: Duration, server: Duration, client: Duration) -> Self {
        let took = took.as_secs_f64();
        Self {
            cpu: server.as_secs_f64() * 1e6 / deliveries as f64,
            rate: deliveries as f64 / took,
            delays: None,
            server: server.as_secs_f64() / took,
            client: client.as_secs_f64() / took,
        }
    }

    /// Returns true if the client, not the server, was what took the time.
    pub(crate) fn is_of_client(&self) -> bool {
        self.client > 0.95 && self.server < 0.9
    }
}

impl Spread {
    /// Returns none for nothing.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<_> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let last = figures.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = last as f64 * part;
            let (below, above) = (figures[place.floor() as usize], figures[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Some(Self { low: at(0.25), median: at(0.5), high: at(0.75) })
    }

    /// Returns true if no order of the two is certain.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// Returns what this part of the figures does not exceed, in milliseconds of nanoseconds.
pub(crate) fn percentile(nanoseconds: &mut [u64], part: f64) -> f64 {
    nanoseconds.sort_unstable();
    let last = nanoseconds.len().saturating_sub(1);
    let figure = nanoseconds.get((last as f64 * part).round() as usize).copied();
    figure.unwrap_or_default() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_figures() {
        let spread = Spread::of([4.0, 1.0, 2.0, 3.0].into_iter()).expect("some");
        assert_eq!(spread, Spread { low: 1.75, median: 2.5, high: 3.25 });
        assert!(spread.overlaps(Spread { low: 3.25, median: 4.0, high: 5.0 }));
        assert!(!spread.overlaps(Spread { low: 3.3, median: 4.0, high: 5.0 }));
        assert_eq!(Spread::of(std::iter::empty()), None);
    }
}
