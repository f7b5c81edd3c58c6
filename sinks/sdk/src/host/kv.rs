//! Small durable values of the sink's own. Needs `allow.kv`.

use crate::seam::{Here, World};
use crate::wit::kv;
use std::fmt;
use std::time::Duration;

/// Why a value could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The key is over 1,024 octets or the value over 64 KiB.
    TooLong,
    /// The sink keeps as much as it may.
    Quota,
    /// The value to increment is not a decimal number, or would leave the range.
    NotACounter,
    /// The store can't be read or written now.
    Unavailable(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("kv: the key is over 1,024 octets or the value over 64 KiB"),
            Self::Quota => f.write_str("kv: the sink keeps as much as it may"),
            Self::NotACounter => f.write_str("kv: the value to increment is no number, or would leave the range"),
            Self::Unavailable(why) => write!(f, "kv: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<kv::Error> for Error {
    fn from(error: kv::Error) -> Self {
        match error {
            kv::Error::TooLong => Self::TooLong,
            kv::Error::Quota => Self::Quota,
            kv::Error::NotACounter => Self::NotACounter,
            kv::Error::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

fn seconds(ttl: Option<Duration>) -> Option<u64> {
    ttl.map(|ttl| ttl.as_secs())
}

/// The value of a key.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(Here::kv_get(key)?)
}

/// Sets a value, kept for so long in whole seconds, or until it is removed.
pub fn set(key: &str, value: impl AsRef<[u8]>, ttl: Option<Duration>) -> Result<(), Error> {
    Ok(Here::kv_set(key, value.as_ref(), seconds(ttl))?)
}

/// Removes a value.
pub fn remove(key: &str) -> Result<(), Error> {
    Ok(Here::kv_remove(key)?)
}

/// Adds to a counter, as one step, and returns the sum. An absent one starts at zero and is kept for so long.
pub fn increment(key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
    Ok(Here::kv_increment(key, by, seconds(ttl))?)
}

/// As one step: if the value is `expected` (none: absent), makes it `value` (none: absent). Returns whether it did.
pub fn compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
    ttl: Option<Duration>,
) -> Result<bool, Error> {
    Ok(Here::kv_compare_and_set(key, expected, value, seconds(ttl))?)
}
