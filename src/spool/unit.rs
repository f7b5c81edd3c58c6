//! Records as they go into frames: encoded by whoever commits, so that the committer only copies and writes.
//!
//! The head is a count, that many octets of JSON, and the inline octets that the JSON's pieces count.

use super::body::{Body, Part};
use super::common::Common;
use super::draft::{Draft, DraftFile};
use super::fault::StoreFault;
use super::frame::{HEADER, Header, Kind, u32_at};
use super::record::{Entry, Patch, RcptId, Record, Try};
use super::rules::Effect;
use super::segment::INDEX_ENTRY;
use super::stored::StoredContent;
use crate::mail::{Id, Piece};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One record, encoded.
pub(super) struct Unit {
    pub(super) kind: Kind,
    pub(super) id: Id,
    pub(super) effect: Effect,
    pub(super) head: Vec<u8>,
    pub(super) body: Vec<Bytes>,
    pub(super) body_len: u32,
    pub(super) body_crc: u32,
    /// Octets of the message's blob.
    pub(super) len: u64,
    /// Where they lie; none: in the frame.
    pub(super) layout: Option<Vec<Part>>,
    /// Files that it names for the first time.
    pub(super) drafts: Vec<Arc<DraftFile>>,
}

/// Records to be committed together.
pub(super) struct Batch {
    pub(super) units: Vec<Unit>,
}

/// The JSON of an `Accept` or `Carry`.
#[derive(Serialize, Deserialize)]
pub(super) struct AcceptHead<E> {
    pub(super) entry: E,
    /// None: all octets are in the frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layout: Option<Vec<Part>>,
    /// None: the content is the whole blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pieces: Option<Vec<Cut>>,
}

/// The JSON of an `Amend`.
#[derive(Serialize, Deserialize)]
pub(super) struct AmendHead<P> {
    pub(super) patch: P,
    /// The new content, if it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pieces: Option<Vec<Cut>>,
}

/// The JSON of an `Abort`: batches of `segment` from `seq` on never were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Abort {
    pub(super) segment: u64,
    pub(super) seq: u64,
}

/// A piece as JSON tells it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Cut {
    /// So many of the octets behind the JSON.
    Inline(u64),
    /// A range of the blob.
    Range(u64, u64),
}

impl Batch {
    /// Encodes records. Reads the octets of new messages; those above `large`, and those that several share, go to files made from `draft`.
    pub(super) fn encode(records: Vec<Record>, large: u64, draft: impl Fn() -> Draft) -> Result<Self, StoreFault> {
        if records.len() > usize::from(u16::MAX) {
            return Err(StoreFault::Misuse(format!("a batch has at most {} records", u16::MAX)));
        }
        let common = Common::of(&records, large, &draft)?;
        let units = records.into_iter().map(|record| Unit::encode(record, large, &draft, &common));
        Ok(Self { units: units.collect::<Result<_, _>>()? })
    }

    /// A batch that declares others void.
    pub(super) fn abort(aborts: &[Abort]) -> Result<Self, StoreFault> {
        let units = aborts.iter().map(|abort| Unit::bare(Kind::Abort, Id(0), Effect::End, head(abort, &[])?));
        Ok(Self { units: units.collect::<Result<_, _>>()? })
    }

    /// Octets that it takes in a segment, its place in the index included.
    pub(super) fn size(&self) -> u64 {
        self.units.iter().map(|unit| unit.size() + INDEX_ENTRY).sum()
    }

    /// Files to be made durable before it is written.
    pub(super) fn drafts(&self) -> impl Iterator<Item = &Arc<DraftFile>> {
        self.units.iter().flat_map(|unit| &unit.drafts)
    }
}

impl Unit {
    fn encode(record: Record, large: u64, draft: impl Fn() -> Draft, common: &Common) -> Result<Self, StoreFault> {
        let effect = Effect::of(&record);
        let (id, kind, head) = match record {
            Record::Accept(mut entry, content) => {
                entry.level();
                entry.content = StoredContent::whole(entry.id, content.len());
                let body = match common.instead(&content) {
                    Some(content) => Body::in_place(&content)?,
                    None => Body::of(&content, large, draft)?,
                };
                return Self::message(Kind::Accept, &entry, content.len(), body);
            }
            Record::Amend(id, patch) => {
                let (pieces, inline) = patch.content.as_ref().map(cut).unzip();
                (id, Kind::Amend, head(&AmendHead { patch: &patch, pieces }, &inline.unwrap_or_default())?)
            }
            Record::Attempt(id, attempt) => (id, Kind::Attempt, head(&attempt, &[])?),
            Record::Done(id, rcpts) => (id, Kind::Done, head(&rcpts, &[])?),
            Record::End(id) => (id, Kind::End, Vec::new()),
        };
        Self::bare(kind, id, effect, head)
    }

