//! Where a message's octets lie: in the frame that accepted it, and for large ones in files of their own.
//!
//! A layout lists the parts in order. Whoever reads sees one blob. A large file may be named by several messages, as
//! when one is split in two; the index counts that.

use super::draft::{Draft, DraftFile, InFile};
use super::fault::StoreFault;
use super::place::{Place, file_name, parse_file_name};
use super::stored::Opened;
use crate::disk::{File, Files};
use crate::mail::{Blob, Content, Piece};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// One part of a message's octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    /// So many octets of the frame's body, from where the last such part ended.
    Log(u64),
    /// A range of a file in `blobs/`.
    File(Slice),
}

/// A range of a file in `blobs/`, and what is known of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slice {
    #[serde(with = "hex")]
    pub(super) name: u64,
    pub(super) from: u64,
    pub(super) len: u64,
    /// Octets of the whole file.
    pub(super) size: u64,
    /// CRC-32 of the whole file.
    pub(super) crc: u32,
}

impl Part {
    /// Its octets.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Log(len) => *len,
            Self::File(slice) => slice.len,
        }
    }
}

mod hex {
    use super::{file_name, parse_file_name};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(name: &u64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&file_name(*name))
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        let text = String::deserialize(d)?;
        parse_file_name(&text).ok_or_else(|| D::Error::custom("a blob's name has 16 hexadecimal digits"))
    }
}

/// A message's octets, ready for a frame.
#[derive(Default)]
pub(super) struct Body {
    /// What goes into the frame.
    pub(super) octets: Vec<Bytes>,
    /// None: all of it is in the frame.
    pub(super) layout: Option<Vec<Part>>,
    /// Files to be made durable first.
    pub(super) drafts: Vec<Arc<DraftFile>>,
}

impl Body {
    /// Lays out a content: what lies in files stays there.
    pub(super) fn in_place(content: &Content) -> Result<Self, StoreFault> {
        let mut body = Self { layout: Some(Vec::new()), ..Self::default() };
        for piece in content.pieces() {
            body.add(content, piece).map_err(|e| StoreFault::io("read the content", &e))?;
        }
        Ok(body)
    }

    /// Lays out a content. If it has more than `large` octets, those that lie in files stay there, and if still too many
    /// are left, all are written to a file made from `draft`.
    pub(super) fn of(content: &Content, large: u64, draft: impl FnOnce() -> Draft) -> Result<Self, StoreFault> {
        let read = |e| StoreFault::io("read the content", &e);
        if content.len() <= large {
            return Ok(Self { octets: gather(content).map_err(read)?, ..Self::default() });
        }
        let body = Self::in_place(content)?;
        if body.octets.iter().map(|o| o.len() as u64).sum::<u64>() <= large {
            return Ok(body);
        }
        let mut draft = draft();
        draft.spill()?;
        content.for_each_chunk(|chunk| draft.write(chunk).map_err(io::Error::other)).map_err(read)?;
        Self::in_place(&Content::whole(draft.finish()?))
    }

    fn add(&mut self, content: &Content, piece: &Piece) -> io::Result<()> {
        let Piece::Blob(range) = piece else { return self.add_octets(content, piece) };
        let blob = content.blob().as_any();
        if let Some(blob) = blob.and_then(|b| b.downcast_ref::<InFile>()) {
            let (name, from, len) = (blob.file.name, range.start, range.end - range.start);
            self.drafts.push(blob.file.clone());
            self.part(Part::File(Slice { name, from, len, size: blob.len, crc: blob.crc }));
            return Ok(());
        }
        let opened = blob.and_then(|b| b.downcast_ref::<Opened>()).and_then(|o| o.blob.as_any());
        let Some(scattered) = opened.and_then(|b| b.downcast_ref::<Scattered>()) else {
            return self.add_octets(content, piece);
        };
        for (run, range) in scattered.within(range.clone()) {
            match &run.slice {
                Some(slice) => {
                    let (from, len) = (slice.from + range.start, range.end - range.start);
                    self.part(Part::File(Slice { from, len, ..slice.clone() }));
                }
                None => self.octets(run.file.read_vec(run.at + range.start, range.end - range.start)?.into()),
            }
        }
        Ok(())
    }

    fn add_octets(&mut self, content: &Content, piece: &Piece) -> io::Result<()> {
        for octets in gather(&Content::of(content.blob().clone(), vec![piece.clone()]))? {
            self.octets(octets);
        }
        Ok(())
    }

    fn octets(&mut self, octets: Bytes) {
        self.part(Part::Log(octets.len() as u64));
        self.octets.push(octets);
    }

    fn part(&mut self, part: Part) {
        self.layout.get_or_insert_default().push(part);
    }
}

/// How many octets of a blob lie in the log or in memory.
pub(super) fn outside_files(blob: &Arc<dyn Blob>) -> u64 {
    let any = blob.as_any();
    if any.is_some_and(|blob| blob.is::<InFile>()) {
        return 0;
    }
    let opened = any.and_then(|b| b.downcast_ref::<Opened>()).and_then(|o| o.blob.as_any());
    match opened.and_then(|b| b.downcast_ref::<Scattered>()) {
        Some(scattered) => scattered.0.iter().filter(|run| run.slice.is_none()).map(|run| run.len).sum(),
        None => blob.len(),
    }
}

