//! What the log holds, in memory: where each message's records are, and what each segment is still needed for.
//!
//! Segments go strictly from the oldest on. So whatever a segment says about a message in an older one (a change, an
//! end, an abort) outlives what it is about, and only messages accepted in a segment keep it. When too much of the log is
//! dead, the messages of the oldest segment are carried forward. As that happens only once the dead outweigh the living,
//! an octet of mail costs at most about one more octet written, and the log is at most about twice as large as the mail.

use super::body::Part;
use super::frame::{HEADER, Kind};
use super::health::Usage;
use super::segment::INDEX_ENTRY;
use crate::disk::File;
use crate::mail::Id;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Where a frame's head is, and its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) head_len: u32,
    pub(super) head_crc: u32,
    pub(super) kind: Kind,
}

/// A message.
#[derive(Clone)]
pub(super) struct Slot {
    /// Its `Accept` or `Carry`.
    pub(super) at: At,
    pub(super) body_len: u32,
    pub(super) body_crc: u32,
    /// Octets of its blob.
    pub(super) len: u64,
    pub(super) recipients: u32,
    /// Where its octets are; none: in the frame.
    pub(super) layout: Option<Arc<[Part]>>,
    /// What changed it since, in order.
    pub(super) changes: Vec<At>,
    /// Its octets are known to be those that were written.
    pub(super) verified: bool,
}

/// A file of the log.
pub(super) struct Segment {
    pub(super) file: Arc<dyn File>,
    pub(super) path: PathBuf,
    /// Octets on the disk.
    pub(super) size: u64,
    /// It is written to, or must stay for another reason.
    pub(super) pinned: bool,
    /// The messages whose `at` is here.
    pub(super) live: HashSet<Id>,
}

/// The whole log.
#[derive(Default)]
pub(super) struct Index {
    slots: HashMap<Id, Slot>,
    segments: BTreeMap<u64, Segment>,
    /// How many messages name each file in `blobs/`.
    blobs: HashMap<u64, u32>,
    /// Octets of the log that messages need.
    live: u64,
    /// Octets of the log.
    size: u64,
    /// Octets of messages.
    mail: u64,
    /// All that was there at the start has been entered.
    recovered: bool,
}

impl Slot {
    /// Where the frame's body begins.
    pub(super) fn body_at(&self) -> u64 {
        self.at.offset + HEADER + u64::from(self.at.head_len)
    }

    /// What it takes of its segment.
    fn weight(&self) -> u64 {
        HEADER + u64::from(self.at.head_len) + u64::from(self.body_len) + INDEX_ENTRY
    }

    /// The files in `blobs/` that it names.
    pub(super) fn blobs(&self) -> impl Iterator<Item = u64> {
        self.layout.iter().flat_map(|parts| parts.iter()).filter_map(|part| match part {
            Part::File(slice) => Some(slice.name),
            Part::Log(_) => None,
        })
    }
}

impl Index {
    /// A file of the log, newer than those before.
    pub(super) fn add_segment(&mut self, number: u64, segment: Segment) {
        self.size += segment.size;
        self.segments.insert(number, segment);
    }

