//! Segments: the files of the log, made and synced before they are used, so that a commit syncs data and no metadata.
//!
//! A segment's name is its number, which is its place in the order of the log, and its marker. It is full of zeros when
//! made; frames fill it from the start; when it is sealed, copies of all its headers and a trailer follow and the rest
//! is cut off. A sealed segment is read at a restart by this index alone; one without (the last one before a crash, or
//! one that failed) is scanned.

use super::fault::StoreFault;
use super::frame::{HEADER, Header, u32_at, u64_at};
use super::place::{Place, unguessable};
use super::unit::Batch;
use crate::disk::{File, Files};
use std::path::PathBuf;
use std::sync::Arc;

/// Octets that a frame takes in the index: its offset and a copy of its header.
pub(super) const INDEX_ENTRY: u64 = 8 + HEADER;
const TRAILER: u64 = 32;
const SEALED: u64 = u64::from_le_bytes(*b"SLUICEIX");
const SUFFIX: &str = ".seg1";

/// A segment's name: `<number>-<marker>.seg1`. The 1 is the version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) number: u64,
    pub(super) marker: u64,
}

impl Name {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, marker) = text.strip_suffix(SUFFIX)?.split_once('-')?;
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        Some(Self { number: hex(number)?, marker: hex(marker)? })
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}-{:016x}{SUFFIX}", self.number, self.marker)
    }
}

/// A segment that frames are written to.
pub(super) struct Active {
    pub(super) name: Name,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn File>,
    pub(super) capacity: u64,
    /// Where the next frame goes.
    end: u64,
    /// Batches so far.
    batches: u64,
    index: Vec<u8>,
}

/// Batches encoded one behind the other, to be written and synced at once.
#[derive(Default)]
pub(super) struct Group {
    octets: Vec<u8>,
    index: Vec<u8>,
    /// The batches, and where the frames of each begin.
    pub(super) batches: Vec<(Batch, Vec<u64>)>,
}

impl Group {
    /// Octets of its frames.
    pub(super) fn len(&self) -> u64 {
        self.octets.len() as u64
    }
}

/// Makes a segment: full of zeros, durable, its name too. Removes what it made if that fails.
pub(super) fn prepare(files: &dyn Files, place: &Place, number: u64, capacity: u64) -> Result<Active, StoreFault> {
    static ZEROS: [u8; 256 * 1024] = [0; 256 * 1024];
    let name = Name { number, marker: unguessable() };
    let path = place.log().join(name.to_string());
    let fault = |e| StoreFault::io(format_args!("make {}", path.display()), &e);
    let file = files.create(&path, 0o600).map_err(fault)?;
    let filled = (|| {
        let mut at = 0;
        while at < capacity {
            let len = (capacity - at).min(ZEROS.len() as u64);
            file.write_at(at, &ZEROS[..len as usize])?;
            at += len;
        }
        file.sync_data()?;
        files.sync_dir(&place.log())
    })();
    if let Err(error) = filled {
        discard(files, &path);
        return Err(fault(error));
    }
    Ok(Active { name, path, file, capacity, end: 0, batches: 0, index: Vec::new() })
}

/// Removes a segment that nothing was kept in.
pub(super) fn discard(files: &dyn Files, path: &std::path::Path) {
    if let Err(error) = files.remove(path) {
        tracing::warn!(path = %path.display(), %error, "can't remove an unused segment; the next start will");
    }
}

/// The capacity that a segment needs to hold a batch of this size.
pub(super) fn capacity_for(size: u64) -> u64 {
    size + TRAILER
}

impl Active {
    /// Whether a batch of this size goes in behind the group.
    pub(super) fn fits(&self, group: &Group, size: u64) -> bool {
        let used = self.end + (self.index.len() + group.octets.len() + group.index.len()) as u64;
        used + capacity_for(size) <= self.capacity
    }

    /// The number under which the first batch of the next group goes.
    pub(super) fn next_seq(&self) -> u64 {
        (self.name.number << 32) + self.batches
    }

