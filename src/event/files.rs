//! The files that sinks and rules read: lists beside the manifest, and whatever a native sink asks for.
//!
//! Everything read is remembered with the digest of its bytes, so that a reload knows what has changed and a watcher knows
//! where to look.

use super::list::{self, Patterns};
use super::networks::Networks;
use crate::config::diagnostic::io_text;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads files relative to one folder, and remembers which.
#[derive(Clone, Debug, Default)]
pub struct Files {
    base: PathBuf,
    read: BTreeMap<PathBuf, Option<blake3::Hash>>,
}

impl Files {
    /// Paths are relative to the folder `base`.
    pub fn new(base: &Path) -> Self {
        Self { base: base.to_owned(), read: BTreeMap::new() }
    }

    /// The bytes of a file. The error says which file and why, and what could not be read is watched all the same.
    pub fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let full = self.base.join(path);
        let bytes = std::fs::read(&full);
        self.read.insert(full.clone(), bytes.as_ref().ok().map(|b| blake3::hash(b)));
        bytes.map_err(|e| format!("cannot read `{}`: {}", full.display(), io_text(&e)))
    }

    /// A list of texts and globs.
    pub fn patterns(&mut self, path: &str) -> Result<Arc<Patterns>, String> {
        let bytes = self.read(path)?;
        Patterns::parse(&bytes).map(Arc::new).map_err(|errors| self.told(path, &errors))
    }

    /// A list of networks.
    pub fn networks(&mut self, path: &str) -> Result<Arc<Networks>, String> {
        let bytes = self.read(path)?;
        list::networks(&bytes).map(Arc::new).map_err(|errors| self.told(path, &errors))
    }

    fn told(&self, path: &str, errors: &[list::ListError]) -> String {
        let file = self.base.join(path);
        let lines: Vec<String> =
            errors.iter().map(|e| format!("{}:{}:{}: {}", file.display(), e.line, e.column, e.message)).collect();
        lines.join("\n")
    }

    /// What was read, with the digest of its bytes; none for what could not be read.
    pub fn seen(&self) -> &BTreeMap<PathBuf, Option<blake3::Hash>> {
        &self.read
    }

    /// Adds what another reader has read.
    pub fn merge(&mut self, other: &Self) {
        self.read.extend(other.read.iter().map(|(path, digest)| (path.clone(), *digest)));
    }

    /// Whether every file still has the bytes that were read.
    pub fn unchanged(&self) -> bool {
        self.read.iter().all(|(path, digest)| std::fs::read(path).ok().map(|b| blake3::hash(&b)) == *digest)
    }
}
