//! Segments that were cut off, flipped, zeroed or lost: the spool opens, everything undamaged is there, nothing is made
//! up, and what can't be read is put aside with a line in the log.

use crate::disk::{Faulty, Plan};
use crate::logged::Logged;
use crate::spool::{accept, accept_draft, claim, entry, octets, read, small};
use mailsluice::mail::Id;
use mailsluice::spool::{Options, Record, SegmentLog, Spool, StoreFault};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const MESSAGES: Range<u64> = 1..9;
const LEN: usize = 120;

fn options() -> Options {
    Options { segment: 16 << 10, ..small() }
}

fn open(dir: &Path) -> SegmentLog {
    SegmentLog::open_on(Arc::new(Faulty::new(Plan::Never, ErrorKind::Other)), dir, options()).unwrap()
}

/// A spool with a few messages in one segment, closed well or, unsealed, killed.
async fn filled(sealed: bool) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let files = Faulty::new(Plan::Never, ErrorKind::Other);
    let spool = SegmentLog::open_on(Arc::new(files.clone()), dir.path(), options()).unwrap();
    let (fence, _) = claim(&spool).await;
    for id in MESSAGES {
        spool.commit(fence, vec![accept(id, LEN)]).await.unwrap();
    }
    if !sealed {
        files.plan(Plan::From(0));
    }
    drop(spool);
    dir
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir.join("log")).unwrap().map(|found| found.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The segment with the messages, its octets, and where each message's frame is.
fn frames(dir: &Path) -> (PathBuf, Vec<u8>, BTreeMap<u64, Range<usize>>) {
    let path = segments(dir).remove(0);
    let log = fs::read(&path).unwrap();
    let mut start = 0;
    let mut frames = BTreeMap::new();
    for id in MESSAGES {
        let body = octets(id, LEN);
        let end = start + log[start..].windows(LEN).position(|w| w == body).unwrap() + LEN;
        frames.insert(id, start..end);
        start = end;
    }
    (path, log, frames)
}

/// Opens a damaged spool twice. Gives the messages that are there and can be read; the rest must be damaged or gone.
async fn survivors(dir: &Path) -> BTreeSet<u64> {
    let mut before = None;
    for _ in 0..2 {
        let spool = open(dir);
        let (_, entries) = claim(&spool).await;
        let mut sound = BTreeSet::new();
        for (id, entry) in &entries {
            assert!(MESSAGES.contains(id), "message {id} was never accepted");
            match spool.open(&entry.content) {
                Ok(content) => {
                    assert_eq!(content.to_bytes().unwrap(), octets(*id, LEN), "message {id} has other octets");
                    sound.insert(*id);
                }
                Err(fault) => assert!(matches!(fault, StoreFault::Damaged(Id(it), _) if it == *id), "{fault}"),
            }
        }
        drop(spool);
        let aside = fs::read_dir(dir.join("quarantine")).unwrap().count();
        assert_eq!(*before.get_or_insert((sound.clone(), aside)), (sound, aside), "a second start finds the same");
    }
    before.unwrap().0
}

/// Applies one damage after another to a spool, each to a copy, and looks at what is left.
async fn each_damage(sealed: bool, damages: impl Iterator<Item = (Range<usize>, Box<dyn Fn(&mut Vec<u8>)>)>) {
    let original = filled(sealed).await;
    let (path, log, frames) = frames(original.path());
    for (range, damage) in damages {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("log")).unwrap();
        let mut octets = log.clone();
        damage(&mut octets);
        fs::write(dir.path().join("log").join(path.file_name().unwrap()), &octets).unwrap();
        let there = survivors(dir.path()).await;
        for (id, frame) in &frames {
            let hit = range.start < frame.end && frame.start < range.end;
            if !hit {
                assert!(there.contains(id), "sealed {sealed}, damage in {range:?}: message {id} in {frame:?} is lost");
            }
        }
        let aside = fs::read_dir(dir.path().join("quarantine")).unwrap().count();
        let lost = frames.keys().any(|id| !there.contains(id));
        let copied = octets.get(range.clone()).is_some_and(|octets| octets.iter().any(|&b| b != 0));
        if lost && copied && !sealed {
            assert!(aside > 0, "damage in {range:?}: nothing was put aside");
        }
    }
}

type Damage = (Range<usize>, Box<dyn Fn(&mut Vec<u8>)>);

#[tokio::test]
async fn a_segment_cut_off_anywhere_keeps_what_lies_before() {
    for sealed in [false, true] {
        let cut = |at: usize| -> Damage { (at..usize::MAX, Box::new(move |log| log.truncate(at))) };
        each_damage(sealed, (0..5000).step_by(41).map(cut)).await;
    }
}

#[tokio::test]
async fn a_flipped_bit_costs_at_most_its_own_message() {
    for sealed in [false, true] {
        let flip = |at: usize| -> Damage {
            let flip = move |log: &mut Vec<u8>| {
                if let Some(octet) = log.get_mut(at) {
                    *octet ^= 1 << (at % 8);
                }
            };
            (at..at + 1, Box::new(flip))
        };
        each_damage(sealed, (0..6000).step_by(37).map(flip)).await;
    }
}

