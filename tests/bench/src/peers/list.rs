//! The regimes that are measured.

use std::time::Duration;

use super::regimes::{Kind, Regime};

/// The thoroughness of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// The name that the page has.
    Whole,
    /// To see that it works.
    Quick,
}

/// All regimes but that of idle streams.
pub(crate) fn regimes(length: Length) -> Vec<Regime> {
    let (streams, window) = match length {
        Length::Whole => (1000, Duration::from_secs(1)),
        Length::Quick => (100, Duration::from_millis(50)),
    };
    let regime = |name, title, kind| Regime { name, title, kind, streams, size: 128, window };
    vec![
        regime("single", "One event a write", Kind::Closed { burst: 1 }),
        regime("burst", "Bursts of 10", Kind::Closed { burst: 10 }),
        regime("saturation", "Saturation", Kind::Open { burst: 256, ahead: 2 }),
        regime("replay", "A replay storm", Kind::Replay(1000)),
        Regime { size: 1 << 20, ..regime("large", "1 MiB", Kind::Closed { burst: 1 }) },
        regime("slow", "A slow tenth", Kind::SlowTenth),
        regime("topics", "Topics", Kind::Topics(100)),
        Regime {
            window: 2 * window,
            ..regime("paced", "50 events a second", Kind::Paced(Duration::from_millis(20)))
        },
    ]
}
