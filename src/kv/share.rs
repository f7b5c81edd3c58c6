//! One sink's keys: the overlay, the usage, and the lock that makes each call one step.
//!
//! Sinks don't wait for one another. A change reads what was there, from the disk if need be, under the lock.

use super::disk::{Disk, DiskFault, Part};
use super::overlay::Overlay;
use super::rules::{Change, Entry, Made, Quota, Usage};
use crate::event::host::KvFault;
use crate::mail::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A sink that is over its quota has its old entries swept this often and no oftener.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Keys swept at a time.
pub(super) const SWEEP_MAX: usize = 10_000;

/// One sink's part of the store.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) sink: Arc<str>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    overlay: Overlay,
    usage: Usage,
    swept: Option<Timestamp>,
}

/// Why an update was not made.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The caller's doing.
    Fault(KvFault),
    /// The file's.
    Disk(DiskFault),
}

impl From<KvFault> for Refusal {
    fn from(fault: KvFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<DiskFault> for Refusal {
    fn from(fault: DiskFault) -> Self {
        Self::Disk(fault)
    }
}

impl Share {
    pub(super) fn new(sink: &str, usage: Usage) -> Self {
        Self { sink: sink.into(), held: Mutex::new(Held { usage, ..Held::default() }) }
    }

    pub(super) fn usage(&self) -> Usage {
        self.lock().usage
    }

    /// What is not committed yet of this key; None if that is nothing.
    pub(super) fn uncommitted(&self, key: &str) -> Option<Option<Entry>> {
        self.lock().overlay.get(key).map(Option::<&Entry>::cloned)
    }

    /// Makes one step on one key.
    pub(super) fn update<T>(
        &self,
        disk: &Disk,
        key: &str,
        now: Timestamp,
        quota: Quota,
        step: impl FnOnce(Option<&Entry>) -> Made<T>,
    ) -> Result<T, Refusal> {
        let mut held = self.lock();
        let old = self.raw(&held, disk, key)?;
        let (change, told) = step(old.as_ref().filter(|entry| entry.lives(now)))?;
        let new = match change {
            Change::Keep => return Ok(told),
            Change::Put(entry) => Some(entry),
            Change::Remove => None,
        };
        let after = held.usage.with(key, old.as_ref(), new.as_ref());
        held.usage.grow_to(after, quota)?;
        held.usage = after;
        held.overlay.put(key, new);
        Ok(told)
    }

    /// Whether a sweep might help a sink that is over its quota. Says yes once a second.
    pub(super) fn may_sweep(&self, now: Timestamp) -> bool {
        let mut held = self.lock();
        let may = held.swept.is_none_or(|last| now < last || now.since(last) >= SWEEP_PAUSE);
        if may {
            held.swept = Some(now);
        }
        may
    }

    /// Removes entries whose time is over. Returns how many; [`SWEEP_MAX`] or more means that there may be others.
    pub(super) fn sweep(&self, disk: &Disk, now: Timestamp) -> Result<usize, DiskFault> {
        let mut keys = self.lock().overlay.keys_where(|entry| !entry.lives(now));
        keys.extend(disk.due(&self.sink, now, SWEEP_MAX)?.into_iter().map(Box::from));
        let mut swept = 0;
        for key in keys {
            // One lock per key: callers need not wait for all of them. The key may have been set anew since.
            let mut held = self.lock();
            if let Some(old) = self.raw(&held, disk, &key)?.filter(|entry| !entry.lives(now)) {
                held.usage = held.usage.with(&key, Some(&old), None);
                held.overlay.put(&key, None);
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Hands over what is to be committed, if there is something.
    pub(super) fn leave(&self) -> Option<Part> {
        let mut held = self.lock();
        let changes = held.overlay.leave();
        (!changes.is_empty()).then(|| Part { sink: self.sink.clone(), changes, usage: held.usage })
    }

    /// What was handed over is durable.
    pub(super) fn committed(&self) {
        self.lock().overlay.committed();
    }

    /// What was handed over is not durable, and to be handed over again.
    pub(super) fn failed(&self) {
        self.lock().overlay.failed();
    }

    /// Counts anew what the sink uses, on a disk that was opened anew and says `base`.
    pub(super) fn recount(&self, disk: &Disk, base: Usage) -> Result<(), DiskFault> {
        let mut held = self.lock();
        let mut usage = base;
        for key in held.overlay.keys() {
            usage = usage.with(key, disk.get(&self.sink, key)?.as_ref(), held.overlay.get(key).flatten());
        }
        held.usage = usage;
        Ok(())
    }

    /// What the key holds, whether its time is over or not.
    fn raw(&self, held: &Held, disk: &Disk, key: &str) -> Result<Option<Entry>, DiskFault> {
        match held.overlay.get(key) {
            Some(changed) => Ok(changed.cloned()),
            None => disk.get(&self.sink, key),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
