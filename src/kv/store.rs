//! The durable store: what callers see.
//!
//! A call changes an overlay in memory and returns; the writer commits a moment later. Reads look at the overlay, then
//! at the file. When the file fails, calls that need it say so and the writer opens it anew; what had not been committed
//! by then is kept and committed after.

use super::disk::{Disk, DiskFault, OpenError};
use super::rules::{self, Entry, Made, Quota, Usage};
use super::share::{Refusal, Share};
use super::signal::Signal;
use super::writer;
use crate::event::host::{Clock, Kv, KvFault};
use crate::mail::Timestamp;
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// The name of the file in the data directory.
const FILE: &str = "kv.redb";

/// A store in a file. Dropping it commits what is left and waits for that.
#[derive(Debug)]
pub struct Store {
    core: Arc<Core>,
    writer: Option<JoinHandle<()>>,
}

/// What callers and the writer share.
#[derive(Debug)]
pub(super) struct Core {
    shares: RwLock<HashMap<Box<str>, Arc<Share>>>,
    /// None while the file is of no use.
    pub(super) disk: ArcSwapOption<Disk>,
    pub(super) signal: Signal,
    pub(super) clock: Arc<dyn Clock>,
    quota: Quota,
}

/// Opens the file, at the start and after trouble.
pub(super) type Opener = Box<dyn Fn() -> Result<Disk, OpenError> + Send>;

impl Store {
    /// Opens the store in this directory, or starts one. A damaged file is moved aside, with an error in the log, and an
    /// empty one takes its place; a file that another process has open, or that can't be read or written, is an error.
    /// Reads and checks the whole file.
    pub fn open(data_dir: &Path, clock: Arc<dyn Clock>, quota: Quota) -> Result<Self, OpenError> {
        let (path, time) = (data_dir.join(FILE), clock.clone());
        Self::open_with(Box::new(move || Disk::open(&path, time.now())), clock, quota)
    }

    pub(super) fn open_with(opener: Opener, clock: Arc<dyn Clock>, quota: Quota) -> Result<Self, OpenError> {
        let disk = opener()?;
        let core = Arc::new(Core {
            shares: RwLock::default(),
            disk: ArcSwapOption::empty(),
            signal: Signal::default(),
            clock,
            quota,
        });
        let fail = |message: String| OpenError { path: FILE.into(), message };
        core.install(disk).map_err(|fault| fail(fault.message().to_owned()))?;
        let shared = core.clone();
        let writer = std::thread::Builder::new()
            .name("kv-writer".to_owned())
            .spawn(move || writer::run(&shared, &opener))
            .map_err(|e| fail(format!("its writer can't be started: {e}")))?;
        Ok(Self { core, writer: Some(writer) })
    }

    /// What a sink keeps.
    pub fn usage(&self, sink: &str) -> Usage {
        self.core.share(sink).map(|share| share.usage()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    fn expiry(&self, ttl: Option<Duration>) -> Option<Timestamp> {
        ttl.map(|ttl| self.core.clock.now().plus(ttl))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.core.signal.stop();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the key-value store's writer panicked; what sinks set last may not have been kept");
        }
    }
}

impl Core {
    /// The sink's share, if it ever set anything.
    fn share(&self, sink: &str) -> Option<Arc<Share>> {
        self.shares.read().unwrap_or_else(PoisonError::into_inner).get(sink).cloned()
    }

    fn share_or_new(&self, sink: &str) -> Arc<Share> {
        self.share(sink).unwrap_or_else(|| {
            let mut shares = self.shares.write().unwrap_or_else(PoisonError::into_inner);
            shares.entry(sink.into()).or_insert_with(|| Arc::new(Share::new(sink, Usage::default()))).clone()
        })
    }

    pub(super) fn all_shares(&self) -> Vec<Arc<Share>> {
        self.shares.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Puts a disk to use that was just opened.
    pub(super) fn install(&self, disk: Disk) -> Result<(), DiskFault> {
        let mut usage: HashMap<String, Usage> = disk.usage()?.into_iter().collect();
        for share in self.all_shares() {
            share.recount(&disk, usage.remove(&*share.sink).unwrap_or_default())?;
        }
        let mut shares = self.shares.write().unwrap_or_else(PoisonError::into_inner);
        for (sink, usage) in usage {
            shares.entry(sink.as_str().into()).or_insert_with(|| Arc::new(Share::new(&sink, usage)));
        }
        drop(shares);
        self.disk.store(Some(Arc::new(disk)));
        Ok(())
    }

    /// Takes the disk out of use until the writer has opened it anew.
    pub(super) fn disk_failed(&self, fault: &DiskFault) -> KvFault {
        self.disk.store(None);
        if self.signal.failed(fault.message()) {
            tracing::error!(
                cause = fault.message(),
                "the key-value store failed: what sinks set is not kept until it can be opened again"
            );
        }
        KvFault::Unavailable(fault.message().into())
    }

    fn disk(&self) -> Result<Arc<Disk>, KvFault> {
        let why = || self.signal.admit().err().unwrap_or(KvFault::Unavailable("it is being opened".into()));
        self.disk.load_full().ok_or_else(why)
    }

    fn get(&self, sink: &str, key: &str) -> Result<Option<Bytes>, KvFault> {
        rules::check_key(key)?;
        let entry = match self.share(sink).and_then(|share| share.uncommitted(key)) {
            Some(changed) => changed,
            None => self.disk()?.get(sink, key).map_err(|fault| self.disk_failed(&fault))?,
        };
        let now = self.clock.now();
        Ok(entry.filter(|entry| entry.lives(now)).map(|entry| entry.value))
    }

    fn update<T>(&self, sink: &str, key: &str, step: impl Fn(Option<&Entry>) -> Made<T>) -> Result<T, KvFault> {
        rules::check_key(key)?;
        self.signal.admit()?;
        let (disk, now, share) = (self.disk()?, self.clock.now(), self.share_or_new(sink));
        let mut made = share.update(&disk, key, now, self.quota, &step);
        if matches!(made, Err(Refusal::Fault(KvFault::TooManyKeys(_) | KvFault::TooManyBytes(_))))
            && share.may_sweep(now)
        {
            made = match share.sweep(&disk, now) {
                Ok(_) => share.update(&disk, key, now, self.quota, &step),
                Err(fault) => Err(Refusal::Disk(fault)),
            };
        }
        self.signal.changed();
        made.map_err(|refusal| match refusal {
            Refusal::Fault(fault) => fault,
            Refusal::Disk(fault) => self.disk_failed(&fault),
        })
    }
}

impl Kv for Store {
    fn get(&self, sink: &str, key: &str) -> Result<Option<Bytes>, KvFault> {
        self.core.get(sink, key)
    }

    fn set(&self, sink: &str, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), KvFault> {
        let expires = self.expiry(ttl);
        self.core.update(sink, key, |_| rules::set(value, expires))
    }

    fn remove(&self, sink: &str, key: &str) -> Result<(), KvFault> {
        self.core.update(sink, key, rules::remove)
    }

    fn increment(&self, sink: &str, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, KvFault> {
        let expires = self.expiry(ttl);
        self.core.update(sink, key, |old| rules::increment(old, by, expires))
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
        self.core.update(sink, key, |old| rules::compare_and_set(old, expected, new, expires))
    }

    fn flush(&self) -> Result<(), KvFault> {
        self.core.signal.wait(true)
    }
}