#[tokio::test]
async fn zeros_cost_at_most_the_messages_they_cover() {
    for sealed in [false, true] {
        let zero = |at: usize| -> Damage {
            let range = at..at + 10 + at % 900;
            let zero = move |log: &mut Vec<u8>| {
                let len = log.len();
                log[at.min(len)..(at + 10 + at % 900).min(len)].fill(0);
            };
            (range, Box::new(zero))
        };
        each_damage(sealed, (0..5000).step_by(53).map(zero)).await;
    }
}

#[tokio::test]
async fn a_lost_or_empty_segment_costs_what_it_held() {
    for empty in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let spool = SegmentLog::open(dir.path(), small()).unwrap();
        let (fence, _) = claim(&spool).await;
        for id in 1..20 {
            spool.commit(fence, vec![accept(id, 1000)]).await.unwrap();
        }
        drop(spool);
        let lost = segments(dir.path()).remove(2);
        let log = fs::read(&lost).unwrap();
        let held = |id: &u64| log.windows(1000).any(|window| window == octets(*id, 1000));
        if empty {
            fs::write(&lost, b"").unwrap();
        } else {
            fs::remove_file(&lost).unwrap();
        }
        let expected: BTreeSet<_> = (1..20).filter(|id| !held(id)).collect();
        assert!(expected.len() < 19);
        let spool = SegmentLog::open(dir.path(), small()).unwrap();
        let (fence, entries) = claim(&spool).await;
        assert_eq!(entries.keys().copied().collect::<BTreeSet<_>>(), expected);
        entries.iter().for_each(|(id, entry)| assert_eq!(read(&spool, entry), octets(*id, 1000)));
        spool.commit(fence, vec![accept(30, 10)]).await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_with_a_damaged_record_is_void_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let files = Faulty::new(Plan::Never, ErrorKind::Other);
    let spool = SegmentLog::open_on(Arc::new(files.clone()), dir.path(), options()).unwrap();
    let (fence, _) = claim(&spool).await;
    spool.commit(fence, vec![accept(1, LEN)]).await.unwrap();
    spool.commit(fence, vec![accept(2, LEN), accept(3, LEN), Record::End(Id(1))]).await.unwrap();
    spool.commit(fence, vec![accept(4, LEN)]).await.unwrap();
    files.plan(Plan::From(0));
    drop(spool);
    let path = segments(dir.path()).remove(0);
    let log = fs::read(&path).unwrap();
    let body = log.windows(LEN).position(|window| window == octets(3, LEN)).unwrap();
    // In its body, its head and its header.
    for at in [body + 7, body - 7, body - 7 - serde_json::to_vec(&entry(3)).unwrap().len()] {
        let mut log = log.clone();
        log[at] ^= 4;
        fs::write(&path, log).unwrap();
        assert_eq!(survivors(dir.path()).await, BTreeSet::from([1, 4]), "the split never was");
        fs::remove_dir_all(dir.path().join("quarantine")).unwrap();
    }
}

#[tokio::test]
async fn a_large_message_s_damaged_or_lost_file_costs_that_message_only() {
    for lost in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let spool = open(dir.path());
        let (fence, _) = claim(&spool).await;
        for id in [1, 2] {
            let (large, _) = accept_draft(&spool, id, 4000).unwrap();
            spool.commit(fence, vec![large]).await.unwrap();
        }
        drop(spool);
        let blobs: Vec<_> = fs::read_dir(dir.path().join("blobs")).unwrap().map(|f| f.unwrap().path()).collect();
        let of_one = |path: &&PathBuf| fs::read(path).unwrap() == octets(1, 4000);
        let path = blobs.iter().find(of_one).unwrap();
        if lost {
            fs::remove_file(path).unwrap();
        } else {
            fs::write(path, octets(3, 4000)).unwrap();
        }
        let spool = open(dir.path());
        let (_, entries) = claim(&spool).await;
        assert_eq!(read(&spool, &entries[&2])[16..], octets(2, 4000));
        match entries.get(&1) {
            Some(entry) => assert!(matches!(spool.open(&entry.content), Err(StoreFault::Damaged(Id(1), _)))),
            None => assert!(lost),
        }
        assert_eq!(entries.contains_key(&1), !lost);
    }
}

#[tokio::test]
async fn the_log_names_what_was_put_aside_where_and_why() {
    let dir = filled(false).await;
    let (path, mut log, frames) = frames(dir.path());
    log[frames[&3].end - 1] ^= 1;
    fs::write(&path, log).unwrap();
    let logging = Logged::here();
    let spool = open(dir.path());
    claim(&spool).await;
    drop(spool);
    let text = logging.text();
    drop(logging);
    let warnings: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    let [line] = warnings.as_slice() else { panic!("one line for one record: {text}") };
    let offset = frames[&3].start;
    for part in [&format!("offset={offset}"), &Id(3).to_string(), "checksum of its body", "kept=quarantine/"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    let kept = fs::read_dir(dir.path().join("quarantine")).unwrap().next().unwrap().unwrap();
    assert_eq!(fs::read(kept.path()).unwrap().len(), frames[&3].len());
}

#[tokio::test]
async fn a_segment_of_another_version_is_refused_with_advice() {
    let dir = filled(true).await;
    fs::write(dir.path().join("log/0000000000000009-0000000000000009.seg2"), b"").unwrap();
    let Err(fault) = SegmentLog::open(dir.path(), options()) else { panic!("it was opened") };
    assert!(fault.to_string().contains("seg2") && fault.to_string().contains("move it away"), "{fault}");
}
