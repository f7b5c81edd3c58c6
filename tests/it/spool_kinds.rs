//! Each record of a log with every kind of record in it is cut off, flipped and zeroed: the spool opens, twice alike; what the damage
//! has not touched is as it was, and nothing has octets that are another's.

use crate::disk::{Cached, Cut, Faulty, Plan};
use crate::spool::{accept, claim, fence, octets, small};
use crate::spool_faults::recovered;
use crate::spool_model::{Message, Model, found};
use mailsluice::mail::Id;
use mailsluice::spool::{Record, SegmentLog, Spool};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ROOT: &str = "/data/spool";
const ABORT: u8 = 7;
/// Refused when the disk failed, and declared void.
const REFUSED: u64 = 99;

/// A frame, as the head of `src/spool/frame.rs` lays it out.
#[derive(Clone, Debug)]
struct Frame {
    segment: PathBuf,
    at: usize,
    kind: u8,
    seq: u64,
    id: u64,
    head: usize,
    body: usize,
}

impl Frame {
    fn len(&self) -> usize {
        48 + self.head + self.body
    }
}

/// A disk with a life on it, and the frames of its log.
async fn used() -> (Cached, Model, Vec<Frame>) {
    let disk = Cached::new(&["/data"]);
    let files = Faulty::on(Arc::new(disk.clone()), true, Plan::Never, ErrorKind::Other);
    let mut model = Model::default();
    let spool = SegmentLog::open_on(Arc::new(files.clone()), Path::new(ROOT), small()).unwrap();
    let fence = fence(&spool).await;
    model.live(&spool, fence).await;
    spool.commit(fence, vec![Record::Amend(Id(7), Box::default())]).await.unwrap();
    files.plan(Plan::WritesFrom(0));
    spool.commit(fence, vec![accept(REFUSED, 100)]).await.unwrap_err();
    files.plan(Plan::Never);
    recovered(&spool).await;
    spool.commit(fence, vec![Record::Amend(Id(6), Box::default())]).await.unwrap();
    // As a crash would leave it: the last segment has no index.
    let left = disk.cut(Cut::Nothing);
    drop(spool);
    let frames: Vec<Frame> = left.paths_in("/log/").iter().flat_map(|path| frames(path, &left.read(path))).collect();
    let kinds: BTreeSet<u8> = frames.iter().map(|frame| frame.kind).collect();
    assert_eq!(kinds, (1..=7).collect(), "every kind of record is there");
    (left, model, frames)
}

fn frames(segment: &Path, log: &[u8]) -> Vec<Frame> {
    let name = segment.file_name().unwrap().to_str().unwrap();
    let marker = u64::from_str_radix(&name[17..33], 16).unwrap().to_le_bytes();
    let number = |at: usize| u32::from_le_bytes(log[at..at + 4].try_into().unwrap()) as usize;
    let long = |at: usize| u64::from_le_bytes(log[at..at + 8].try_into().unwrap());
    let mut frames = Vec::new();
    let mut at = 0;
    while log.get(at..at + 8) == Some(&marker[..]) {
        let (head, body) = (number(at + 12), number(at + 16));
        let (kind, seq, id) = (log[at + 8], long(at + 28), long(at + 36));
        frames.push(Frame { segment: segment.to_owned(), at, kind, seq, id, head, body });
        at += 48 + head + body;
    }
    frames
}

/// What is there and can be read.
async fn start(disk: &Cached) -> BTreeMap<u64, Message> {
    let spool = SegmentLog::open_on(Arc::new(disk.clone()), Path::new(ROOT), small()).unwrap();
    let (_, entries) = claim(&spool).await;
    let sound = entries.iter().filter(|(_, entry)| spool.open(&entry.content).is_ok());
    sound.map(|(id, entry)| (*id, found(&spool, entry))).collect()
}

/// Messages about which the damage may have changed something: those of all frames of the batches that it touches.
fn touched(frames: &[Frame], hit: &Frame, behind_too: bool) -> BTreeSet<u64> {
    let is_hit =
        |frame: &&Frame| frame.segment == hit.segment && (frame.at == hit.at || (behind_too && frame.at > hit.at));
    let batches: BTreeSet<u64> = frames.iter().filter(is_hit).map(|frame| frame.seq).collect();
    let of_batch = frames.iter().filter(|frame| frame.segment == hit.segment && batches.contains(&frame.seq));
    of_batch.flat_map(|frame| if frame.kind == ABORT { [0, REFUSED] } else { [frame.id; 2] }).collect()
}

async fn check(disk: &Cached, model: &Model, touched: &BTreeSet<u64>, what: &str) {
    let there = start(disk).await;
    assert_eq!(start(disk).await, there, "{what}: a second start finds something else");
    let untouched = |found: &BTreeMap<u64, Message>| -> BTreeMap<u64, Message> {
        found.iter().filter(|(id, _)| !touched.contains(id)).map(|(id, message)| (*id, message.clone())).collect()
    };
    assert_eq!(untouched(&there), untouched(&model.there), "{what}");
    for (id, message) in there.iter().filter(|(id, _)| **id != 5) {
        assert_eq!(message.octets, octets(*id, message.octets.len()), "{what}: {id} has octets of another");
    }
}

#[tokio::test]
async fn damage_to_a_record_of_any_kind_costs_what_it_touches() {
    let (disk, model, frames) = used().await;
    for frame in &frames {
        let (at, len) = (frame.at, frame.len());
        // In its header, its head, its body; one that is nothing but a header has no more.
        let middle = (at + 48 + frame.head / 2).min(at + len - 1);
        for place in [at + 9, at + 30, middle, at + len - 1] {
            let damaged = disk.cut(Cut::Nothing);
            damaged.change(&frame.segment, |log| log[place] ^= 1 << (place % 8));
            check(&damaged, &model, &touched(&frames, frame, false), &format!("{frame:?} flipped at {place}")).await;
        }
        for (from, to) in [(at, at + len), (at, at + 48), (at + 48, at + len), (at + len / 2, at + len)] {
            let damaged = disk.cut(Cut::Nothing);
            damaged.change(&frame.segment, |log| log[from..to].fill(0));
            check(&damaged, &model, &touched(&frames, frame, false), &format!("{frame:?} zeroed from {from} to {to}"))
                .await;
        }
        for end in [at, at + 20, at + 48 + frame.head / 2, at + len - 1] {
            let damaged = disk.cut(Cut::Nothing);
            damaged.change(&frame.segment, |log| log.truncate(end));
            check(&damaged, &model, &touched(&frames, frame, true), &format!("{frame:?} cut off at {end}")).await;
        }
    }
}
