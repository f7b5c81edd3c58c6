//! A segment of the spool's log that is not as it was written: the spool opens, what is undamaged is there with its
//! exact octets, nothing is made up, and a second start finds the same.
//!
//! The first octet of an input says what the segment is:
//!
//! * `d`, `s`: one with messages, as a crash leaves it or sealed, and then damaged. The damages follow, each seven octets:
//!   what is done, and three numbers.
//! * `f`: frames, whose checksums are right. Each has a kind, flags (1 the last of its batch, 2 without the length of the
//!   JSON in front, 4 a wrong checksum), its part, batch and message, the lengths of head and body as numbers, head and body.
//! * anything else: the octets that follow.

use super::input::Input;
use crate::reference::disk::Cached;
use crate::reference::letters::{accept, claim, octets, small};
use mailsluice::disk::Files;
use mailsluice::mail::Id;
use mailsluice::spool::{Options, SegmentLog, Spool, StoreFault};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

const ROOT: &str = "/spool";
const LOG: &str = "/spool/log";
/// The marker of segments whose octets are the input's.
const MARKER: u64 = u64::from_le_bytes(*b"sluicing");
const MESSAGES: Range<u64> = 1..9;
const LEN: usize = 120;
/// Octets of a frame's header, by the format's description.
const HEADER: usize = 48;

pub(super) fn spool_record(data: &[u8]) {
    let mut input = Input(data);
    match input.octet() {
        kind @ (b'd' | b's') => damaged(written(kind == b's').clone(), input),
        kind => {
            let octets = if kind == b'f' { frames(input) } else { input.0.to_vec() };
            starts_alike(&disk(&format!("{:016x}-{MARKER:016x}.seg1", 1), &octets));
        }
    }
}

/// What a start finds: each message as it stands with its octets, and the names of what was put aside.
type Found = (BTreeMap<u64, (String, Result<Vec<u8>, String>)>, Vec<String>);

/// Starts twice, and gives what was found.
fn starts_alike(disk: &Cached) -> Found {
    let first = start(disk);
    assert_eq!(start(disk), first, "a second start finds something else");
    first
}

fn start(disk: &Cached) -> Found {
    let spool = SegmentLog::open_on(Arc::new(disk.clone()), Path::new(ROOT), options());
    let spool = spool.unwrap_or_else(|fault| panic!("it does not open: {fault}"));
    let (_, entries) = run(claim(&spool));
    let read = |(id, entry): (&u64, &mailsluice::spool::Entry)| {
        let octets = match spool.open(&entry.content) {
            Ok(content) => content.to_bytes().map(|octets| octets.to_vec()).map_err(|error| error.to_string()),
            Err(StoreFault::Damaged(Id(of), why)) if of == *id => Err(why),
            Err(fault) => panic!("message {id}: {fault}"),
        };
        (*id, (format!("{entry:?}"), octets))
    };
    let found = entries.iter().map(read).collect();
    drop(spool);
    let mut aside = disk.list(&Path::new(ROOT).join("quarantine")).unwrap_or_else(|e| panic!("quarantine: {e}"));
    aside.sort();
    (found, aside)
}

fn run<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap_or_else(|error| panic!("a runtime: {error}")).block_on(what)
}

fn options() -> Options {
    Options { segment: 16 << 10, ..small() }
}

/// A disk on which there is one segment.
fn disk(name: &str, octets: &[u8]) -> Cached {
    let disk = Cached::new(&[ROOT, LOG]);
    let made = disk.create(&Path::new(LOG).join(name), 0o600);
    made.and_then(|file| file.write_at(0, octets)).unwrap_or_else(|error| panic!("{name}: {error}"));
    disk
}

/// A segment, and where the frames of its messages are.
#[derive(Clone)]
struct Segment {
    name: String,
    octets: Vec<u8>,
    frames: Vec<(u64, Range<usize>)>,
}

/// A segment with messages, made once.
fn written(sealed: bool) -> &'static Segment {
    static SEGMENTS: [OnceLock<Segment>; 2] = [OnceLock::new(), OnceLock::new()];
    SEGMENTS[usize::from(sealed)].get_or_init(|| write(sealed))
}

fn write(sealed: bool) -> Segment {
    let disk = Cached::new(&[]);
    let spool = SegmentLog::open_on(Arc::new(disk.clone()), Path::new(ROOT), options());
    let spool = spool.unwrap_or_else(|fault| panic!("{fault}"));
    let (fence, _) = run(claim(&spool));
    for id in MESSAGES {
        run(spool.commit(fence, vec![accept(id, LEN)])).unwrap_or_else(|fault| panic!("{fault}"));
    }
    let open = first(&disk);
    drop(spool);
    if sealed { first(&disk) } else { open }
}

