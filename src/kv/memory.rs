//! Values for as long as the process lives: for tests, and for a server that has no data directory.
//!
//! One lock and one ordered map: plain enough to be the measure of the durable one.

use super::rules::{self, Change, Entry, Made, Quota, Usage};
use crate::event::host::{Clock, Kv, KvFault};
use crate::mail::Timestamp;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A store in memory.
#[derive(Debug)]
pub struct MemoryKv {
    sinks: Mutex<HashMap<String, Own>>,
    clock: Arc<dyn Clock>,
    quota: Quota,
}

/// What one sink keeps.
#[derive(Debug, Default)]
struct Own {
    entries: BTreeMap<String, Entry>,
    usage: Usage,
}

impl MemoryKv {
    /// An empty store.
    pub fn new(clock: Arc<dyn Clock>, quota: Quota) -> Self {
        Self { sinks: Mutex::default(), clock, quota }
    }

    /// What a sink keeps.
    pub fn usage(&self, sink: &str) -> Usage {
        self.lock().get(sink).map(|own| own.usage).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Own>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expiry(&self, ttl: Option<Duration>) -> Option<Timestamp> {
        ttl.map(|ttl| self.clock.now().plus(ttl))
    }

    fn update<T>(&self, sink: &str, key: &str, step: impl FnOnce(Option<&Entry>) -> Made<T>) -> Result<T, KvFault> {
        rules::check_key(key)?;
        let now = self.clock.now();
        let mut sinks = self.lock();
        let own = sinks.entry(sink.to_owned()).or_default();
        let (change, told) = step(own.entries.get(key).filter(|entry| entry.lives(now)))?;
        own.apply(key, change, self.quota, now)?;
        Ok(told)
    }
}

impl Own {
    fn apply(&mut self, key: &str, change: Change, quota: Quota, now: Timestamp) -> Result<(), KvFault> {
        let new = match change {
            Change::Keep => return Ok(()),
            Change::Put(entry) => Some(entry),
            Change::Remove => None,
        };
        if self.usage.grow_to(self.usage.with(key, self.entries.get(key), new.as_ref()), quota).is_err() {
            self.sweep(now);
        }
        let after = self.usage.with(key, self.entries.get(key), new.as_ref());
        self.usage.grow_to(after, quota)?;
        self.usage = after;
        match new {
            Some(entry) => self.entries.insert(key.to_owned(), entry),
            None => self.entries.remove(key),
        };
        Ok(())
    }

    /// Drops what is over.
    fn sweep(&mut self, now: Timestamp) {
        self.entries.retain(|_, entry| entry.lives(now));
        let none = Usage::default();
        self.usage = self.entries.iter().fold(none, |usage, (key, entry)| usage.with(key, None, Some(entry)));
    }
}

impl Kv for MemoryKv {
    fn get(&self, sink: &str, key: &str) -> Result<Option<Bytes>, KvFault> {
        rules::check_key(key)?;
        let now = self.clock.now();
        let sinks = self.lock();
        let entry = sinks.get(sink).and_then(|own| own.entries.get(key));
        Ok(entry.filter(|entry| entry.lives(now)).map(|entry| entry.value.clone()))
    }

    fn set(&self, sink: &str, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), KvFault> {
        let expires = self.expiry(ttl);
        self.update(sink, key, |_| rules::set(value, expires))
    }

    fn remove(&self, sink: &str, key: &str) -> Result<(), KvFault> {
        self.update(sink, key, rules::remove)
    }

    fn increment(&self, sink: &str, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, KvFault> {
        let expires = self.expiry(ttl);
        self.update(sink, key, |old| rules::increment(old, by, expires))
    }

    fn compare_and_set(
        &self,
        sink: &str,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        ttl: Option<Duration>,
    ) -> Result<bool, KvFault> {
        let expires = self.expiry(ttl);
        self.update(sink, key, |old| rules::compare_and_set(old, expected, new, expires))
    }

    fn flush(&self) -> Result<(), KvFault> {
        Ok(())
    }
}
