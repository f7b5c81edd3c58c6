//! Reading a segment that has no index: from frame to frame, checking every octet, around what is damaged.
//!
//! Finds every batch that is whole, wherever the damage is, and says which ranges were not readable. A batch of which
//! any frame is damaged or missing is damage as a whole: all or none.

use super::frame::{HEADER, Header};
use super::segment::{Found, index_entry};
use crate::mail::Id;
use std::borrow::Cow;
use std::ops::Range;

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The frames of whole batches, in order.
    pub(super) frames: Vec<Found>,
    /// The rest, but for zeros.
    pub(super) damage: Vec<Damage>,
}

/// A range that is no whole batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) range: Range<u64>,
    /// The message, if its header could be read.
    pub(super) id: Option<Id>,
    /// For people.
    pub(super) why: Cow<'static, str>,
}

/// Scans the octets of a segment with this marker.
pub(super) fn scan(octets: &[u8], marker: u64) -> Scan {
    let finder = memchr::memmem::Finder::new(&marker.to_le_bytes()).into_owned();
    let mut scan = Scan::default();
    let mut batch: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < octets.len() {
        let Some(header) = Header::decode(marker, &octets[at..]) else {
            let next = next_header(octets, marker, at + 1, &finder);
            if index_entry(&octets[at..], marker).is_none() {
                scan.gap(&octets[at..next], at as u64, next < octets.len(), &mut batch);
            }
            at = next;
            continue;
        };
        let found = Found { offset: at as u64, header };
        let end = (at as u64 + header.len()).min(octets.len() as u64);
        match check(octets, &found) {
            Ok(()) => scan.add(found, &mut batch),
            Err(why) => {
                scan.torn(&mut batch);
                scan.damage.push(Damage { range: at as u64..end, id: Some(header.id), why: why.into() });
            }
        }
        at = end as usize;
    }
    scan.torn(&mut batch);
    scan.damage.sort_by_key(|damage| damage.range.start);
    scan
}

fn check(octets: &[u8], found: &Found) -> Result<(), &'static str> {
    let rest = &octets[found.offset as usize + HEADER as usize..];
    let (head_len, body_len) = (found.header.head_len as usize, found.header.body_len as usize);
    let head = rest.get(..head_len).ok_or("cut off within its head")?;
    let body = rest[head_len..].get(..body_len).ok_or("cut off within its body")?;
    if crc32fast::hash(head) != found.header.head_crc {
        return Err("the checksum of its head is wrong");
    }
    if crc32fast::hash(body) != found.header.body_crc {
        return Err("the checksum of its body is wrong");
    }
    Ok(())
}

/// Where the next header that checks out begins, from `from` on; else the end.
fn next_header(octets: &[u8], marker: u64, from: usize, finder: &memchr::memmem::Finder<'_>) -> usize {
    let found = finder.find_iter(&octets[from..]).map(|n| from + n);
    found.into_iter().find(|&n| Header::decode(marker, &octets[n..]).is_some()).unwrap_or(octets.len())
}

impl Scan {
    /// A frame that checks out: one more of its batch.
    fn add(&mut self, found: Found, batch: &mut Vec<Found>) {
        let follows = batch.last().is_none_or(|before| before.header.seq == found.header.seq);
        if !follows || usize::from(found.header.part) != batch.len() {
            self.torn(batch);
        }
        if usize::from(found.header.part) != batch.len() {
            self.lost(&found);
            return;
        }
        batch.push(found);
        if found.header.last {
            self.frames.append(batch);
        }
    }

    /// The batch so far has no end.
    fn torn(&mut self, batch: &mut Vec<Found>) {
        for found in batch.drain(..) {
            self.lost(&found);
        }
    }

    fn lost(&mut self, found: &Found) {
        let range = found.offset..found.offset + found.header.len();
        self.damage.push(Damage {
            range,
            id: Some(found.header.id),
            why: "the batch that it is part of is not whole".into(),
        });
    }

    /// Octets that are no frame. Behind the last frame zeros are as they should be.
    fn gap(&mut self, octets: &[u8], at: u64, between: bool, batch: &mut Vec<Found>) {
        let len = octets.iter().rposition(|&b| b != 0).map_or(0, |last| last as u64 + 1);
        if len > 0 || between {
            self.torn(batch);
            let why = if len > 0 { "its header can't be read" } else { "zeros where records were" };
            self.damage.push(Damage { range: at..at + len, id: None, why: why.into() });
        }
    }
}