    /// A segment is not written to any more; it has this size from now on.
    pub(super) fn close_segment(&mut self, number: u64, size: Option<u64>) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.pinned = false;
            if let Some(size) = size {
                self.size = self.size - segment.size + size;
                segment.size = size;
            }
        }
    }

    /// A segment that never held anything is no more.
    pub(super) fn forget_segment(&mut self, number: u64) {
        if let Some(segment) = self.segments.remove(&number) {
            self.size -= segment.size;
        }
    }

    /// All that was there at the start has been entered.
    pub(super) fn recovered(&mut self) {
        self.recovered = true;
    }

    /// A segment must stay while the process runs.
    pub(super) fn pin(&mut self, number: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.pinned = true;
        }
    }

    /// A message is there, or has moved.
    pub(super) fn accept(&mut self, id: Id, slot: Slot) {
        for name in slot.blobs() {
            *self.blobs.entry(name).or_default() += 1;
        }
        self.end(id);
        self.live += slot.weight();
        self.mail += slot.len;
        if let Some(segment) = self.segments.get_mut(&slot.at.segment) {
            segment.live.insert(id);
        }
        self.slots.insert(id, slot);
    }

    /// A message has changed.
    pub(super) fn change(&mut self, id: Id, at: At, recipients: Option<u32>) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.changes.push(at);
            slot.recipients = recipients.unwrap_or(slot.recipients);
        }
    }

    /// A message is gone. Gives the files in `blobs/` that nothing names any more.
    pub(super) fn end(&mut self, id: Id) -> Vec<u64> {
        let Some(slot) = self.slots.remove(&id) else { return Vec::new() };
        self.live -= slot.weight();
        self.mail -= slot.len;
        if let Some(segment) = self.segments.get_mut(&slot.at.segment) {
            segment.live.remove(&id);
        }
        let mut freed = Vec::new();
        for name in slot.blobs() {
            if let Some(count) = self.blobs.get_mut(&name) {
                *count -= 1;
                if *count == 0 {
                    self.blobs.remove(&name);
                    freed.push(name);
                }
            }
        }
        freed
    }

    /// Takes out the segments at the old end that nothing needs.
    pub(super) fn take_dead(&mut self) -> Vec<PathBuf> {
        let mut dead = Vec::new();
        while let Some(oldest) = self.segments.first_entry() {
            if oldest.get().pinned || !oldest.get().live.is_empty() {
                break;
            }
            let segment = oldest.remove();
            self.size -= segment.size;
            dead.push(segment.path);
        }
        dead
    }

    /// The oldest segment and some of its messages, of about `budget` octets, if it is time to carry them forward: when
    /// of the log, less `slack`, more than half is dead.
    pub(super) fn to_carry(&self, slack: u64, budget: u64) -> Option<(u64, Vec<Id>)> {
        let (number, oldest) = self.segments.first_key_value()?;
        if oldest.pinned || self.size <= self.live.saturating_mul(2) + slack {
            return None;
        }
        let mut taken = 0;
        let within = |id: &&Id| {
            let first = taken == 0;
            taken += self.slots.get(id).map_or(0, Slot::weight);
            first || taken <= budget
        };
        Some((*number, oldest.live.iter().take_while(within).copied().collect()))
    }

    pub(super) fn slot(&self, id: Id) -> Option<&Slot> {
        self.slots.get(&id)
    }

    pub(super) fn file(&self, segment: u64) -> Option<&Arc<dyn File>> {
        self.segments.get(&segment).map(|segment| &segment.file)
    }

    /// Notes that a message's octets are as they were written.
    pub(super) fn verified(&mut self, id: Id) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.verified = true;
        }
    }

    /// Whether any message names this file in `blobs/`.
    pub(super) fn has_blob(&self, name: u64) -> bool {
        self.blobs.contains_key(&name)
    }

    /// All messages, in the order of their ids.
    pub(super) fn ids(&self) -> Vec<Id> {
        let mut ids: Vec<_> = self.slots.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The newest of them.
    pub(super) fn newest(&self) -> Id {
        self.slots.keys().copied().max().unwrap_or(Id(0))
    }

    pub(super) fn usage(&self) -> Usage {
        let (messages, segments) = (self.slots.len() as u64, self.segments.len() as u64);
        Usage { messages, bytes: self.mail, disk: self.size, segments, recovering: !self.recovered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, Files};

    fn index() -> (tempfile::TempDir, Index) {
        let dir = tempfile::tempdir().unwrap();
        let mut index = Index::default();
        for number in 1..=3 {
            let path = dir.path().join(number.to_string());
            let file = Disk.create(&path, 0o600).unwrap();
            index.add_segment(number, Segment { file, path, size: 1000, pinned: number == 3, live: HashSet::new() });
        }
        (dir, index)
    }

    fn slot(segment: u64) -> Slot {
        let at = At { segment, offset: 0, head_len: 10, head_crc: 0, kind: Kind::Accept };
        let changes = Vec::new();
        Slot { at, body_len: 90, body_crc: 0, len: 90, recipients: 1, layout: None, changes, verified: true }
    }

    #[test]
    fn segments_go_from_the_oldest_on_and_only_when_nothing_needs_them() {
        let (_dir, mut index) = index();
        index.accept(Id(1), slot(1));
        index.accept(Id(2), slot(2));
        index.end(Id(2));
        assert!(index.take_dead().is_empty(), "an older one is needed");
        index.end(Id(1));
        assert_eq!(index.take_dead().len(), 2, "the third is written to");
        assert_eq!(index.usage(), Usage { disk: 1000, segments: 1, recovering: true, ..Usage::default() });
    }

    #[test]
    fn the_oldest_are_carried_once_the_dead_outweigh_the_living() {
        let (_dir, mut index) = index();
        index.accept(Id(1), slot(1));
        assert_eq!(index.to_carry(3000, 1), None, "within the slack");
        assert_eq!(index.to_carry(1000, 1), Some((1, vec![Id(1)])));
        index.accept(Id(1), slot(3));
        assert_eq!(index.take_dead().len(), 2);
        assert_eq!(index.to_carry(0, 1), None, "what is written to is not carried");
        assert_eq!(index.usage().bytes, 90);
    }

    #[test]
    fn a_file_is_freed_by_the_last_message_that_names_it() {
        let (_dir, mut index) = index();
        let slice = super::super::body::Slice { name: 9, from: 0, len: 1, size: 1, crc: 0 };
        let large = || Slot { layout: Some(Arc::new([Part::File(slice.clone())])), ..slot(1) };
        index.accept(Id(1), large());
        index.accept(Id(2), large());
        index.accept(Id(1), Slot { at: At { segment: 2, ..slot(1).at }, ..large() });
        assert!(index.end(Id(1)).is_empty());
        assert!(index.has_blob(9));
        assert_eq!(index.end(Id(2)), [9]);
        assert!(!index.has_blob(9));
    }
}
