//! Content as the spool names it: pieces of the octets with which a message was accepted, and new ones.
//!
//! The octets of an `Accept` are a message's blob for as long as the message lives, wherever the store moves them.
//! An edit names ranges of that blob and the octets it put between them; it copies nothing.

use crate::mail::{Blob, Content, Id, Piece};
use bytes::Bytes;
use std::any::Any;
use std::io;
use std::sync::Arc;

/// A message's octets. [`super::Spool::open`] makes them readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredContent {
    id: Id,
    pieces: Vec<Piece>,
}

/// Of no message, empty.
impl Default for StoredContent {
    fn default() -> Self {
        Self { id: Id(0), pieces: Vec::new() }
    }
}

impl StoredContent {
    /// The `len` octets with which the message `id` was accepted.
    pub fn whole(id: Id, len: u64) -> Self {
        Self { id, pieces: vec![Piece::Blob(0..len)] }
    }

    /// An edited content of the message `id`: what lies in the message's blob, as [`super::Spool::open`] gave it,
    /// stays a range of it; anything else is read and kept inline.
    pub fn keep(id: Id, content: &Content) -> io::Result<Self> {
        let own = content.blob().as_any().and_then(|b| b.downcast_ref::<Opened>()).is_some_and(|b| b.id == id);
        let pieces = content.pieces().iter().filter(|p| !p.is_empty()).map(|piece| match piece {
            Piece::Blob(range) if !own => {
                let alone = Content::of(content.blob().clone(), vec![Piece::Blob(range.clone())]);
                alone.to_bytes().map(Piece::Inline)
            }
            piece => Ok(piece.clone()),
        });
        Ok(Self { id, pieces: pieces.collect::<io::Result<_>>()? })
    }

    pub(super) fn of_pieces(id: Id, pieces: Vec<Piece>) -> Self {
        Self { id, pieces }
    }

    /// The message whose blob the ranges are of.
    pub fn id(&self) -> Id {
        self.id
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
}

/// The blob of a stored message, as an implementation of the spool opens it.
pub(super) struct Opened {
    pub(super) id: Id,
    pub(super) blob: Arc<dyn Blob>,
}

impl Opened {
    /// The content that `stored` describes, over this message's blob.
    pub(super) fn content(self, stored: &StoredContent) -> Content {
        Content::of(Arc::new(self), stored.pieces.clone())
    }
}

impl Blob for Opened {
    fn len(&self) -> u64 {
        self.blob.len()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.blob.read_at(offset, buf)
    }
    fn as_bytes(&self) -> Option<&Bytes> {
        self.blob.as_bytes()
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_one_s_own_blob_are_kept_and_those_of_others_are_read() {
        let opened = Opened { id: Id(1), blob: Arc::new(Bytes::from_static(b"0123456789")) };
        let edited = opened.content(&StoredContent::whole(Id(1), 10)).slice(2..5).prepend("new".into());
        let own = StoredContent::keep(Id(1), &edited).unwrap();
        assert_eq!(own.pieces(), [Piece::Inline("new".into()), Piece::Blob(2..5)]);
        let other = StoredContent::keep(Id(2), &edited).unwrap();
        assert_eq!(other.pieces(), [Piece::Inline("new".into()), Piece::Inline("234".into())]);
        assert_eq!((own.len(), other.len()), (6, 6));
    }
}
