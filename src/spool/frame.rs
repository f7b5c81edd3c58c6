//! One record on the disk: a header of fixed length, a head, a body.
//!
//! ```text
//! marker 8 | kind 1 | last 1 | part 2 | head_len 4 | body_len 4 | head_crc 4 | body_crc 4 | seq 8 | id 8 | crc 4 | head | body
//! ```
//!
//! Little-endian. The marker is the segment's own and can't be guessed, so that octets of mail never pass for a frame.
//! `crc` (CRC-32) covers all before it, so that a header that checks out can be trusted to say where the next one is;
//! head and body have their own, so that a restart reads heads and leaves bodies. The head is JSON (its length in front)
//! and whatever inline octets the JSON counts; the body is the message's octets.
//!
//! The frames of one batch share `seq`, count up in `part`, and the last says that it is: a batch is whole or it is not.

use crate::mail::Id;

/// Octets of a header.
pub(super) const HEADER: u64 = 48;
const HEADER_LEN: usize = HEADER as usize;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A message as it was accepted.
    Accept = 1,
    /// A message as it stands, moved here from an older segment.
    Carry = 2,
    /// A patch.
    Amend = 3,
    /// An attempt.
    Attempt = 4,
    /// Recipients that are done.
    Done = 5,
    /// The message is gone.
    End = 6,
    /// Batches of a failed segment are void.
    Abort = 7,
}

impl Kind {
    fn parse(octet: u8) -> Option<Self> {
        [Self::Accept, Self::Carry, Self::Amend, Self::Attempt, Self::Done, Self::End, Self::Abort]
            .into_iter()
            .find(|kind| *kind as u8 == octet)
    }

    /// Whether a message begins with it.
    pub(super) fn begins(self) -> bool {
        matches!(self, Self::Accept | Self::Carry)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// The last of its batch.
    pub(super) last: bool,
    /// Its place in the batch, from 0.
    pub(super) part: u16,
    pub(super) head_len: u32,
    pub(super) body_len: u32,
    pub(super) head_crc: u32,
    pub(super) body_crc: u32,
    /// The batch.
    pub(super) seq: u64,
    /// The message; 0 if none.
    pub(super) id: Id,
}

impl Header {
    /// The octets under a segment's marker.
    pub(super) fn encode(&self, marker: u64) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        let mut at = 0;
        let mut put = |octets: &[u8]| {
            out[at..at + octets.len()].copy_from_slice(octets);
            at += octets.len();
        };
        put(&marker.to_le_bytes());
        put(&[self.kind as u8, u8::from(self.last)]);
        put(&self.part.to_le_bytes());
        for field in [self.head_len, self.body_len, self.head_crc, self.body_crc] {
            put(&field.to_le_bytes());
        }
        put(&self.seq.to_le_bytes());
        put(&self.id.0.to_le_bytes());
        let crc = crc32fast::hash(&out[..HEADER_LEN - 4]);
        out[HEADER_LEN - 4..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header at the start of `octets`; none if there is none that checks out.
    pub(super) fn decode(marker: u64, octets: &[u8]) -> Option<Self> {
        let octets: &[u8; HEADER_LEN] = octets.first_chunk()?;
        if u64_at(octets, 0)? != marker || u32_at(octets, HEADER_LEN - 4)? != crc32fast::hash(&octets[..HEADER_LEN - 4])
        {
            return None;
        }
        Some(Self {
            kind: Kind::parse(octets[8])?,
            last: octets[9] == 1,
            part: u16::from_le_bytes([octets[10], octets[11]]),
            head_len: u32_at(octets, 12)?,
            body_len: u32_at(octets, 16)?,
            head_crc: u32_at(octets, 20)?,
            body_crc: u32_at(octets, 24)?,
            seq: u64_at(octets, 28)?,
            id: Id(u64_at(octets, 36)?),
        })
    }

    /// Octets of the whole frame.
    pub(super) fn len(&self) -> u64 {
        HEADER + u64::from(self.head_len) + u64::from(self.body_len)
    }
}

/// The little-endian number at a place, if the octets reach so far.
pub(super) fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

/// The little-endian number at a place, if the octets reach so far.
pub(super) fn u64_at(octets: &[u8], at: usize) -> Option<u64> {
    octets.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_and_any_other_marker_makes_it_no_header() {
        let header = Header {
            kind: Kind::Attempt,
            last: true,
            part: 3,
            head_len: 4,
            body_len: 5,
            head_crc: 6,
            body_crc: 7,
            seq: 8,
            id: Id(9),
        };
        let octets = header.encode(77);
        assert_eq!(Header::decode(77, &octets), Some(header));
        assert_eq!(Header::decode(78, &octets), None);
        assert_eq!(Header::decode(77, &octets[..47]), None);
        for bit in 0..octets.len() * 8 {
            let mut flipped = octets;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(77, &flipped), None, "bit {bit}");
        }
    }
}
