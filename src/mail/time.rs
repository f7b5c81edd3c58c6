//! Points in time, to the millisecond. Nothing here reads the clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This much later.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The time that has passed since `earlier`; zero if none has.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Reads a date and time as RFC 3339 5.6 writes it, with any offset; to the millisecond. None if it is none, or before 1970.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let strict = is_rfc3339(text.as_bytes());
        let parsed = text.parse::<jiff::Timestamp>().ok().filter(|_| strict)?;
        u64::try_from(parsed.as_millisecond()).ok().map(Self)
    }

    /// RFC 3339, in UTC, to the second.
    pub fn rfc3339_seconds(self) -> String {
        self.instant().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// As the Date and Received fields want it (RFC 5322 3.3), in UTC.
    pub fn rfc5322(self) -> String {
        self.instant().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
    }

    fn instant(self) -> jiff::Timestamp {
        i64::try_from(self.0)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or(jiff::Timestamp::MAX)
    }
}

/// The shape alone: other forms of ISO 8601 are none of RFC 3339.
fn is_rfc3339(text: &[u8]) -> bool {
    let shape = |part: &[u8], shape: &[u8]| {
        part.len() == shape.len()
            && part.iter().zip(shape).all(|(octet, wanted)| match wanted {
                b'0' => octet.is_ascii_digit(),
                wanted => octet.eq_ignore_ascii_case(wanted),
            })
    };
    let Some((start, mut rest)) = text.split_at_checked(19) else { return false };
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|octet| octet.is_ascii_digit()).count();
        rest = fraction.get(digits..).filter(|_| (1..=9).contains(&digits)).unwrap_or_default();
    }
    let offset = shape(rest, b"z") || shape(rest, b"+00:00") || shape(rest, b"-00:00");
    shape(start, b"0000-00-00t00:00:00") && offset
}

/// RFC 3339, in UTC, to the millisecond.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.instant())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_and_nothing_else() {
        for (text, ms) in [
            ("2023-11-14T22:13:20Z", 1_700_000_000_000),
            ("2023-11-14t22:13:20.1239z", 1_700_000_000_123),
            ("2023-11-14T23:13:20+01:00", 1_700_000_000_000),
            ("1970-01-01T00:00:00-00:00", 0),
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), Some(Timestamp(ms)), "{text}");
        }
        let bad = "2023-11-14 22:13:20Z|2023-11-14T22:13:20|2023-11-14T22:13Z|20231114T221320Z|2023-13-14T22:13:20Z|2023-11-14T22:13:20.Z|2023-11-14T22:13:20+01|1969-12-31T23:59:59Z|2023-11-14T22:13:20Z[UTC]||é";
        for text in bad.split('|') {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
        assert_eq!(Timestamp(1_700_000_000_999).rfc3339_seconds(), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn both_forms() {
        let t = Timestamp(1_700_000_000_123);
        assert_eq!(t.to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(t.rfc5322(), "Tue, 14 Nov 2023 22:13:20 +0000");
        assert_eq!(Timestamp(u64::MAX).plus(Duration::MAX), Timestamp(u64::MAX));
        assert!(!Timestamp(u64::MAX).rfc5322().is_empty());
    }
}