    /// Adds a batch to a group that is to be written here.
    pub(super) fn place(&self, group: &mut Group, batch: Batch) {
        let seq = self.next_seq() + group.batches.len() as u64;
        let mut offsets = Vec::with_capacity(batch.units.len());
        for (part, unit) in batch.units.iter().enumerate() {
            let offset = self.end + group.octets.len() as u64;
            let header = unit.header(seq, part as u16, part + 1 == batch.units.len());
            group.octets.extend_from_slice(&header.encode(self.name.marker));
            group.octets.extend_from_slice(&unit.head);
            unit.body.iter().for_each(|octets| group.octets.extend_from_slice(octets));
            group.index.extend_from_slice(&offset.to_le_bytes());
            group.index.extend_from_slice(&header.encode(in_index(self.name.marker)));
            offsets.push(offset);
        }
        group.batches.push((batch, offsets));
    }

    /// Writes a group and makes it durable. After an error the segment must not be written to again.
    pub(super) fn write(&mut self, group: &mut Group) -> Result<(), StoreFault> {
        let fault = |what, e| StoreFault::io(format_args!("{what} {}", self.path.display()), &e);
        self.file.write_at(self.end, &group.octets).map_err(|e| fault("write", e))?;
        self.file.sync_data().map_err(|e| fault("sync", e))?;
        self.end += group.octets.len() as u64;
        self.batches += group.batches.len() as u64;
        self.index.append(&mut group.index);
        Ok(())
    }

    /// What follows the frames of a sealed segment, and where.
    pub(super) fn seal(&self) -> (u64, Vec<u8>) {
        let mut octets = self.index.clone();
        let mut trailer = Vec::with_capacity(TRAILER as usize);
        trailer.extend_from_slice(&(SEALED ^ self.name.marker).to_le_bytes());
        trailer.extend_from_slice(&self.end.to_le_bytes());
        trailer.extend_from_slice(&(self.index.len() as u64).to_le_bytes());
        trailer.extend_from_slice(&crc32fast::hash(&self.index).to_le_bytes());
        trailer.extend_from_slice(&crc32fast::hash(&trailer).to_le_bytes());
        octets.extend_from_slice(&trailer);
        (self.end, octets)
    }
}

/// A frame and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) offset: u64,
    pub(super) header: Header,
}

/// The frames of a sealed segment by its index; none if it has no index that checks out.
pub(super) fn read_index(file: &dyn File, marker: u64) -> Option<Vec<Found>> {
    let len = file.len().ok()?;
    let trailer = file.read_vec(len.checked_sub(TRAILER)?, TRAILER).ok()?;
    let (end, index_len) = (u64_at(&trailer, 8)?, u64_at(&trailer, 16)?);
    if u64_at(&trailer, 0)? != SEALED ^ marker || u32_at(&trailer, 28)? != crc32fast::hash(&trailer[..28]) {
        return None;
    }
    let index = file.read_vec(end, index_len).ok()?;
    if u32_at(&trailer, 24)? != crc32fast::hash(&index) {
        return None;
    }
    let frames: Option<Vec<Found>> =
        index.chunks(INDEX_ENTRY as usize).map(|octets| index_entry(octets, marker)).collect();
    frames.filter(|frames| covers(frames, end))
}

/// Whether the frames lie one behind the other, from the start to the end, in whole batches: an index that leaves something out or
/// names it elsewhere is none.
fn covers(frames: &[Found], end: u64) -> bool {
    let mut at = 0_u64;
    let mut part = 0_u16;
    let mut seq = frames.first().map_or(0, |first| first.header.seq);
    for Found { offset, header } in frames {
        if *offset != at || header.part != part || header.seq != seq {
            return false;
        }
        at = at.saturating_add(header.len());
        (seq, part) = if header.last { (seq.wrapping_add(1), 0) } else { (seq, part.wrapping_add(1)) };
    }
    at == end && part == 0
}

/// Reads an entry of an index.
pub(super) fn index_entry(octets: &[u8], marker: u64) -> Option<Found> {
    Some(Found { offset: u64_at(octets, 0)?, header: Header::decode(in_index(marker), octets.get(8..)?)? })
}

/// The marker of headers in an index: another one, so that a scan does not take them for frames.
fn in_index(marker: u64) -> u64 {
    !marker
}