/// The octets of a content, copied only where they do not lie in memory.
fn gather(content: &Content) -> io::Result<Vec<Bytes>> {
    let octets = |piece: &Piece| match (piece, content.blob().as_bytes()) {
        (Piece::Inline(bytes), _) => Ok(bytes.clone()),
        (Piece::Blob(range), Some(bytes)) => Ok(bytes.slice(range.start as usize..range.end as usize)),
        (piece, None) => Content::of(content.blob().clone(), vec![piece.clone()]).to_bytes(),
    };
    content.pieces().iter().filter(|piece| !piece.is_empty()).map(octets).collect()
}

/// Runs of open files, read as one blob.
pub(super) struct Scattered(Vec<Run>);

struct Run {
    file: Arc<dyn File>,
    at: u64,
    len: u64,
    slice: Option<Slice>,
}

impl Scattered {
    /// Opens what a layout names; `log` and `at` are where the frame's body is.
    pub(super) fn open(
        layout: &[Part],
        (log, mut at): (Arc<dyn File>, u64),
        files: &dyn Files,
        place: &Place,
    ) -> Result<Self, StoreFault> {
        let mut runs = Vec::with_capacity(layout.len());
        for part in layout {
            runs.push(match part {
                Part::Log(len) => {
                    at += len;
                    Run { file: log.clone(), at: at - len, len: *len, slice: None }
                }
                Part::File(slice) => {
                    let path = place.blob(slice.name);
                    let file = files.open(&path);
                    let file = file.map_err(|e| StoreFault::io(format_args!("open {}", path.display()), &e))?;
                    Run { file, at: slice.from, len: slice.len, slice: Some(slice.clone()) }
                }
            });
        }
        Ok(Self(runs))
    }

    /// Reads all of the files that are named, and says what differs from what was written.
    pub(super) fn verify(&self) -> Result<(), String> {
        for run in &self.0 {
            let Some(slice) = &run.slice else { continue };
            let name = file_name(slice.name);
            let crc = checksum(&*run.file, 0, slice.size).map_err(|e| format!("can't read blobs/{name}: {e}"))?;
            if crc != slice.crc {
                return Err(format!("the checksum of blobs/{name} is wrong"));
            }
        }
        Ok(())
    }

    /// The runs that a range of the blob touches, each with the range within it.
    fn within(&self, range: Range<u64>) -> impl Iterator<Item = (&Run, Range<u64>)> {
        let mut at = 0;
        self.0.iter().filter_map(move |run| {
            let start = at;
            at += run.len;
            let (from, to) = (range.start.max(start), range.end.min(at));
            (from < to).then(|| (run, from - start..to - start))
        })
    }
}

impl Blob for Scattered {
    fn len(&self) -> u64 {
        self.0.iter().map(|run| run.len).sum()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.len());
        let mut rest = buf;
        for (run, range) in self.within(offset..end.ok_or(io::ErrorKind::UnexpectedEof)?) {
            let (now, later) = rest.split_at_mut((range.end - range.start) as usize);
            run.file.read_at(run.at + range.start, now)?;
            rest = later;
        }
        Ok(())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// The CRC-32 of a range of a file.
pub(super) fn checksum(file: &dyn File, from: u64, len: u64) -> io::Result<u32> {
    const CHUNK: u64 = 256 * 1024;
    let mut crc = crc32fast::Hasher::new();
    let mut buf = vec![0; len.min(CHUNK) as usize];
    let mut done = 0;
    while done < len {
        buf.truncate((len - done).min(CHUNK) as usize);
        file.read_at(from + done, &mut buf)?;
        crc.update(&buf);
        done += buf.len() as u64;
    }
    Ok(crc.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, Files};

    #[test]
    fn scattered_octets_read_as_one_blob() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path());
        Disk.create_dir(&place.blobs()).unwrap();
        Disk.create(&place.blob(5), 0o600).unwrap().write_at(0, b"abcdefgh").unwrap();
        let log = Disk.create(&dir.path().join("log"), 0o600).unwrap();
        log.write_at(0, b"..0123").unwrap();
        let slice = Slice { name: 5, from: 2, len: 4, size: 8, crc: crc32fast::hash(b"abcdefgh") };
        let layout = [Part::Log(1), Part::File(slice), Part::Log(3)];
        let blob = Scattered::open(&layout, (log, 2), &Disk, &place).unwrap();
        let whole = b"0cdef123";
        for from in 0..=whole.len() {
            for to in from..=whole.len() {
                let mut buf = vec![0; to - from];
                blob.read_at(from as u64, &mut buf).unwrap();
                assert_eq!(buf, whole[from..to]);
            }
        }
        assert!(blob.read_at(7, &mut [0; 2]).is_err());
        assert!(blob.read_at(u64::MAX, &mut [0; 2]).is_err());
        assert_eq!(blob.verify(), Ok(()));
        std::fs::write(place.blob(5), b"abcdefgX").unwrap();
        assert!(blob.verify().unwrap_err().contains("checksum"));
    }
}
