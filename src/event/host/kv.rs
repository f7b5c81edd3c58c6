//! Small values that a sink keeps from one event to the next: counters, lists, what a greylist remembers.
//!
//! A key belongs to the sink that set it; no sink sees another's. A change is visible to every reader when the
//! call returns, and durable about 50 ms later, on [`Kv::flush`] and on a clean stop. Calls don't wait for the
//! disk to sync, so they may be made on the fast path; only `flush` may not.
//!
//! This is no store for mail, and no means to talk to other machines.

use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest key, in octets.
pub const KEY_MAX: usize = 1024;
/// The longest value, in octets.
pub const VALUE_MAX: usize = 64 * 1024;

/// Values by sink and key. A value whose time is over is absent, at once, to every call.
pub trait Kv: Send + Sync + fmt::Debug {
    /// The value of `key`, if there is one.
    fn get(&self, sink: &str, key: &str) -> Result<Option<Bytes>, KvFault>;

    /// Sets a value. It is kept for `ttl`, or until it is removed; what stood there before, its time included, is gone.
    fn set(&self, sink: &str, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), KvFault>;

    /// Removes a value. Nothing happens if there is none.
    fn remove(&self, sink: &str, key: &str) -> Result<(), KvFault>;

    /// Adds `by` to a counter, as one step, and returns the sum. A counter is a value that holds a decimal number.
    /// An absent one starts at zero and is kept for `ttl`; one that is there keeps the time it has.
    fn increment(&self, sink: &str, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, KvFault>;

    /// As one step: if the value is `expected` (`None`: absent), makes it `new` (`None`: absent), kept for `ttl`.
    /// Returns whether it did.
    fn compare_and_set(
        &self,
        sink: &str,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        ttl: Option<Duration>,
    ) -> Result<bool, KvFault>;

    /// Waits until every change made before the call is durable. Blocks for as long as the disk takes.
    fn flush(&self) -> Result<(), KvFault>;
}

/// Why a call failed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvFault {
    /// The key is over [`KEY_MAX`] octets.
    KeyTooLong(usize),
    /// The value is over [`VALUE_MAX`] octets.
    ValueTooLong(usize),
    /// The sink would have more keys than this.
    TooManyKeys(u64),
    /// The sink's keys and values would take more octets than this.
    TooManyBytes(u64),
    /// The value to increment is not a decimal number.
    NotACounter,
    /// The counter would leave the range of 64 bits.
    CounterOverflow,
    /// The store can't be read or written now. The text is for the operator.
    Unavailable(Arc<str>),
}

impl fmt::Display for KvFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyTooLong(len) => {
                write!(f, "the key has {len} octets, and {KEY_MAX} are allowed: use a digest of it")
            }
            Self::ValueTooLong(len) => write!(f, "the value has {len} octets, and {VALUE_MAX} are allowed"),
            Self::TooManyKeys(max) => {
                write!(f, "the sink keeps {max} keys already: set values with a time to live, or remove some")
            }
            Self::TooManyBytes(max) => {
                write!(f, "the sink would keep over {max} octets: set values with a time to live, or remove some")
            }
            Self::NotACounter => f.write_str("the value to increment is not a decimal number"),
            Self::CounterOverflow => f.write_str("the counter would leave the range of 64 bits"),
            Self::Unavailable(why) => write!(f, "the key-value store is not available: {why}"),
        }
    }
}

impl std::error::Error for KvFault {}

/// One sink's own part of a store: what a sink is given. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KvOf {
    kv: Arc<dyn Kv>,
    sink: Arc<str>,
}

impl KvOf {
    /// The part of `kv` that belongs to `sink`.
    pub fn new(kv: Arc<dyn Kv>, sink: impl Into<Arc<str>>) -> Self {
        Self { kv, sink: sink.into() }
    }

    /// See [`Kv::get`].
    pub fn get(&self, key: &str) -> Result<Option<Bytes>, KvFault> {
        self.kv.get(&self.sink, key)
    }

    /// See [`Kv::set`].
    pub fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), KvFault> {
        self.kv.set(&self.sink, key, value, ttl)
    }

    /// See [`Kv::remove`].
    pub fn remove(&self, key: &str) -> Result<(), KvFault> {
        self.kv.remove(&self.sink, key)
    }

    /// See [`Kv::increment`].
    pub fn increment(&self, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, KvFault> {
        self.kv.increment(&self.sink, key, by, ttl)
    }

    /// See [`Kv::compare_and_set`].
    pub fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        ttl: Option<Duration>,
    ) -> Result<bool, KvFault> {
        self.kv.compare_and_set(&self.sink, key, expected, new, ttl)
    }

    /// See [`Kv::flush`]: it blocks.
    pub fn flush(&self) -> Result<(), KvFault> {
        self.kv.flush()
    }
}
