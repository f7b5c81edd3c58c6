//! File operations, and what each promises.
//!
//! That is what POSIX promises: a write is durable after `sync_data` on its file, a new, renamed or removed name after
//! `sync_dir` on its directory, and nothing before.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

/// A file system, or what stands in for it.
pub trait Files: Send + Sync {
    /// Makes a directory, for its owner only. An error if it is there, or if there is none to make it in.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Whether a directory is there. An error if something else is.
    fn is_dir(&self, path: &Path) -> io::Result<bool>;
    /// Makes a file, for reading and writing, with these permissions. An error if it is there.
    fn create(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>>;
    /// Opens a file for reading and syncing. An error if it is not there.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Gives a file another name, in the place of what has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file's name. Those who have it open go on reading.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, in no order.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Makes durable which names the directory has.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes durable what was written to these files, given in the order in which they were made. A failure may concern any of
    /// them, and is as final as that of `sync_data`.
    fn sync_all(&self, files: &[Arc<dyn File>]) -> io::Result<()> {
        files.iter().try_for_each(|file| file.sync_data())
    }
}

/// An open file.
pub trait File: Send + Sync + fmt::Debug {
    /// Writes all of `octets` at `offset`, making the file longer if need be.
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<()>;
    /// Fills `buf` from `offset`. Reading past the end is an error.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
    /// Makes what was written durable. A failure is final: a second call may succeed and mean nothing.
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts the file to `len` octets.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Its length in octets.
    fn len(&self) -> io::Result<u64>;
    /// Whether it is empty.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// What the system knows it by, if it is a file of the system's.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl dyn File + '_ {
    /// `len` octets from `offset`. An error, and no allocation, if the file has fewer.
    pub(crate) fn read_vec(&self, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        if offset.checked_add(len).is_none_or(|end| self.len().is_ok_and(|is| end > is)) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut octets = vec![0; usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?];
        self.read_at(offset, &mut octets)?;
        Ok(octets)
    }
}
