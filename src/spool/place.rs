//! Where things lie under the spool's directory, and numbers that nobody outside can guess.
//!
//! The layout is told at the head of [`super`].

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The spool's directory.
#[derive(Clone, Debug)]
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new(root: &Path) -> Self {
        Self(root.to_owned())
    }
    /// Segments.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("log")
    }
    /// Octets of large messages.
    pub(super) fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }
    /// Octets being received.
    pub(super) fn drafts(&self) -> PathBuf {
        self.0.join("drafts")
    }
    /// What recovery could not read.
    pub(super) fn quarantine(&self) -> PathBuf {
        self.0.join("quarantine")
    }
    pub(super) fn root(&self) -> &Path {
        &self.0
    }
    pub(super) fn blob(&self, name: u64) -> PathBuf {
        self.blobs().join(file_name(name))
    }
    pub(super) fn draft(&self, name: u64) -> PathBuf {
        self.drafts().join(file_name(name))
    }
}

/// The file name of a blob or draft.
pub(super) fn file_name(name: u64) -> String {
    format!("{name:016x}")
}

/// The blob or draft of this file name.
pub(super) fn parse_file_name(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// A number that will not come again and that can't be foreseen: seeded by the system, one hash per call.
pub(super) fn unguessable() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    RandomState::new().hash_one((COUNT.fetch_add(1, Ordering::Relaxed), std::process::id()))
}
