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
        let mut end = (at as u64 + header.len()).min(octets.len() as u64);
        match check(octets, &found) {
            Ok(()) => scan.add(found, &mut batch),
            Err(why) => {
                // Octets of it may have been lost: then the next frame begins where this one says it goes on.
                end = end.min(next_header(octets, marker, at + 1, &finder) as u64);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::frame::Kind;
    use proptest::prelude::*;

    const MARKER: u64 = 0x1122_3344_5566_7788;

    fn frame(marker: u64, seq: u64, part: u16, last: bool, body: &[u8]) -> Vec<u8> {
        let head = b"\x02\0\0\0{}";
        let header = Header {
            kind: Kind::Accept,
            last,
            part,
            head_len: head.len() as u32,
            body_len: body.len() as u32,
            head_crc: crc32fast::hash(head),
            body_crc: crc32fast::hash(body),
            seq,
            id: Id(seq),
        };
        [&header.encode(marker)[..], head, body].concat()
    }

    fn seqs(scan: &Scan) -> Vec<(u64, u16)> {
        scan.frames.iter().map(|found| (found.header.seq, found.header.part)).collect()
    }

    #[test]
    fn mail_that_looks_like_a_frame_is_mail_even_where_the_log_is_damaged() {
        let forged = frame(MARKER + 1, 9, 0, true, b"forged");
        let mut log = [frame(MARKER, 1, 0, true, &forged), frame(MARKER, 2, 0, true, b"x")].concat();
        assert_eq!(seqs(&scan(&log, MARKER)), [(1, 0), (2, 0)]);
        log[20] ^= 1;
        let found = scan(&log, MARKER);
        assert_eq!(seqs(&found), [(2, 0)]);
        assert_eq!(found.damage.len(), 1);
    }

    #[test]
    fn a_frame_that_lost_octets_does_not_swallow_the_next_one() {
        let [a, b, c] = [1, 2, 3].map(|seq| frame(MARKER, seq, 0, true, b"a body of some octets"));
        let log = [&a[..a.len() - 7], &b, &c].concat();
        let found = scan(&log, MARKER);
        assert_eq!(seqs(&found), [(2, 0), (3, 0)]);
        assert_eq!(found.damage[0].range, 0..a.len() as u64 - 7);
    }

    #[test]
    fn batches_are_whole_or_not_there() {
        let [a, b, c] = [(0, false), (1, false), (2, true)].map(|(part, last)| frame(MARKER, 5, part, last, b"body"));
        let other = frame(MARKER, 6, 0, true, b"other");
        let whole = scan(&[&a[..], &b, &c, &other].concat(), MARKER);
        assert_eq!(seqs(&whole), [(5, 0), (5, 1), (5, 2), (6, 0)]);
        assert!(whole.damage.is_empty());
        for torn in [[&a[..], &b, &other].concat(), [&a[..], &c, &other].concat(), [&b[..], &c, &other].concat()] {
            let found = scan(&torn, MARKER);
            assert_eq!(seqs(&found), [(6, 0)]);
            assert_eq!(found.damage.len(), 2, "each frame is put aside");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_octets_are_every_one_but_zeros_is_a_frame_or_damage(
            log in proptest::collection::vec(prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..70),
                Just(MARKER.to_le_bytes().to_vec()),
                Just(vec![0; 60]),
                (0u64..3, 0u16..3, any::<bool>()).prop_map(|(seq, part, last)| frame(MARKER, seq, part, last, b"mail")),
            ], 0..8)
        ) {
            let log = log.concat();
            let found = scan(&log, MARKER);
            let frames = found.frames.iter().map(|f| f.offset..f.offset + f.header.len());
            let covered: Vec<_> = frames.chain(found.damage.iter().map(|damage| damage.range.clone())).collect();
            for (at, octet) in log.iter().enumerate().filter(|(_, octet)| **octet != 0) {
                prop_assert!(covered.iter().any(|range| range.contains(&(at as u64))), "octet {octet} at {at}");
            }
        }
    }
}
