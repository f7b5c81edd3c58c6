//! What a start does with what is there: reads the log, folds it, puts aside what can't be read, sweeps what nobody needs.
//!
//! Sealed segments are read by their index and the heads of living messages only; a head that then turns out damaged
//! makes the whole segment distrusted, and it is scanned. Bodies in sealed segments are checked when they are first
//! opened. Nothing is written to old segments; new mail goes to a new one.

use super::fault::StoreFault;
use super::file::{File, Files};
use super::fold::{Folded, Lost, Message, fold};
use super::frame::Kind;
use super::index::{Index, Segment};
use super::place::{Place, parse_file_name};
use super::quarantine::Quarantine;
use super::read::{Unreadable, head};
use super::record::Entry;
use super::scan::{Damage, scan};
use super::segment::{Found, Name, discard, read_index};
use super::unit::{Abort, parse};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What was there.
pub(super) struct Recovered {
    pub(super) index: Index,
    /// In the order of their ids.
    pub(super) entries: Vec<Entry>,
    /// For the next segment.
    pub(super) next_number: u64,
}

/// A segment as it was found.
pub(super) struct Loaded {
    pub(super) name: Name,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn File>,
    pub(super) size: u64,
    pub(super) frames: Vec<Found>,
    damage: Vec<Damage>,
    /// Every octet of the frames was checked, not only the index.
    pub(super) scanned: bool,
    /// Damage that could not be put aside.
    stays: bool,
}

/// Reads what is there.
pub(super) fn recover(files: &Arc<dyn Files>, place: &Place) -> Result<Recovered, StoreFault> {
    let fault = |e| StoreFault::io(format_args!("recover {}", place.root().display()), &e);
    for dir in [place.log(), place.blobs(), place.drafts(), place.quarantine()] {
        files.create_dir(&dir).map_err(fault)?;
    }
    for dir in std::iter::once(place.root()).chain(place.root().parent().filter(|dir| !dir.as_os_str().is_empty())) {
        files.sync_dir(dir).map_err(fault)?;
    }
    let quarantine = Quarantine::open(files.clone(), place.clone()).map_err(fault)?;
    let names = names(&**files, place)?;
    let next_number = names.last().map_or(1, |last| last.number + 1);
    let mut segments = BTreeMap::new();
    for name in names {
        segments.insert(name.number, load(&**files, place, name).map_err(fault)?);
    }
    let blobs = files.list(&place.blobs()).map_err(fault)?.iter().filter_map(|name| parse_file_name(name)).collect();
    let folded = understand(&mut segments, &blobs)?;
    let damaged = put_aside(&quarantine, &mut segments, &folded.lost);
    let mut recovered = Recovered { index: Index::default(), entries: Vec::new(), next_number };
    add_segments(&mut recovered.index, &**files, segments);
    for Message { entry, slot } in folded.messages {
        recovered.index.accept(entry.id, slot);
        recovered.entries.push(entry);
    }
    sweep(&**files, place, &blobs, &recovered.index, damaged.then_some(&quarantine)).map_err(fault)?;
    tracing::info!(messages = recovered.entries.len(), damaged, "the spool is open");
    Ok(recovered)
}

