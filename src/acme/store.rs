//! The folder of what was fetched: certificates with their keys, accounts, and what was tried. All of it is the owner's alone, and a
//! file is replaced as a whole or not at all.

use super::failure::Failure;
use crate::disk::{Disk, Files, dirs, replace};
use crate::tls::Kept;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Begins the line that says where a certificate is from.
const FROM: &str = "# directory: ";

/// The folder.
#[derive(Clone)]
pub(super) struct Store {
    files: Arc<dyn Files>,
    folder: PathBuf,
}

/// A certificate as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) kept: Kept,
    /// The directory of the authority that issued it.
    pub(super) directory: Option<String>,
}

impl Store {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { files: Arc::new(Disk), folder }
    }

    /// Where a file is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The octets of a file; nothing if it is not there.
    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.off_the_loop(name, |files, path| match files.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.and_then(|file| file.read_vec(0, file.len()?)).map(Some),
        })
        .await
    }

    /// Replaces a file. On return it is there for good.
    pub(super) async fn write(&self, name: &str, octets: Vec<u8>) -> Result<(), Failure> {
        self.off_the_loop(name, move |files, path| {
            dirs::make(files, dirs::parent(path)).map_err(|(_, error)| error)?;
            replace(files, path, &octets, 0o600)
        })
        .await
    }

    /// Removes a file that may be there.
    pub(super) async fn remove(&self, name: &str) -> Result<(), Failure> {
        self.off_the_loop(name, |files, path| match files.remove(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        })
        .await
    }

    /// The certificate of a file; nothing if there is none that can be used.
    pub(super) async fn certificate(&self, name: &str) -> Option<Certificate> {
        let octets = self.read(name).await.ok()??;
        let text = String::from_utf8(octets).ok()?;
        Certificate::of(&self.path(name), &text).ok()
    }

    async fn off_the_loop<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&dyn Files, &Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (files, path) = (self.files.clone(), self.path(name));
        let shown = path.display().to_string();
        let done = tokio::task::spawn_blocking(move || work(&*files, &path)).await;
        let done = done.map_err(io::Error::other).flatten();
        done.map_err(|error| Failure::new(format!("`{shown}`: {error}")))
    }
}

impl Certificate {
    /// Reads the text of a file. The error says what keeps it from being used.
    pub(super) fn of(path: &Path, text: &str) -> Result<Self, String> {
        let directory = text.lines().next().and_then(|line| line.strip_prefix(FROM)).map(str::to_owned);
        Ok(Self { kept: Kept::read(path, text)?, directory })
    }

    /// Whether it has all of these names.
    pub(super) fn covers(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.kept.names.contains(name))
    }
}

/// The text of a file.
pub(super) fn text(directory: &str, key: &str, chain: &str) -> String {
    format!("{FROM}{directory}\n{}\n{}\n", key.trim_end(), chain.trim_end())
}
