//! The thread that does what a commit should not wait for: it makes the next segment ahead of time, seals full ones, and
//! removes what nothing needs any more.
//!
//! Segments are removed one by one, each durably, from the oldest on: if a newer one went first and the power with it,
//! what it said about older ones would be forgotten. What can't be removed is tried again at the next chore.

use super::fault::StoreFault;
use super::place::Place;
use super::segment::{Active, discard, prepare};
use crate::disk::{File, Files};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Something to do.
pub(super) enum Chore {
    /// Make a segment of this number and capacity.
    Prepare(u64, u64),
    /// Write this at the end of a segment's frames and cut off the rest.
    Seal(Arc<dyn File>, u64, Vec<u8>),
    /// Remove this segment, the oldest.
    Unlink(PathBuf),
    /// Remove this file in `blobs/`.
    Remove(PathBuf),
}

/// The thread's other end, in the committer's hands. Dropping it waits until all chores are done.
pub(super) struct Keeper {
    files: Arc<dyn Files>,
    place: Place,
    capacity: u64,
    next_number: u64,
    /// A segment is being made.
    waiting: bool,
    chores: Option<Sender<Chore>>,
    made: Receiver<Result<Active, StoreFault>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread and has the segment `next_number` made. Segments have this capacity, in octets.
    pub(super) fn start(files: Arc<dyn Files>, place: Place, capacity: u64, next_number: u64) -> io::Result<Self> {
        let (chores, todo) = channel();
        let (done, made) = channel();
        let worker = Worker { files: files.clone(), place: place.clone(), doomed: VecDeque::new(), done };
        let thread = std::thread::Builder::new().name("spool-keeper".into()).spawn(move || worker.run(&todo))?;
        let (chores, thread) = (Some(chores), Some(thread));
        let mut keeper = Self { files, place, capacity, next_number, waiting: false, chores, made, thread };
        keeper.order();
        Ok(keeper)
    }

    /// Something to be done in time.
    pub(super) fn ask(&self, chore: Chore) {
        if let Some(chores) = &self.chores {
            // The thread ends only after this end is dropped.
            let _ = chores.send(chore);
        }
    }

    fn order(&mut self) {
        self.ask(Chore::Prepare(self.next_number, self.capacity));
        self.next_number += 1;
        self.waiting = true;
    }

    /// The segment that was made ahead, if it was.
    fn made(&mut self) -> Option<Result<Active, StoreFault>> {
        std::mem::take(&mut self.waiting).then(|| self.made.recv().unwrap_or(Err(StoreFault::stopped())))
    }

    /// The next segment, with room for `need` octets. Waits if it is not made yet, and tries once more if making it
    /// failed: that may have been long ago.
    pub(super) fn next(&mut self, need: u64) -> Result<Active, StoreFault> {
        let ahead = self.made();
        let segment = match ahead {
            Some(Ok(segment)) if segment.capacity >= need => segment,
            other => {
                if let Some(Ok(small)) = other {
                    discard(&*self.files, &small.path);
                }
                self.next_number += 1;
                prepare(&*self.files, &self.place, self.next_number - 1, need.max(self.capacity))?
            }
        };
        self.order();
        Ok(segment)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(Ok(unused)) = self.made() {
            discard(&*self.files, &unused.path);
        }
        self.chores = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the spool's keeper thread has panicked");
        }
    }
}

struct Worker {
    files: Arc<dyn Files>,
    place: Place,
    doomed: VecDeque<PathBuf>,
    done: Sender<Result<Active, StoreFault>>,
}

impl Worker {
    fn run(mut self, chores: &Receiver<Chore>) {
        for chore in chores {
            match chore {
                Chore::Prepare(number, capacity) => {
                    let made = prepare(&*self.files, &self.place, number, capacity);
                    // The other end goes only when the committer ends.
                    let _ = self.done.send(made);
                }
                Chore::Seal(file, at, octets) => {
                    if let Err(error) = seal(&*file, at, &octets) {
                        tracing::warn!(?file, %error, "can't seal a segment; the next start will have to scan it");
                    }
                }
                Chore::Unlink(path) => self.doomed.push_back(path),
                Chore::Remove(path) => {
                    if let Err(error) = self.files.remove(&path) {
                        tracing::warn!(path = %path.display(), %error, "can't remove a message's file; the next start will");
                    }
                }
            }
            self.unlink();
        }
    }

    fn unlink(&mut self) {
        while let Some(path) = self.doomed.front() {
            let removed = match self.files.remove(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                _ => self.files.sync_dir(&self.place.log()),
            };
            if let Err(error) = removed {
                tracing::warn!(path = %path.display(), %error, "can't remove a segment, will try again");
                return;
            }
            self.doomed.pop_front();
        }
    }
}

fn seal(file: &dyn File, at: u64, octets: &[u8]) -> io::Result<()> {
    file.write_at(at, octets)?;
    file.truncate(at + octets.len() as u64)?;
    file.sync_data()
}