/// The segments in their order.
fn names(files: &dyn Files, place: &Place) -> Result<Vec<Name>, StoreFault> {
    let listed = files.list(&place.log()).map_err(|e| StoreFault::io("list the log", &e))?;
    let mut names = Vec::new();
    for text in listed {
        match Name::parse(&text) {
            Some(name) => names.push(name),
            None if text.contains(".seg") => {
                let path = place.log().join(&text);
                return Err(StoreFault::Misuse(format!(
                    "{} is of a format that this version does not know; start the version that wrote it, or move it away",
                    path.display()
                )));
            }
            None => tracing::warn!(file = text, "a file in the spool's log is no segment and is left alone"),
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn load(files: &dyn Files, place: &Place, name: Name) -> io::Result<Loaded> {
    let path = place.log().join(name.to_string());
    let file = files.open(&path)?;
    let size = file.len()?;
    let (damage, stays) = (Vec::new(), false);
    if let Some(frames) = read_index(&*file, name.marker) {
        return Ok(Loaded { name, path, file, size, frames, damage, scanned: false, stays });
    }
    let mut loaded = Loaded { name, path, file, size, frames: Vec::new(), damage, scanned: false, stays };
    rescan(&mut loaded)?;
    Ok(loaded)
}

/// Scans a segment. What is found may so far only be in memory: it must not be lost once it was acted upon.
fn rescan(segment: &mut Loaded) -> io::Result<()> {
    segment.file.sync_data()?;
    let scan = scan(&segment.file.read_vec(0, segment.size)?, segment.name.marker);
    (segment.frames, segment.damage, segment.scanned) = (scan.frames, scan.damage, true);
    Ok(())
}

/// Follows every message through the log, scanning segments whose index turns out not to be trusted.
fn understand(segments: &mut BTreeMap<u64, Loaded>, blobs: &HashSet<u64>) -> Result<Folded, StoreFault> {
    loop {
        let distrusted = match void(segments).and_then(|void| fold(segments, &void, blobs)) {
            Ok(folded) => return Ok(folded),
            Err(number) => segments.get_mut(&number).filter(|segment| !segment.scanned),
        };
        let segment = distrusted.ok_or_else(StoreFault::stopped)?;
        tracing::warn!(segment = %segment.name, "a record that the segment's index names is damaged; scanning it");
        let path = segment.path.display().to_string();
        rescan(segment).map_err(|e| StoreFault::io(format_args!("scan {path}"), &e))?;
    }
}

/// From which batch on each failed segment is void.
fn void(segments: &BTreeMap<u64, Loaded>) -> Result<HashMap<u64, u64>, u64> {
    let mut void = HashMap::new();
    for (number, segment) in segments {
        for found in segment.frames.iter().filter(|found| found.header.kind == Kind::Abort) {
            let at = found.at(*number);
            let abort = head(&*segment.file, at).and_then(|head| {
                let bad = |why| Unreadable { at, damaged: false, why };
                parse::<Abort>(&head).map(|(abort, _)| abort).map_err(bad)
            });
            match abort {
                Ok(Abort { segment, seq }) => {
                    let from = void.entry(segment).or_insert(seq);
                    *from = seq.min(*from);
                }
                Err(_) if !segment.scanned => return Err(*number),
                Err(Unreadable { why, .. }) => tracing::error!(segment = %segment.name, why, "an abort can't be read"),
            }
        }
    }
    Ok(void)
}

/// Puts everything aside that could not be read, and says whether there was anything.
fn put_aside(quarantine: &Quarantine, segments: &mut BTreeMap<u64, Loaded>, lost: &[Lost]) -> bool {
    for Lost { at, id, why } in lost {
        let Some(segment) = segments.get_mut(&at.segment) else { continue };
        let len = segment.frames.iter().find(|found| found.offset == at.offset).map_or(0, |found| found.header.len());
        let range = at.offset..at.offset + len;
        segment.damage.push(Damage { range, id: Some(*id), why: why.clone().into() });
    }
    let mut any = false;
    for segment in segments.values_mut() {
        for damage in &segment.damage {
            any = true;
            segment.stays |= !quarantine.keep(segment.name, &*segment.file, damage);
        }
    }
    any
}

/// Enters the segments, but for those that never held anything.
fn add_segments(index: &mut Index, files: &dyn Files, segments: BTreeMap<u64, Loaded>) {
    for (number, segment) in segments {
        let Loaded { path, file, size, stays: pinned, .. } = segment;
        if segment.frames.is_empty() && segment.damage.is_empty() {
            discard(files, &path);
            continue;
        }
        index.add_segment(number, Segment { file, path, size, pinned, live: HashSet::new() });
    }
}

/// Removes drafts, and files of `blobs/` that nothing names; those are put aside if they may belong to a lost record.
fn sweep(
    files: &dyn Files,
    place: &Place,
    blobs: &HashSet<u64>,
    index: &Index,
    quarantine: Option<&Quarantine>,
) -> io::Result<()> {
    for name in files.list(&place.drafts())? {
        files.remove(&place.drafts().join(name))?;
    }
    for name in blobs.iter().filter(|name| !index.has_blob(**name)) {
        match quarantine {
            Some(quarantine) => quarantine.keep_blob(*name)?,
            None => files.remove(&place.blob(*name))?,
        }
    }
    Ok(())
}
