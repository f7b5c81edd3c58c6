//! Octets on their way in: in memory while they are few and the budget lasts, else in a file of their own.
//!
//! A draft is nothing durable. Its file goes when the last reader lets go of it, unless a message was accepted with it:
//! then it is the message's blob and belongs to the log. What a crash leaves in `drafts/` is swept at the next start.

use super::budget::{Budget, Share};
use super::fault::StoreFault;
use super::place::{Place, unguessable};
use crate::disk::{File, Files};
use crate::mail::Blob;
use bytes::Bytes;
use std::any::Any;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Where drafts of one spool go.
pub(super) struct Desk {
    pub(super) files: Arc<dyn Files>,
    pub(super) place: Place,
    /// More octets than this go to a file.
    pub(super) memory_max: usize,
}

/// Octets being received. Written from one task; dropped without [`Draft::finish`], it leaves nothing.
pub struct Draft {
    state: State,
    len: u64,
    desk: Option<Arc<Desk>>,
}

enum State {
    Memory(Vec<u8>, Share),
    File(Arc<DraftFile>, crc32fast::Hasher),
    Broken(StoreFault),
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Draft {
    /// An empty draft. Without a desk it stays in memory.
    pub(super) fn new(budget: &Arc<Budget>, desk: Option<Arc<Desk>>) -> Self {
        Self { state: State::Memory(Vec::new(), budget.share()), len: 0, desk }
    }

    /// Adds octets. Never waits for the disk, though it may hand it the octets. After a fault every call gives it again.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), StoreFault> {
        self.spill_if_large(octets.len())?;
        let written = match &mut self.state {
            State::Memory(held, _) => {
                held.extend_from_slice(octets);
                Ok(())
            }
            State::File(file, crc) => {
                crc.update(octets);
                file.file.write_at(self.len, octets).map_err(|e| file.fault("write", &e))
            }
            State::Broken(fault) => return Err(fault.clone()),
        };
        match written {
            Ok(()) => self.len += octets.len() as u64,
            Err(ref fault) => self.state = State::Broken(fault.clone()),
        }
        written
    }

    fn spill_if_large(&mut self, more: usize) -> Result<(), StoreFault> {
        let (State::Memory(held, share), Some(desk)) = (&mut self.state, &self.desk) else { return Ok(()) };
        let len = held.len() + more;
        if len <= desk.memory_max && share.grow_to(len) {
            return Ok(());
        }
        self.spill()
    }

    /// Goes on in a file.
    pub(super) fn spill(&mut self) -> Result<(), StoreFault> {
        let (State::Memory(held, _), Some(desk)) = (&self.state, &self.desk) else { return Ok(()) };
        let made = DraftFile::create(desk.clone()).and_then(|file| {
            file.file.write_at(0, held).map_err(|e| file.fault("write", &e))?;
            Ok(file)
        });
        match made {
            Ok(file) => {
                let mut crc = crc32fast::Hasher::new();
                crc.update(held);
                self.state = State::File(Arc::new(file), crc);
                Ok(())
            }
            Err(fault) => {
                self.state = State::Broken(fault.clone());
                Err(fault)
            }
        }
    }

    /// Octets so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The octets, to be read from here on: by sinks before the commit, by the commit, and by whoever delivers at once.
    pub fn finish(self) -> Result<Arc<dyn Blob>, StoreFault> {
        match self.state {
            State::Memory(octets, share) => Ok(Arc::new(InMemory { octets: octets.into(), _share: share })),
            State::File(file, crc) => Ok(Arc::new(InFile { file, len: self.len, crc: crc.finalize() })),
            State::Broken(fault) => Err(fault),
        }
    }
}

struct InMemory {
    octets: Bytes,
    _share: Share,
}

impl Blob for InMemory {
    fn len(&self) -> u64 {
        Blob::len(&self.octets)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.octets.read_at(offset, buf)
    }
    fn as_bytes(&self) -> Option<&Bytes> {
        Some(&self.octets)
    }
}

/// A finished draft that lies in a file.
pub(super) struct InFile {
    pub(super) file: Arc<DraftFile>,
    pub(super) len: u64,
    /// CRC-32 of all of it.
    pub(super) crc: u32,
}

impl Blob for InFile {
    fn len(&self) -> u64 {
        self.len
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.file.read_at(offset, buf)
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// A draft's file, and whose it is.
pub(super) struct DraftFile {
    desk: Arc<Desk>,
    pub(super) file: Arc<dyn File>,
    pub(super) name: u64,
    stage: Mutex<Stage>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// In `drafts/`, ours to remove.
    Draft,
    /// Durable and in `blobs/`, but in no record yet: still ours to remove.
    Staged,
    /// A message's.
    Kept,
}

impl DraftFile {
    fn create(desk: Arc<Desk>) -> Result<Self, StoreFault> {
        let name = unguessable();
        let path = desk.place.draft(name);
        let made = desk.files.create(&path, 0o600);
        let file = made.map_err(|e| StoreFault::io(format_args!("create {}", path.display()), &e))?;
        Ok(Self { desk, file, name, stage: Mutex::new(Stage::Draft) })
    }

    /// Makes the octets durable and moves them to `blobs/`, once. Waits for the disk.
    pub(super) fn stage(&self) -> Result<(), StoreFault> {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if *stage != Stage::Draft {
            return Ok(());
        }
        self.file.sync_data().map_err(|e| self.fault("sync", &e))?;
        let Desk { files, place, .. } = &*self.desk;
        files.rename(&place.draft(self.name), &place.blob(self.name)).map_err(|e| self.fault("rename", &e))?;
        *stage = Stage::Staged;
        files.sync_dir(&place.blobs()).map_err(|e| self.fault("sync the directory of", &e))
    }

    /// A durable record names it: from now on it is the log's to remove.
    pub(super) fn keep(&self) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Stage::Kept;
    }

    /// Whether it is on its way into a first record.
    pub(super) fn is_staged(&self) -> bool {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) == Stage::Staged
    }

    fn fault(&self, what: &str, error: &io::Error) -> StoreFault {
        StoreFault::io(format_args!("{what} {}", self.desk.place.draft(self.name).display()), error)
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        let path: PathBuf = match *self.stage.lock().unwrap_or_else(PoisonError::into_inner) {
            Stage::Draft => self.desk.place.draft(self.name),
            Stage::Staged => self.desk.place.blob(self.name),
            Stage::Kept => return,
        };
        if let Err(error) = self.desk.files.remove(&path) {
            tracing::warn!(path = %path.display(), %error, "can't remove a draft; the next start will");
        }
    }
}
