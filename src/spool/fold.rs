//! From the frames of a log to the messages that are there.
//!
//! Frames are taken in the order of the log: a message begins with an `Accept`, a later `Carry` takes the place of all
//! before it, changes add up, an `End` ends it. Only what living messages need is read.

use super::body::Part;
use super::fault::StoreFault;
use super::frame::Kind;
use super::index::{At, Slot};
use super::place::file_name;
use super::read::{Accepted, Defect, Unreadable, accepted, apply};
use super::recover::Stop;
use super::segment::Found;
use super::store::Outline;
use super::survey::Loaded;
use crate::mail::Id;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A message that is there.
pub(super) struct Message {
    pub(super) outline: Outline,
    pub(super) slot: Slot,
}

/// Why folding did not come to its end.
pub(super) enum Halt {
    /// The index of this segment names a frame that is damaged.
    Distrusted(u64),
    /// The disk does not give what it holds at present.
    Unreadable(StoreFault),
    /// It was told to stop.
    Stopped,
}

/// A record of a living message that says nothing that can be understood.
pub(super) struct Lost {
    pub(super) at: At,
    pub(super) id: Id,
    pub(super) why: String,
}

/// What the log says.
#[derive(Default)]
pub(super) struct Folded {
    /// In the order of their ids.
    pub(super) messages: Vec<Message>,
    pub(super) lost: Vec<Lost>,
    /// The domains of recipients that have come up.
    domains: HashSet<Arc<str>>,
}

/// The frames of one message.
struct Chain {
    begin: Found,
    segment: u64,
    changes: Vec<At>,
}

impl Found {
    /// Its head, in this segment.
    pub(super) fn at(&self, segment: u64) -> At {
        let header = &self.header;
        At { segment, offset: self.offset, head_len: header.head_len, head_crc: header.head_crc, kind: header.kind }
    }
}

/// Folds the log. `void` are, by segment, the first batches that don't count; `blobs` the files that are there.
pub(super) fn fold(
    segments: &BTreeMap<u64, Loaded>,
    void: &HashMap<u64, u64>,
    blobs: &HashSet<u64>,
    stop: &Stop,
) -> Result<Folded, Halt> {
    let mut folded = Folded::default();
    for (id, chain) in chains(segments, void) {
        if stop.is_told() {
            return Err(Halt::Stopped);
        }
        read(segments, blobs, id, chain, &mut folded)?;
    }
    Ok(folded)
}

fn chains(segments: &BTreeMap<u64, Loaded>, void: &HashMap<u64, u64>) -> BTreeMap<Id, Chain> {
    let mut chains: BTreeMap<Id, Chain> = BTreeMap::new();
    for (&segment, loaded) in segments {
        let from = void.get(&segment).copied().unwrap_or(u64::MAX);
        for found in loaded.frames.iter().filter(|found| found.header.seq < from) {
            let id = found.header.id;
            match found.header.kind {
                kind if kind.begins() => {
                    chains.insert(id, Chain { begin: *found, segment, changes: Vec::new() });
                }
                Kind::End => {
                    chains.remove(&id);
                }
                Kind::Abort => {}
                _ => {
                    if let Some(chain) = chains.get_mut(&id) {
                        chain.changes.push(found.at(segment));
                    }
                }
            }
        }
    }
    chains
}

/// Reads one message. What is unreadable in a segment known by its index only is for a scan to judge.
fn read(
    segments: &BTreeMap<u64, Loaded>,
    blobs: &HashSet<u64>,
    id: Id,
    chain: Chain,
    folded: &mut Folded,
) -> Result<(), Halt> {
    let at = chain.begin.at(chain.segment);
    let loaded = segments.get(&chain.segment).ok_or(Halt::Distrusted(chain.segment))?;
    let body_len = chain.begin.header.body_len;
    let Accepted { mut entry, len, layout } = match accepted(&*loaded.file, id, at, body_len) {
        Ok(accepted) => accepted,
        Err(unreadable) => return judge(segments, id, unreadable, folded),
    };
    if let Some(missing) = layout.iter().flatten().find_map(|part| absent(part, blobs)) {
        folded.lost.push(Lost { at, id, why: format!("the file blobs/{missing} is missing") });
        return Ok(());
    }
    let mut changes = Vec::with_capacity(chain.changes.len());
    for at in chain.changes {
        let file = &segments.get(&at.segment).ok_or(Halt::Distrusted(at.segment))?.file;
        match apply(&**file, at, &mut entry) {
            Ok(()) => changes.push(at),
            Err(unreadable) => judge(segments, id, unreadable, folded)?,
        }
    }
    let recipients = u32::try_from(entry.recipients.len()).unwrap_or(u32::MAX);
    // Files of their own are no part of a scan.
    let verified = loaded.scanned && layout.is_none();
    let (body_crc, layout) = (chain.begin.header.body_crc, layout.map(Arc::from));
    let slot = Slot { at, body_len, body_crc, len, recipients, layout, changes, verified };
    let outline = Outline::of(&entry).sharing(&mut folded.domains);
    folded.messages.push(Message { outline, slot });
    Ok(())
}

fn judge(segments: &BTreeMap<u64, Loaded>, id: Id, bad: Unreadable, folded: &mut Folded) -> Result<(), Halt> {
    let scanned = segments.get(&bad.at.segment).is_some_and(|segment| segment.scanned);
    let why = match bad.defect {
        Defect::Disk(fault) => return Err(Halt::Unreadable(fault)),
        Defect::Damaged(_) if !scanned => return Err(Halt::Distrusted(bad.at.segment)),
        Defect::Damaged(why) | Defect::Senseless(why) => why,
    };
    folded.lost.push(Lost { at: bad.at, id, why });
    Ok(())
}

fn absent(part: &Part, blobs: &HashSet<u64>) -> Option<String> {
    match part {
        Part::File(slice) if !blobs.contains(&slice.name) => Some(file_name(slice.name)),
        _ => None,
    }
}
