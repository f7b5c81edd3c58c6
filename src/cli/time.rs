//! Points in time and spans, as they are written on the command line.

use crate::config::units;
use crate::event::host::{Clock, clock::SystemClock};
use crate::mail::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Now.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// A span such as `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    units::duration(text).map_err(|e| format!("{e}; write a number and a unit, such as 30m, 2h or 1d"))
}

/// A point in time: a span before now, RFC 3339, or a date and time of day here.
pub(super) fn point(text: &str) -> Result<Timestamp, String> {
    point_before(text, now())
}

fn point_before(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(span) = units::duration(text) {
        return Ok(Timestamp(now.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))));
    }
    let civil =
        || text.parse::<DateTime>().ok()?.to_zoned_datetime(TimeZone::system()).ok().map(|zoned| zoned.timestamp());
    let instant = text.parse::<jiff::Timestamp>().ok().or_else(civil);
    let millis = instant.and_then(|instant| u64::try_from(instant.as_millisecond()).ok());
    millis
        .map(Timestamp)
        .ok_or_else(|| "write a span such as 2h, or a time such as 2026-11-23T15:00:00Z or 2026-11-23".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_times_and_dates() {
        let now = Timestamp(10 * 3_600_000);
        assert_eq!(point_before("2h", now), Ok(Timestamp(8 * 3_600_000)));
        assert_eq!(point_before("1d", now), Ok(Timestamp(0)));
        assert_eq!(point_before("1970-01-01T01:00:00Z", now), Ok(Timestamp(3_600_000)));
        assert_eq!(point_before("2026-11-23T15:00:00.5+01:00", now), Ok(Timestamp(1_795_442_400_500)));
        assert!(point_before("2026-11-23", now).is_ok() && point_before("2026-11-23 15:00", now).is_ok());
        assert!(point_before("yesterday", now).is_err() && duration("5").is_err());
    }
}