/// The first segment on a disk.
fn first(disk: &Cached) -> Segment {
    let mut names = disk.list(Path::new(LOG)).unwrap_or_default();
    names.sort();
    let name = names.into_iter().next().unwrap_or_else(|| panic!("there is no segment"));
    let file = disk.open(&Path::new(LOG).join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut log = vec![0; file.len().unwrap_or_default() as usize];
    file.read_at(0, &mut log).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (mut start, mut frames) = (0, Vec::new());
    for id in MESSAGES {
        let body = octets(id, LEN);
        let at = log[start..].windows(LEN).position(|window| window == body);
        let end = start + at.unwrap_or_else(|| panic!("message {id} is not in {name}")) + LEN;
        frames.push((id, start..end));
        start = end;
    }
    Segment { name, octets: log, frames }
}

fn damaged(mut segment: Segment, mut input: Input<'_>) {
    while !input.is_empty() {
        segment.damage(input.octet(), [input.number(), input.number(), input.number()]);
    }
    let (found, _) = starts_alike(&disk(&segment.name, &segment.octets));
    for (id, (_, content)) in &found {
        assert!(MESSAGES.contains(id), "message {id} was never accepted");
        let same = content.as_ref().is_ok_and(|content| *content == octets(*id, LEN));
        assert!(same || content.is_err(), "message {id} has other octets");
    }
    for (id, frame) in &segment.frames {
        let there = found.get(id).is_some_and(|(_, content)| content.is_ok());
        assert!(there, "message {id}, undamaged in {frame:?}, is lost");
    }
}

impl Segment {
    fn damage(&mut self, what: u8, [at, len, from]: [usize; 3]) {
        let size = self.octets.len();
        let at = at % (size + 1);
        let end = (at + len % 2048).min(size);
        match what % 6 {
            0 => self
                .put(at, &self.octets.get(at).map(|octet| octet ^ (len as u8).max(1)).into_iter().collect::<Vec<_>>()),
            1 => self.splice(at..size, &[]),
            2 => self.put(at, &vec![0; end - at]),
            3 => {
                let copy = self.copy(from, end - at);
                self.put(at, &copy);
            }
            4 => {
                let copy = self.copy(from, len % 2048);
                self.splice(at..at, &copy);
            }
            _ => self.splice(at..end, &[]),
        }
    }

    /// Octets from somewhere in it.
    fn copy(&self, from: usize, len: usize) -> Vec<u8> {
        let from = from % (self.octets.len() + 1);
        self.octets[from..(from + len).min(self.octets.len())].to_vec()
    }

    /// Writes over what is there.
    fn put(&mut self, at: usize, octets: &[u8]) {
        let range = at..at + octets.len();
        self.octets[range.clone()].copy_from_slice(octets);
        self.frames.retain(|(_, frame)| frame.end <= range.start || range.end <= frame.start);
    }

    /// Puts octets in the place of others; what is behind them moves.
    fn splice(&mut self, range: Range<usize>, octets: &[u8]) {
        self.octets.splice(range.clone(), octets.iter().copied());
        self.frames.retain(|(_, frame)| frame.end <= range.start || range.end <= frame.start);
        for (_, frame) in self.frames.iter_mut().filter(|(_, frame)| range.end <= frame.start) {
            let moved = |place: usize| place - range.len() + octets.len();
            *frame = moved(frame.start)..moved(frame.end);
        }
    }
}

/// Frames as the format's description has them, one behind the other.
fn frames(mut input: Input<'_>) -> Vec<u8> {
    let mut log = Vec::new();
    while !input.is_empty() {
        let (kind, flags, part, seq, id) = (input.octet(), input.octet(), input.octet(), input.octet(), input.octet());
        let (head_len, body_len) = (input.number(), input.number());
        let (json, body) = (input.take(head_len), input.take(body_len));
        let len = (json.len() as u32).to_le_bytes();
        let head = if flags & 2 == 2 { json.to_vec() } else { [&len[..], json].concat() };
        let start = log.len();
        log.extend_from_slice(&MARKER.to_le_bytes());
        log.extend_from_slice(&[kind, flags & 1, part, 0]);
        for number in [head.len() as u32, body.len() as u32, crc32fast::hash(&head), crc32fast::hash(body)] {
            log.extend_from_slice(&number.to_le_bytes());
        }
        log.extend_from_slice(&u64::from(seq).to_le_bytes());
        log.extend_from_slice(&u64::from(id).to_le_bytes());
        let crc = crc32fast::hash(&log[start..]) ^ u32::from(flags & 4 == 4);
        log.extend_from_slice(&crc.to_le_bytes());
        assert_eq!(log.len() - start, HEADER);
        log.extend_from_slice(&head);
        log.extend_from_slice(body);
    }
    log
}
