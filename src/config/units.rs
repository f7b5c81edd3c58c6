//! Sizes and durations as people write them: `10 MiB`, `5m`, `250 ms`; with or without the space.
//!
//! A number without a unit is refused, because nobody remembers whether it meant seconds or milliseconds. Units
//! of size are binary; `KB` and `MB` are refused, because half the world takes them for 1000.

use std::fmt;
use std::time::Duration;

/// Why a text is no size or duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitError {
    /// It does not begin with a whole number.
    NoNumber,
    /// The number has no unit.
    NoUnit(&'static str),
    /// The unit is not one of ours; the list of those, and the one that was probably meant.
    UnknownUnit(&'static str, Option<&'static str>),
    /// More than can be counted.
    Overflow,
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => f.write_str("a whole number must come first"),
            Self::NoUnit(_) => f.write_str("the unit is missing"),
            Self::UnknownUnit(..) => f.write_str("the unit is not known"),
            Self::Overflow => f.write_str("the number is too large"),
        }
    }
}

impl UnitError {
    /// What to write instead.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoNumber | Self::Overflow => None,
            Self::NoUnit(units) | Self::UnknownUnit(units, None) => Some(format!("units are {units}")),
            Self::UnknownUnit(units, Some(meant)) => Some(format!("write `{meant}`; units are {units}")),
        }
    }
}

/// The units of a size, for messages.
pub const SIZE_UNITS: &str = "B, KiB, MiB, GiB and TiB";
/// The units of a duration, for messages.
pub const TIME_UNITS: &str = "ms, s, m, h and d";

/// A size in octets.
pub fn size(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, SIZE_UNITS)?;
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        other => return Err(UnitError::UnknownUnit(SIZE_UNITS, meant_size(other))),
    };
    number.checked_mul(1 << shift).ok_or(UnitError::Overflow)
}

/// A size as it would be written, in the largest unit that keeps it whole.
pub fn write_size(octets: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.iter().find(|(shift, _)| octets > 0 && octets.is_multiple_of(1 << shift));
    unit.map_or_else(|| format!("{octets} B"), |(shift, name)| format!("{} {name}", octets >> shift))
}

/// A duration. At most 100 years, so that adding it to a point in time can't overflow.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    const LONGEST: u64 = 100 * 365 * 86_400_000;
    let (number, unit) = split(text, TIME_UNITS)?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        other => return Err(UnitError::UnknownUnit(TIME_UNITS, meant_time(other))),
    };
    let total = number.checked_mul(milliseconds).filter(|&n| n <= LONGEST).ok_or(UnitError::Overflow)?;
    Ok(Duration::from_millis(total))
}

fn split<'a>(text: &'a str, units: &'static str) -> Result<(u64, &'a str), UnitError> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    if digits.is_empty() {
        return Err(UnitError::NoNumber);
    }
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    if unit.is_empty() {
        return Err(UnitError::NoUnit(units));
    }
    // Nothing but digits is left, so this fails only by size.
    Ok((digits.parse().map_err(|_| UnitError::Overflow)?, unit))
}

fn meant_size(unit: &str) -> Option<&'static str> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "b" | "byte" | "bytes" | "octets" => "B",
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        "t" | "tb" | "tib" => "TiB",
        _ => return None,
    })
}

fn meant_time(unit: &str) -> Option<&'static str> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "msec" | "millis" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("10 MiB"), Ok(10 << 20));
        assert_eq!(size("256KiB"), Ok(256 << 10));
        assert_eq!(size("0 B"), Ok(0));
        assert_eq!(size("16777215 TiB"), Ok(((1 << 24) - 1) << 40));
        assert_eq!(size("16777216 TiB"), Err(UnitError::Overflow));
        assert_eq!(size("99999999999999999999 B"), Err(UnitError::Overflow));
        assert_eq!(size("10"), Err(UnitError::NoUnit(SIZE_UNITS)));
        assert_eq!(size("10 MB"), Err(UnitError::UnknownUnit(SIZE_UNITS, Some("MiB"))));
        for bad in ["", "MiB", "-1 B", "1.5 GiB", "1  B", "1 B ", "1 2 B", "+1 B", "１ B"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for text in ["0 B", "1 B", "1000 B", "1 KiB", "1025 B", "10 MiB", "3 GiB", "1024 TiB"] {
            assert_eq!(size(text).map(write_size).as_deref(), Ok(text));
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("250 ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("5d"), Ok(Duration::from_secs(5 * 86_400)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("36500d").map(|d| d.as_secs()), Ok(36_500 * 86_400));
        assert_eq!(duration("36501d"), Err(UnitError::Overflow));
        assert_eq!(duration("18446744073709551615 d"), Err(UnitError::Overflow));
        assert_eq!(duration("5 min"), Err(UnitError::UnknownUnit(TIME_UNITS, Some("m"))));
        for bad in ["", "s", "5", "1h30m", "-5s", "5 S x", "1.5s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
