//! What the calls mean: sizes, quota, time to live, and the change that each call makes of one entry.
//!
//! Every implementation takes its meaning from here and adds only where entries are kept.

use crate::event::host::KvFault;
use crate::event::host::kv::{KEY_MAX, VALUE_MAX};
use crate::mail::Timestamp;
use bytes::Bytes;

/// What one sink may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Keys.
    pub keys: u64,
    /// Octets of keys and values together.
    pub bytes: u64,
}

/// A million keys, 256 MiB.
impl Default for Quota {
    fn default() -> Self {
        Self { keys: 1_000_000, bytes: 256 << 20 }
    }
}

/// What one sink keeps, entries included whose time is over but that were not swept yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Keys.
    pub keys: u64,
    /// Octets of keys and values together.
    pub bytes: u64,
}

impl Usage {
    /// The usage once `key` holds `new` instead of `old`.
    pub(super) fn with(self, key: &str, old: Option<&Entry>, new: Option<&Entry>) -> Self {
        let of = |entry: Option<&Entry>| entry.map_or((0, 0), |e| (1, (key.len() + e.value.len()) as u64));
        let ((old_keys, old_bytes), (new_keys, new_bytes)) = (of(old), of(new));
        Self {
            keys: self.keys.saturating_sub(old_keys) + new_keys,
            bytes: self.bytes.saturating_sub(old_bytes) + new_bytes,
        }
    }

    /// Refuses a growth beyond the quota. A sink that is over already, since its quota was lowered, may still shrink.
    pub(super) fn grow_to(self, after: Self, quota: Quota) -> Result<(), KvFault> {
        if after.keys > quota.keys && after.keys > self.keys {
            Err(KvFault::TooManyKeys(quota.keys))
        } else if after.bytes > quota.bytes && after.bytes > self.bytes {
            Err(KvFault::TooManyBytes(quota.bytes))
        } else {
            Ok(())
        }
    }
}

/// A value and the time when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: Bytes,
    pub(super) expires: Option<Timestamp>,
}

impl Entry {
    /// Whether its time is not over.
    pub(super) fn lives(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// What a step makes of the entry that it finds.
pub(super) enum Change {
    Keep,
    Put(Entry),
    Remove,
}

/// A step's change, and what it tells the caller. The step is given the entry if there is one that lives.
pub(super) type Made<T> = Result<(Change, T), KvFault>;

/// A key of an allowed length.
pub(super) fn check_key(key: &str) -> Result<(), KvFault> {
    if key.len() <= KEY_MAX { Ok(()) } else { Err(KvFault::KeyTooLong(key.len())) }
}

pub(super) fn set(value: &[u8], expires: Option<Timestamp>) -> Made<()> {
    Ok((put(value, expires)?, ()))
}

pub(super) fn remove(old: Option<&Entry>) -> Made<()> {
    Ok((if old.is_some() { Change::Remove } else { Change::Keep }, ()))
}

pub(super) fn increment(old: Option<&Entry>, by: i64, expires: Option<Timestamp>) -> Made<i64> {
    let Some(old) = old else {
        return Ok((put(by.to_string().as_bytes(), expires)?, by));
    };
    let count: i64 =
        std::str::from_utf8(&old.value).ok().and_then(|text| text.parse().ok()).ok_or(KvFault::NotACounter)?;
    let sum = count.checked_add(by).ok_or(KvFault::CounterOverflow)?;
    Ok((put(sum.to_string().as_bytes(), old.expires)?, sum))
}

pub(super) fn compare_and_set(
    old: Option<&Entry>,
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
    expires: Option<Timestamp>,
) -> Made<bool> {
    if old.map(|entry| &*entry.value) != expected {
        return Ok((Change::Keep, false));
    }
    let change = match new {
        Some(value) => put(value, expires)?,
        None => remove(old)?.0,
    };
    Ok((change, true))
}

fn put(value: &[u8], expires: Option<Timestamp>) -> Result<Change, KvFault> {
    if value.len() > VALUE_MAX {
        return Err(KvFault::ValueTooLong(value.len()));
    }
    Ok(Change::Put(Entry { value: Bytes::copy_from_slice(value), expires }))
}
