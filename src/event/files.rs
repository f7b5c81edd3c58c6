//! The files that sinks and rules read: lists beside the manifest, and whatever a native sink asks for.
//!
//! Everything read is remembered with the digest of its bytes, so that a reload knows what has changed and a watcher knows
//! where to look.

use super::list::{self, ListError, Patterns};
use super::networks::Networks;
use super::table::Table;
use crate::config::diagnostic::io_text;
use crate::config::{Diagnostics, SourceId, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads files relative to one folder, and remembers which.
#[derive(Clone, Debug, Default)]
pub struct Files {
    base: PathBuf,
    read: BTreeMap<PathBuf, Option<blake3::Hash>>,
    /// Of those, what is never copied.
    credentials: BTreeSet<PathBuf>,
}

impl Files {
    /// Paths are relative to the folder `base`.
    pub fn new(base: &Path) -> Self {
        Self { base: base.to_owned(), ..Self::default() }
    }

    /// The bytes of a file. The error says which file and why, and what could not be read is watched all the same.
    pub fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let full = self.base.join(path);
        let bytes = std::fs::read(&full);
        self.read.insert(full.clone(), bytes.as_ref().ok().map(|b| blake3::hash(b)));
        bytes.map_err(|e| format!("cannot read `{}`: {}", full.display(), io_text(&e)))
    }

    /// Remembers a file that somebody else has read, with the digest of what was read then.
    pub fn note(&mut self, path: &Path, digest: blake3::Hash) {
        self.read.insert(self.base.join(path), Some(digest));
    }

    /// The same for one that is watched, and not kept with the manifest.
    pub fn note_credential(&mut self, path: &Path, digest: blake3::Hash) {
        self.credentials.insert(self.base.join(path));
        self.note(path, digest);
    }

    /// The bytes of a file that the service manager hands over for this run alone: watched, and not kept with the manifest.
    pub fn read_credential(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.credentials.insert(self.base.join(path));
        self.read(path)
    }

    /// A list of texts and globs. What is wrong with it is noted at its own lines; that it can't be read, at `named_at`.
    pub fn patterns(&mut self, path: &str, named_at: Span, found: &mut Diagnostics) -> Option<Arc<Patterns>> {
        self.list(path, named_at, found, Patterns::parse)
    }

    /// A list of networks.
    pub fn networks(&mut self, path: &str, named_at: Span, found: &mut Diagnostics) -> Option<Arc<Networks>> {
        self.list(path, named_at, found, list::networks)
    }

    /// A table of keys and values.
    pub fn table(&mut self, path: &str, named_at: Span, found: &mut Diagnostics) -> Option<Arc<Table>> {
        self.list(path, named_at, found, Table::parse)
    }

    fn list<T>(
        &mut self,
        path: &str,
        named_at: Span,
        found: &mut Diagnostics,
        parse: impl FnOnce(&[u8]) -> Result<T, Vec<ListError>>,
    ) -> Option<Arc<T>> {
        let bytes = self.read(path).map_err(|error| found.error(named_at, error)).ok()?;
        let errors = match parse(&bytes) {
            Ok(list) => return Some(Arc::new(list)),
            Err(errors) => errors,
        };
        let id = found.sources.add(self.base.join(path).display().to_string(), &String::from_utf8_lossy(&bytes));
        let text = found.sources.text(id);
        for error in errors {
            found.error(place(id, &text, &error), error.message);
        }
        None
    }

    /// What was read, with the digest of its bytes; none for what could not be read.
    pub fn seen(&self) -> &BTreeMap<PathBuf, Option<blake3::Hash>> {
        &self.read
    }

    /// Of what was read, what may be copied and kept.
    pub fn to_keep(&self) -> impl Iterator<Item = (&PathBuf, &blake3::Hash)> {
        let may = |path: &PathBuf| !self.credentials.contains(path);
        self.read.iter().filter_map(move |(path, digest)| Some((path, digest.as_ref().filter(|_| may(path))?)))
    }

    /// Adds what another reader has read.
    pub fn merge(&mut self, other: &Self) {
        self.credentials.extend(other.credentials.iter().cloned());
        self.read.extend(other.read.iter().map(|(path, digest)| (path.clone(), *digest)));
    }

    /// Remembers what another reader has read and this one has not, with the bytes that are there now.
    pub fn look_at(&mut self, other: &Self) {
        for path in other.read.keys() {
            let now = || std::fs::read(path).ok().map(|bytes| blake3::hash(&bytes));
            self.read.entry(path.clone()).or_insert_with(now);
        }
    }

    /// Whether every file still has the bytes that were read.
    pub fn unchanged(&self) -> bool {
        self.read.iter().all(|(path, digest)| std::fs::read(path).ok().map(|b| blake3::hash(&b)) == *digest)
    }
}

/// The rest of the line from where the error is.
fn place(id: SourceId, text: &str, error: &ListError) -> Span {
    let line = text.split_inclusive('\n').take(error.line.saturating_sub(1)).map(str::len).sum::<usize>();
    let rest = text.get(line..).unwrap_or_default().lines().next().unwrap_or_default();
    let before = rest.chars().take(error.column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    Span::new(id, line + before..line + rest.trim_end().len().max(before))
}