    /// A message as it stands, with octets that were laid out before.
    pub(super) fn message(kind: Kind, entry: &Entry, len: u64, body: Body) -> Result<Self, StoreFault> {
        let whole = entry.content == StoredContent::whole(entry.id, len);
        let (pieces, inline) = (!whole).then(|| cut(&entry.content)).unzip();
        let json = AcceptHead { entry, layout: body.layout.clone(), pieces };
        let effect = Effect::Accept(u32::try_from(entry.recipients.len()).unwrap_or(u32::MAX));
        let mut unit = Self::bare(kind, entry.id, effect, head(&json, &inline.unwrap_or_default())?)?;
        let mut crc = crc32fast::Hasher::new();
        body.octets.iter().for_each(|octets| crc.update(octets));
        unit.body_len = small(body.octets.iter().map(Bytes::len).sum())?;
        (unit.body_crc, unit.len) = (crc.finalize(), len);
        (unit.body, unit.layout, unit.drafts) = (body.octets, body.layout, body.drafts);
        Ok(unit)
    }

    fn bare(kind: Kind, id: Id, effect: Effect, head: Vec<u8>) -> Result<Self, StoreFault> {
        small(head.len())?;
        let (body, drafts) = (Vec::new(), Vec::new());
        Ok(Self { kind, id, effect, head, body, body_len: 0, body_crc: 0, len: 0, layout: None, drafts })
    }

    /// Octets of its frame.
    pub(super) fn size(&self) -> u64 {
        HEADER + self.head.len() as u64 + u64::from(self.body_len)
    }

    /// Its frame's header, as `part` of the batch `seq`.
    pub(super) fn header(&self, seq: u64, part: u16, last: bool) -> Header {
        let (head_len, head_crc) = (self.head.len() as u32, crc32fast::hash(&self.head));
        let (body_len, body_crc) = (self.body_len, self.body_crc);
        Header { kind: self.kind, last, part, head_len, body_len, head_crc, body_crc, seq, id: self.id }
    }
}

fn small(len: usize) -> Result<u32, StoreFault> {
    u32::try_from(len).map_err(|_| StoreFault::Misuse("a record is larger than 4 GiB".into()))
}

fn head<T: Serialize>(value: &T, inline: &[Bytes]) -> Result<Vec<u8>, StoreFault> {
    let mut out = vec![0; 4];
    let written = serde_json::to_writer(&mut out, value);
    written.map_err(|e| StoreFault::Misuse(format!("a record that has no JSON: {e}")))?;
    let len = small(out.len() - 4)?;
    out[..4].copy_from_slice(&len.to_le_bytes());
    inline.iter().for_each(|octets| out.extend_from_slice(octets));
    Ok(out)
}

fn cut(content: &StoredContent) -> (Vec<Cut>, Vec<Bytes>) {
    let mut inline = Vec::new();
    let cuts = content.pieces().iter().map(|piece| match piece {
        Piece::Blob(range) => Cut::Range(range.start, range.end),
        Piece::Inline(octets) => {
            inline.push(octets.clone());
            Cut::Inline(octets.len() as u64)
        }
    });
    (cuts.collect(), inline)
}

/// Reads the JSON of a head, and gives the octets behind it.
pub(super) fn parse<T: DeserializeOwned>(head: &Bytes) -> Result<(T, Bytes), String> {
    let len = u32_at(head, 0).ok_or("it is too short")? as usize;
    let json = head.get(4..).and_then(|rest| rest.get(..len)).ok_or("its JSON is cut off")?;
    let value = serde_json::from_slice(json).map_err(|e| format!("its JSON can't be read: {e}"))?;
    Ok((value, head.slice(4 + len..)))
}

/// The content that cuts describe; `inline` are the octets behind the JSON.
pub(super) fn paste(id: Id, cuts: Vec<Cut>, mut inline: Bytes) -> Result<StoredContent, String> {
    let mut pieces = Vec::with_capacity(cuts.len());
    let mut total = 0_u64;
    for cut in cuts {
        pieces.push(match cut {
            Cut::Range(from, to) if from <= to => Piece::Blob(from..to),
            Cut::Inline(len) if len <= inline.len() as u64 => Piece::Inline(inline.split_to(len as usize)),
            _ => return Err("its pieces don't fit".into()),
        });
        let len = pieces.last().map_or(0, Piece::len);
        total = total.checked_add(len).ok_or("its pieces are too long")?;
    }
    Ok(StoredContent::of_pieces(id, pieces))
}

/// A change as it stands in the head of a frame of this kind; none for kinds that change no entry.
pub(super) fn change(kind: Kind, id: Id, head: &Bytes) -> Result<Option<Record>, String> {
    Ok(match kind {
        Kind::Amend => {
            let (AmendHead { mut patch, pieces }, inline) = parse::<AmendHead<Patch>>(head)?;
            patch.content = pieces.map(|cuts| paste(id, cuts, inline)).transpose()?;
            Some(Record::Amend(id, Box::new(patch)))
        }
        Kind::Attempt => Some(Record::Attempt(id, parse::<Try>(head)?.0)),
        Kind::Done => Some(Record::Done(id, parse::<Vec<RcptId>>(head)?.0)),
        Kind::Accept | Kind::Carry | Kind::End | Kind::Abort => None,
    })
}
