//! Files of certificates and keys: read with the settings, while the process still has the rights for it, and never shown.
//!
//! What diagnostics may show of such a file are its marker lines and what stands between the markers of certificates. Whatever
//! else is in it may be a key, or a file of something else that is nobody's business: it is shown as stars.

use crate::config::diagnostic::{Diagnostics, io_text};
use crate::config::path;
use crate::config::sources::{ReadFault, SourceId, Span};
use crate::config::tree::Node;
use std::collections::HashMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file as it was read. Two are equal if path and octets are: places don't count for a reload.
#[derive(Clone)]
pub struct PemFile {
    /// Where it is.
    pub path: PathBuf,
    /// What was in it.
    pub octets: Arc<[u8]>,
    /// Its text in the diagnostics of this load, octet for octet at the same places.
    pub source: SourceId,
    /// The setting that names it.
    pub named_at: Span,
    /// Whether every user of the machine may read it.
    pub open_to_all: bool,
}

impl PartialEq for PemFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.octets == other.octets
    }
}

impl Eq for PemFile {}

impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PemFile").field(&self.path).finish()
    }
}

impl PemFile {
    /// A text as if it had been read from a file.
    pub fn of_text(path: &Path, text: &str, found: &mut Diagnostics) -> Self {
        let source = found.sources.add(path.display().to_string(), &shown_part(text.as_bytes()));
        let named_at = Span::new(source, 0..0);
        Self { path: path.to_owned(), octets: text.as_bytes().into(), source, named_at, open_to_all: false }
    }
}

/// Reads such files. One that is named by many settings is read once.
#[derive(Default)]
pub(in crate::config) struct PemFiles {
    base: PathBuf,
    /// Under it the server keeps what it fetches.
    data_dir: PathBuf,
    /// Whether there is anybody to fetch from.
    acme: bool,
    read: HashMap<PathBuf, Option<PemFile>>,
    /// The names of each certificate that is fetched, by the first of them.
    ordered: HashMap<String, Vec<String>>,
}

impl PemFiles {
    /// Relative paths start at `base`; `acme`: certificates can be fetched, and are kept under `data_dir`.
    pub(in crate::config) fn new(base: &Path, data_dir: &Path, acme: bool) -> Self {
        Self { base: base.to_owned(), data_dir: data_dir.to_owned(), acme, ..Self::default() }
    }

    /// Whether there is anybody to fetch certificates from.
    pub(super) fn has_acme(&self) -> bool {
        self.acme
    }

    /// Under it the server keeps what it fetches.
    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Notes a certificate that is to be fetched. False: another with the same first name has other names.
    pub(super) fn orders(&mut self, first: &str, names: &[String]) -> bool {
        self.ordered.entry(first.to_owned()).or_insert_with(|| names.to_owned()) == names
    }

    /// Reads a file that need not be there yet. Nothing, with an error, if it is and can't be read.
    pub(super) fn kept(&mut self, path: &Path, named_at: Span, found: &mut Diagnostics) -> Option<Option<PemFile>> {
        if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            self.read.insert(path.to_owned(), None);
            return Some(None);
        }
        self.at(path, named_at, found).map(Some)
    }

    /// Reads the file that the node names.
    pub(in crate::config) fn file(&mut self, node: &Node, found: &mut Diagnostics) -> Option<PemFile> {
        let path = path::below(&self.base, node, found)?;
        self.at(&path, node.span, found)
    }

    fn at(&mut self, path: &Path, named_at: Span, found: &mut Diagnostics) -> Option<PemFile> {
        if let Some(read) = self.read.get(path) {
            return read.clone().map(|file| PemFile { named_at, ..file });
        }
        let file = read(path, named_at, found);
        self.read.insert(path.to_owned(), file.clone());
        file
    }

    /// The files that were named, to be watched and never copied.
    pub(in crate::config) fn paths(self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.read.into_keys().collect();
        paths.sort();
        paths
    }
}

fn read(path: &Path, named_at: Span, found: &mut Diagnostics) -> Option<PemFile> {
    let open_to_all = path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0);
    let shown = path.display();
    let (why, help) = match found.sources.read_shown(path, shown_part) {
        Ok((source, octets)) => {
            let file = PemFile { path: path.to_owned(), octets: octets.into(), source, named_at, open_to_all };
            return Some(file);
        }
        Err(ReadFault::Io(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let help = "let the user that the server runs as read it, for instance by its group: chgrp and chmod 640";
            ("permission denied".to_owned(), help)
        }
        Err(ReadFault::Io(error)) => (io_text(&error), "a relative path starts at the file that names it"),
        Err(_) => ("it is larger than 256 MiB".to_owned(), "name a file of certificates or a key in PEM form"),
    };
    found.error(named_at, format!("cannot read `{shown}`: {why}")).help(help);
    None
}

/// The text of a file in which nothing is left that may be secret; each octet keeps its place.
fn shown_part(octets: &[u8]) -> String {
    let mut shown = String::with_capacity(octets.len());
    let mut certificate = false;
    for line in octets.split_inclusive(|&b| b == b'\n') {
        let marker = line.starts_with(b"-----");
        if marker {
            certificate = line.starts_with(b"-----BEGIN ") && line.windows(11).any(|w| w == b"CERTIFICATE");
        }
        let open = (marker || certificate) && line.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
        shown.extend(line.iter().map(|&b| match b {
            b'\r' | b'\n' => char::from(b),
            _ if open => char::from(b),
            _ => '*',
        }));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown_and_everything_keeps_its_place() {
        let text = "note\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\r\nsecret\u{e9}\n\
                    -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nx";
        let shown = shown_part(text.as_bytes());
        assert_eq!(shown.len(), text.len());
        assert_eq!(
            shown,
            "****\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\r\n********\n\
             -----BEGIN PRIVATE KEY-----\n****\n-----END PRIVATE KEY-----\n*"
        );
        assert_eq!(shown_part(&[0x30, 0x82, 0xff, b'\n', 0]), "***\n*");
    }
}
