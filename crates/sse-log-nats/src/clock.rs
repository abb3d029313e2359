//! The time at the server, if the server's clock does not jump.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

/// Lead of the server's clock over the expected time from which it counts as a jump.
const SLACK: Duration = Duration::from_secs(5);

/// The clock of a server, in nanoseconds since 1970. It does not follow a jump ahead: all events would be too old at once.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<(Duration, Instant)>>);

impl Clock {
    /// Returns the time to compute ages with, from the time that the server reports.
    pub(crate) fn now(&self, reported: Duration) -> Duration {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((then, at)) = *last {
            let expected = then + now.saturating_duration_since(at);
            if reported > expected + SLACK {
                return expected;
            }
        }
        *last = Some((reported, now));
        reported
    }
}

/// Parses a timestamp of the API, such as `2026-11-27T04:00:24.123456789Z`, into the time since 1970.
pub(crate) fn parse(timestamp: &str) -> Option<Duration> {
    let time = OffsetDateTime::parse(timestamp, &Rfc3339).ok()?;
    (time - OffsetDateTime::UNIX_EPOCH).try_into().ok()
}

/// Writes a time since 1970 as a timestamp of the API; `None` if it is after the year 9999.
pub(crate) fn format(time: Duration) -> Option<String> {
    let time = OffsetDateTime::UNIX_EPOCH.checked_add(time.try_into().ok()?)?;
    time.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_parsed_into_the_time_since_1970() {
        for (text, seconds, nanoseconds) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2000-02-29T12:34:56.5Z", 951_827_696, 500_000_000),
            ("2026-11-27T04:00:24.123456789Z", 1_795_752_024, 123_456_789),
            ("2100-03-01T00:00:00Z", 4_107_542_400, 0),
        ] {
            let time = Duration::new(seconds, nanoseconds);
            assert_eq!(parse(text), Some(time), "{text}");
            assert_eq!(format(time).as_deref().and_then(parse), Some(time), "{text}");
        }
        for nonsense in ["", "Z", "2026-11-27", "2026-13-01T00:00:00Z", "x-11-27T00:00:00Z"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_jumps_ahead_is_not_followed() {
        let (clock, day) = (Clock::default(), Duration::from_secs(86_400));
        let at = |seconds| day + Duration::from_secs(seconds);
        assert_eq!(clock.now(at(0)), at(0));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(clock.now(at(11)), at(11), "clocks differ a little");
        assert_eq!(clock.now(at(11) + day), at(11));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(clock.now(at(71) + day), at(71), "the clock goes on");
        assert_eq!(clock.now(at(30)), at(30), "a jump back is followed");
    }
}
