//! How many TLS handshakes of clients ended how, since the start.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The counts.
#[derive(Debug, Default)]
pub struct Handshakes {
    /// By version: two of them.
    done: Mutex<BTreeMap<String, u64>>,
    failed: AtomicU64,
}

impl Handshakes {
    /// One went well.
    pub(super) fn done(&self, version: &str) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        match done.get_mut(version) {
            Some(count) => *count += 1,
            None => drop(done.insert(version.to_owned(), 1)),
        }
    }

    /// One failed, or was given up.
    pub(super) fn fail(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// Those that went well, by version: `TLSv1.3`.
    pub fn by_version(&self) -> BTreeMap<String, u64> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those that failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }
}
