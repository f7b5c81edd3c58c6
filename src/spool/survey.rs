//! The first look at what is there: as much as has to be known before anything new is accepted.
//!
//! Which segments there are, what their indexes say, and how far ids have come. No body is read of a sealed segment, and no head:
//! that is [`super::recover`]'s, while new mail comes in already.

use super::fault::StoreFault;
use super::index::{Index, Segment};
use super::place::{Place, parse_file_name};
use super::scan::{Damage, scan};
use super::segment::{Found, Name, read_index};
use crate::disk::{File, Files, dirs};
use crate::mail::Id;
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What was there.
pub(super) struct Survey {
    pub(super) segments: BTreeMap<u64, Loaded>,
    /// Files in `blobs/`.
    pub(super) blobs: HashSet<u64>,
    /// Names in `drafts/`, which nobody writes to any more.
    pub(super) drafts: Vec<String>,
}

/// A segment as it was found.
pub(super) struct Loaded {
    pub(super) name: Name,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn File>,
    pub(super) size: u64,
    pub(super) frames: Vec<Found>,
    pub(super) damage: Vec<Damage>,
    /// Every octet of the frames was checked, not only the index.
    pub(super) scanned: bool,
    /// Damage that could not be put aside.
    pub(super) stays: bool,
}

impl Survey {
    /// Looks. Makes the directories that are missing.
    pub(super) fn take(files: &dyn Files, place: &Place) -> Result<Self, StoreFault> {
        let fault = |e| StoreFault::io(format_args!("look at {}", place.root().display()), &e);
        for dir in [place.log(), place.blobs(), place.drafts(), place.quarantine()] {
            let made = dirs::make(files, &dir);
            made.map_err(|(path, error)| StoreFault::io(format_args!("make {}", path.display()), &error))?;
        }
        // Those that are there may be what a crash has left unsynced.
        for dir in [place.root(), dirs::parent(place.root())] {
            files.sync_dir(dir).map_err(fault)?;
        }
        let mut segments = BTreeMap::new();
        for name in names(files, place)? {
            segments.insert(name.number, Loaded::open(files, place, name).map_err(fault)?);
        }
        let blobs = files.list(&place.blobs()).map_err(fault)?;
        let blobs = blobs.iter().filter_map(|name| parse_file_name(name)).collect();
        Ok(Self { segments, blobs, drafts: files.list(&place.drafts()).map_err(fault)? })
    }

    /// For the next segment.
    pub(super) fn next_number(&self) -> u64 {
        self.segments.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// The newest id that any record is about.
    pub(super) fn newest(&self) -> Id {
        let frames = self.segments.values().flat_map(|segment| &segment.frames);
        frames.map(|found| found.header.id).max().unwrap_or(Id(0))
    }

    /// An index in which the segments stand, each to stay until it is known what it is needed for.
    pub(super) fn index(&self) -> Index {
        let mut index = Index::default();
        for (number, Loaded { file, path, size, .. }) in &self.segments {
            let (file, path) = (file.clone(), path.clone());
            index.add_segment(*number, Segment { file, path, size: *size, pinned: true, live: HashSet::new() });
        }
        index
    }
}

/// The segments in their order.
fn names(files: &dyn Files, place: &Place) -> Result<Vec<Name>, StoreFault> {
    let listed = files.list(&place.log()).map_err(|e| StoreFault::io("list the log", &e))?;
    let mut names = Vec::new();
    for text in listed {
        match Name::parse(&text) {
            Some(name) => names.push(name),
            None if text.contains(".seg") => {
                let path = place.log().join(&text);
                return Err(StoreFault::Misuse(format!(
                    "{} is of a format that this version does not know; start the version that wrote it, or move it away",
                    path.display()
                )));
            }
            None => tracing::warn!(file = text, "a file in the spool's log is no segment and is left alone"),
        }
    }
    names.sort_unstable();
    Ok(names)
}

impl Loaded {
    fn open(files: &dyn Files, place: &Place, name: Name) -> io::Result<Self> {
        let path = place.log().join(name.to_string());
        let file = files.open(&path)?;
        let size = file.len()?;
        let (damage, stays) = (Vec::new(), false);
        if let Some(frames) = read_index(&*file, name.marker) {
            return Ok(Self { name, path, file, size, frames, damage, scanned: false, stays });
        }
        let mut loaded = Self { name, path, file, size, frames: Vec::new(), damage, scanned: false, stays };
        loaded.rescan()?;
        Ok(loaded)
    }

    /// Scans the segment. What is found may so far only be in memory: it must not be lost once it was acted upon.
    pub(super) fn rescan(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let scan = scan(&self.file.read_vec(0, self.size)?, self.name.marker);
        (self.frames, self.damage, self.scanned) = (scan.frames, scan.damage, true);
        Ok(())
    }
}
