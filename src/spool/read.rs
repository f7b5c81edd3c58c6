//! Reading entries back: the head of the frame that accepted a message, folded with those that changed it since.

use super::body::Part;
use super::file::File;
use super::frame::HEADER;
use super::index::{At, Index};
use super::record::Entry;
use super::stored::StoredContent;
use super::unit::{AcceptHead, change, parse, paste};
use crate::mail::Id;
use bytes::Bytes;
use std::sync::Arc;

/// A frame that can't be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) at: At,
    /// Its octets are not those that were written; else they are, and say nothing that is understood.
    pub(super) damaged: bool,
    /// For people.
    pub(super) why: String,
}

/// Octets of a message and where they lie, as the frame that accepted it says.
pub(super) struct Accepted {
    pub(super) entry: Entry,
    pub(super) len: u64,
    pub(super) layout: Option<Vec<Part>>,
}

/// Reads the head of a frame and checks it.
pub(super) fn head(file: &dyn File, at: At) -> Result<Bytes, Unreadable> {
    let bad = |why| Unreadable { at, damaged: true, why };
    let octets = file.read_vec(at.offset + HEADER, at.head_len.into()).map_err(|e| bad(e.to_string()))?;
    if crc32fast::hash(&octets) != at.head_crc {
        return Err(bad("the checksum of its head is wrong".into()));
    }
    Ok(octets.into())
}

/// Reads the frame that accepted a message; `body_len` are the octets of the frame's body.
pub(super) fn accepted(file: &dyn File, at: At, body_len: u32) -> Result<Accepted, Unreadable> {
    let bad = |why| Unreadable { at, damaged: false, why };
    let (AcceptHead { mut entry, layout, pieces }, inline) =
        parse::<AcceptHead<Entry>>(&head(file, at)?).map_err(bad)?;
    let len = layout.as_ref().map_or(u64::from(body_len), |parts| parts.iter().map(Part::len).sum());
    entry.content = match pieces {
        Some(cuts) => paste(entry.id, cuts, inline).map_err(bad)?,
        None => StoredContent::whole(entry.id, len),
    };
    entry.level();
    Ok(Accepted { entry, len, layout })
}

/// Applies the frame that changed a message.
pub(super) fn apply(file: &dyn File, at: At, entry: &mut Entry) -> Result<(), Unreadable> {
    let bad = |why| Unreadable { at, damaged: false, why };
    if let Some(change) = change(at.kind, entry.id, &head(file, at)?).map_err(bad)? {
        entry.apply(change);
    }
    Ok(())
}

/// A message's frames, taken out of the index, so that they can be read without holding it.
pub(super) struct Trail {
    at: At,
    body_len: u32,
    file: Arc<dyn File>,
    changes: Vec<(Arc<dyn File>, At)>,
}

impl Trail {
    /// The frames of a message; none if it is not there.
    pub(super) fn of(index: &Index, id: Id) -> Option<Self> {
        let slot = index.slot(id)?;
        let file = |segment| index.file(segment).cloned();
        let changes = slot.changes.iter().map(|at| Some((file(at.segment)?, *at)));
        let changes = changes.collect::<Option<Vec<_>>>()?;
        Some(Self { at: slot.at, body_len: slot.body_len, file: file(slot.at.segment)?, changes })
    }

    /// The entry as it stands.
    pub(super) fn read(&self) -> Result<Entry, Unreadable> {
        let mut entry = accepted(&*self.file, self.at, self.body_len)?.entry;
        for (file, at) in &self.changes {
            apply(&**file, *at, &mut entry)?;
        }
        Ok(entry)
    }
}
