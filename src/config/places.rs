//! Where targets write and what they name: the folders that relative paths start from, and the files that were read.

use super::path;
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
}

impl<'a> Places<'a> {
    pub(super) fn new(file: &'a Path, data_dir: &'a Path) -> Self {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self { data_dir, base: path::folder(file), credentials, read: RefCell::default() }
    }

    /// One more file that the settings come from.
    pub(super) fn note(&self, file: PathBuf) {
        self.read.borrow_mut().push(file);
    }

    /// The files that were noted.
    pub(super) fn files(self) -> Vec<PathBuf> {
        self.read.into_inner()
    }
}
