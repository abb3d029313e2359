//! The time at the server, if the server's clock does not jump.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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
    let (date, time) = timestamp.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (time.next()??, time.next()??, time.next()??);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 || fraction.len() > 9 {
        return None;
    }
    // The year begins in March here, so that the leap day is its last day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    let nanoseconds = format!("{fraction:0<9}").parse::<u32>().ok()?;
    Some(Duration::new(days * 86_400 + hours * 3600 + minutes * 60 + seconds, nanoseconds))
}

/// Writes a time since 1970 as a timestamp of the API.
pub(crate) fn format(time: Duration) -> String {
    // The days since the first of March of the year 0: of each 400 years 146 097.
    let days = time.as_secs() / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = 400 * era + year + u64::from(month > 9);
    let month = if month > 9 { month - 9 } else { month + 3 };
    let seconds = time.as_secs() % 86_400;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let nanoseconds = time.subsec_nanos();
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{nanoseconds:09}Z")
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
            assert_eq!(parse(&format(time)), Some(time), "{text}");
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
