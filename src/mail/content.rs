//! The octets of a message: pieces of one immutable blob, and inline ones.
//!
//! An edit splices pieces; it never copies the octets that it leaves alone.

use bytes::Bytes;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Immutable octets that can be read at any place: memory, a draft's file, or a range of a spool segment.
/// Reads are local and synchronous.
pub trait Blob: Send + Sync {
    /// Their number.
    fn len(&self) -> u64;
    /// Fills `buf` from `offset`. Reading past the end is an error.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
    /// The octets, where they lie in memory in one piece.
    fn as_bytes(&self) -> Option<&Bytes> {
        None
    }
    /// The blob as what it is, so that the store that made it knows it again.
    fn as_any(&self) -> Option<&dyn std::any::Any> {
        None
    }
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Blob for Bytes {
    fn len(&self) -> u64 {
        self.as_ref().len() as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
    fn as_bytes(&self) -> Option<&Bytes> {
        Some(self)
    }
}

/// A run of octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Held here.
    Inline(Bytes),
    /// This range of the blob.
    Blob(Range<u64>),
}

impl Piece {
    /// Its octets.
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Blob(range) => range.end - range.start,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A list of pieces over one blob. Cheap to clone.
#[derive(Clone)]
pub struct Content {
    blob: Arc<dyn Blob>,
    pieces: Vec<Piece>,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("pieces", &self.pieces).finish_non_exhaustive()
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self { pieces: vec![Piece::Inline(bytes)], blob: Arc::new(Bytes::new()) }
    }
}

impl Content {
    /// All of a blob.
    pub fn whole(blob: Arc<dyn Blob>) -> Self {
        let pieces = vec![Piece::Blob(0..blob.len())];
        Self { blob, pieces }
    }

    /// These pieces of a blob; ranges past its end are cut.
    pub fn of(blob: Arc<dyn Blob>, mut pieces: Vec<Piece>) -> Self {
        let len = blob.len();
        for piece in &mut pieces {
            if let Piece::Blob(range) = piece {
                range.end = range.end.min(len);
                range.start = range.start.min(range.end);
            }
        }
        Self { blob, pieces }
    }

    /// The blob that the pieces point into.
    pub fn blob(&self) -> &Arc<dyn Blob> {
        &self.blob
    }

    /// The pieces in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Octets in all.
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same with these octets in front.
    #[must_use]
    pub fn prepend(&self, octets: Bytes) -> Self {
        let mut pieces = Vec::with_capacity(self.pieces.len() + 1);
        pieces.push(Piece::Inline(octets));
        pieces.extend_from_slice(&self.pieces);
        Self { blob: self.blob.clone(), pieces }
    }

    /// The part in `range`, cut at the end.
    #[must_use]
    pub fn slice(&self, range: Range<u64>) -> Self {
        let mut at = 0;
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            let (start, end) = (at, at + piece.len());
            at = end;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                let (from, to) = (from - start, to - start);
                pieces.push(match piece {
                    Piece::Inline(bytes) => Piece::Inline(bytes.slice(from as usize..to as usize)),
                    Piece::Blob(r) => Piece::Blob(r.start + from..r.start + to),
                });
            }
        }
        Self { blob: self.blob.clone(), pieces }
    }

    /// Reads on from `offset` into `buf` and returns how many octets it got; 0 at the end.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut at = 0;
        let mut filled = 0;
        for piece in &self.pieces {
            let (start, end) = (at, at + piece.len());
            at = end;
            let from = offset + filled as u64;
            if filled == buf.len() || from >= end {
                continue;
            }
            let skip = from - start;
            let take = ((piece.len() - skip) as usize).min(buf.len() - filled);
            let target = &mut buf[filled..filled + take];
            match piece {
                Piece::Inline(bytes) => target.copy_from_slice(&bytes[skip as usize..skip as usize + take]),
                Piece::Blob(range) => self.blob.read_at(range.start + skip, target)?,
            }
            filled += take;
        }
        Ok(filled)
    }

    /// Hands the octets to `sink` in order, in chunks of bounded size.
    pub fn for_each_chunk<E: From<io::Error>>(&self, mut sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        const CHUNK: u64 = 64 * 1024;
        let mut buf = Vec::new();
        for piece in &self.pieces {
            match (piece, self.blob.as_bytes()) {
                (Piece::Inline(bytes), _) => sink(bytes)?,
                (Piece::Blob(range), Some(bytes)) => sink(&bytes[range.start as usize..range.end as usize])?,
                (Piece::Blob(range), None) => {
                    let mut at = range.start;
                    while at < range.end {
                        buf.resize((range.end - at).min(CHUNK) as usize, 0);
                        self.blob.read_at(at, &mut buf)?;
                        sink(&buf)?;
                        at += buf.len() as u64;
                    }
                }
            }
        }
        Ok(())
    }

    /// All octets in one piece: where they already lie so in memory nothing is copied, otherwise they are read once.
    pub fn contiguous(&self) -> io::Result<Bytes> {
        match (self.pieces.as_slice(), self.blob.as_bytes()) {
            ([], _) => Ok(Bytes::new()),
            ([Piece::Blob(range)], Some(bytes)) => Ok(bytes.slice(range.start as usize..range.end as usize)),
            _ => self.to_bytes(),
        }
    }

    /// All octets in one buffer. For what is known to be small.
    pub fn to_bytes(&self) -> io::Result<Bytes> {
        if let [Piece::Inline(bytes)] = self.pieces.as_slice() {
            return Ok(bytes.clone());
        }
        let mut out = Vec::with_capacity(self.len() as usize);
        self.for_each_chunk(|chunk| {
            out.extend_from_slice(chunk);
            Ok::<_, io::Error>(())
        })?;
        Ok(out.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        let blob: Arc<dyn Blob> = Arc::new(Bytes::from_static(b"0123456789"));
        Content::of(
            blob,
            vec![Piece::Inline("ab".into()), Piece::Blob(2..5), Piece::Inline("cd".into()), Piece::Blob(8..99)],
        )
    }

    #[test]
    fn every_slice_and_read_is_the_slice_of_the_whole() {
        let whole = content().to_bytes().unwrap();
        assert_eq!(&whole[..], b"ab234cd89");
        for from in 0..=whole.len() {
            for to in from..=whole.len() {
                let slice = content().slice(from as u64..to as u64);
                assert_eq!(slice.to_bytes().unwrap(), whole[from..to]);
                let mut buf = vec![0; to - from];
                assert_eq!(content().read_at(from as u64, &mut buf).unwrap(), to - from);
                assert_eq!(buf, whole[from..to]);
            }
        }
        assert_eq!(content().contiguous().unwrap(), whole);
        assert_eq!(content().slice(2..5).contiguous().unwrap(), whole[2..5]);
        assert_eq!(content().read_at(9, &mut [0; 4]).unwrap(), 0);
        assert_eq!(&content().prepend("x".into()).to_bytes().unwrap()[..3], b"xab");
    }
}
