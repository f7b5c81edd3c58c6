//! Identifiers of sessions, transactions and messages.
//!
//! A transaction's id becomes the message's: the one in the 250, the log, the ledger and the queue.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// A unique id, ordered by time of creation. Printed as 13 characters of Crockford's base 32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u64);

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 13;

impl Id {
    /// The milliseconds since 1970 at which the id was made.
    pub fn unix_millis(self) -> u64 {
        self.0 >> SEQUENCE_BITS
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = [0u8; DIGITS];
        for (i, digit) in out.iter_mut().enumerate() {
            *digit = ALPHABET[(self.0 >> (5 * (DIGITS - 1 - i)) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&out).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no id: not 13 characters of the alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadId;

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id has 13 letters and digits, such as 0D4WM6Q2F0001")
    }
}

impl std::error::Error for BadId {}

impl FromStr for Id {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        if s.len() != DIGITS {
            return Err(BadId);
        }
        let mut value: u64 = 0;
        for b in s.bytes() {
            let b = b.to_ascii_uppercase();
            let digit = ALPHABET.iter().position(|&a| a == b).ok_or(BadId)? as u64;
            value = value.checked_mul(32).and_then(|v| v.checked_add(digit)).ok_or(BadId)?;
        }
        Ok(Self(value))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Time stands in the upper bits; this many below count ids of one millisecond and run over into the next.
const SEQUENCE_BITS: u32 = 20;

/// Gives out ids that are unique in the process and, as time passes, across restarts.
#[derive(Debug, Default)]
pub struct IdSource(AtomicU64);

impl IdSource {
    /// The next id. `unix_millis` is the present time; a clock set back never repeats an id.
    pub fn next(&self, unix_millis: u64) -> Id {
        let floor = unix_millis << SEQUENCE_BITS;
        let bump = |last: u64| Some(floor.max(last + 1));
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, bump).unwrap_or(0);
        Id(floor.max(last + 1))
    }

    /// Makes sure that no id at or below `seen` is given out again, for what recovery finds.
    pub fn skip_to(&self, seen: Id) {
        self.0.fetch_max(seen.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for value in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            assert_eq!(Id(value).to_string().parse(), Ok(Id(value)));
        }
        for bad in ["", "0D4WM6Q2F000", "0D4WM6Q2F000U", "ZZZZZZZZZZZZZ", "é0000000000000"] {
            assert_eq!(bad.parse::<Id>(), Err(BadId), "{bad}");
        }
    }

    #[test]
    fn unique_even_when_the_clock_goes_back() {
        let source = IdSource::default();
        let ids = [source.next(10), source.next(10), source.next(3), source.next(11)];
        assert!(ids.windows(2).all(|w| w[0] < w[1]), "{ids:?}");
        source.skip_to(Id(u64::MAX >> 1));
        assert!(source.next(11) > Id(u64::MAX >> 1));
    }
}
