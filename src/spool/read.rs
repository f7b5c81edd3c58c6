//! Reading entries back: the head of the frame that accepted a message, folded with those that changed it since.

use super::body::Part;
use super::fault::StoreFault;
use super::frame::HEADER;
use super::index::{At, Index};
use super::record::Entry;
use super::stored::StoredContent;
use super::unit::{AcceptHead, change, parse, paste};
use crate::disk::File;
use crate::mail::Id;
use bytes::Bytes;
use std::fmt;
use std::io;
use std::sync::Arc;

/// A frame that can't be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) at: At,
    pub(super) defect: Defect,
}

/// What is wrong with it. The texts are for people.
#[derive(Debug)]
pub(super) enum Defect {
    /// Its octets are not those that were written.
    Damaged(String),
    /// They are, and say nothing that is understood.
    Senseless(String),
    /// The disk does not give them at present.
    Disk(StoreFault),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) | Self::Senseless(why) => f.write_str(why),
            Self::Disk(fault) => fault.fmt(f),
        }
    }
}

impl Unreadable {
    /// What it means for whoever wants this message.
    pub(super) fn fault(self, id: Id) -> StoreFault {
        match self.defect {
            Defect::Damaged(why) | Defect::Senseless(why) => StoreFault::Damaged(id, why),
            Defect::Disk(fault) => fault,
        }
    }
}

/// Octets of a message and where they lie, as the frame that accepted it says.
pub(super) struct Accepted {
    pub(super) entry: Entry,
    pub(super) len: u64,
    pub(super) layout: Option<Vec<Part>>,
}

/// Reads the head of a frame and checks it.
pub(super) fn head(file: &dyn File, at: At) -> Result<Bytes, Unreadable> {
    let bad = |defect| Unreadable { at, defect };
    let octets = file.read_vec(at.offset + HEADER, at.head_len.into()).map_err(|error| {
        bad(match error.kind() {
            // The file is shorter than it was.
            io::ErrorKind::UnexpectedEof => Defect::Damaged("it is cut off".into()),
            _ => Defect::Disk(StoreFault::io(format_args!("read {file:?}"), &error)),
        })
    })?;
    if crc32fast::hash(&octets) != at.head_crc {
        return Err(bad(Defect::Damaged("the checksum of its head is wrong".into())));
    }
    Ok(octets.into())
}

/// Reads the frame that accepted a message; `body_len` are the octets of the frame's body.
pub(super) fn accepted(file: &dyn File, id: Id, at: At, body_len: u32) -> Result<Accepted, Unreadable> {
    let bad = |why| Unreadable { at, defect: Defect::Senseless(why) };
    let (AcceptHead { mut entry, layout, pieces }, inline) =
        parse::<AcceptHead<Entry>>(&head(file, at)?).map_err(bad)?;
    if entry.id != id {
        return Err(Unreadable { at, defect: Defect::Damaged(format!("it is that of message {}", entry.id)) });
    }
    let sum = |parts: &Vec<Part>| parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.len()));
    let len = layout.as_ref().map_or(Some(u64::from(body_len)), sum);
    let len = len.ok_or_else(|| bad("its parts are too long".into()))?;
    entry.content = match pieces {
        Some(cuts) => paste(entry.id, cuts, inline).map_err(bad)?,
        None => StoredContent::whole(entry.id, len),
    };
    entry.level();
    Ok(Accepted { entry, len, layout })
}

/// Applies the frame that changed a message.
pub(super) fn apply(file: &dyn File, at: At, entry: &mut Entry) -> Result<(), Unreadable> {
    let bad = |why| Unreadable { at, defect: Defect::Senseless(why) };
    if let Some(change) = change(at.kind, entry.id, &head(file, at)?).map_err(bad)? {
        entry.apply(change);
    }
    Ok(())
}

/// A message's frames, taken out of the index, so that they can be read without holding it.
pub(super) struct Trail {
    id: Id,
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
        Some(Self { id, at: slot.at, body_len: slot.body_len, file: file(slot.at.segment)?, changes })
    }

    /// The entry as it stands.
    pub(super) fn read(&self) -> Result<Entry, Unreadable> {
        let mut entry = accepted(&*self.file, self.id, self.at, self.body_len)?.entry;
        for (file, at) in &self.changes {
            apply(&**file, *at, &mut entry)?;
        }
        Ok(entry)
    }
}
