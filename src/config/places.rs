//! Where targets write and what they name: the folders that relative paths start from, and the files that were read.

use super::diagnostic::Diagnostics;
use super::listener::{PemFile, PemFiles};
use super::path;
use super::tree::Node;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// The folders of one configuration file.
pub(super) struct Places<'a> {
    /// What the server writes is under this one.
    pub(super) data_dir: &'a Path,
    /// What it reads is beside the configuration file, in this one.
    pub(super) base: &'a Path,
    /// The folder of the service manager's credentials, if there is one.
    pub(super) credentials: Option<PathBuf>,
    read: RefCell<Vec<PathBuf>>,
    pem_files: RefCell<PemFiles>,
}

impl<'a> Places<'a> {
    /// `pem_files`: those that were read before.
    pub(super) fn new(file: &'a Path, data_dir: &'a Path, pem_files: PemFiles) -> Self {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let (base, pem_files) = (path::folder(file), RefCell::new(pem_files));
        Self { data_dir, base, credentials, read: RefCell::default(), pem_files }
    }

    /// One more file that the settings come from.
    pub(super) fn note(&self, file: PathBuf) {
        self.read.borrow_mut().push(file);
    }

    /// Reads the file of certificates or a key that the node names.
    pub(super) fn pem_file(&self, node: &Node, found: &mut Diagnostics) -> Option<PemFile> {
        self.pem_files.borrow_mut().file(node, found)
    }

    /// The files that were noted, and those of certificates and keys.
    pub(super) fn files(self) -> (Vec<PathBuf>, PemFiles) {
        (self.read.into_inner(), self.pem_files.into_inner())
    }
}
