//! What becomes of that which was there: read, folded, given to whoever claims it; what can't be read is put aside, and what
//! nobody needs is swept.
//!
//! This goes on on a thread of its own while new mail is accepted into new segments. Nothing is written to old ones, and none of
//! them goes before all of them are understood. Sealed segments are read by their index and the heads of living messages only; a
//! head that then turns out damaged makes the whole segment distrusted, and it is scanned. Bodies in sealed segments are checked
//! when they are first opened. A disk that fails meanwhile is no damage: all is read again a little later.

use super::committer::{Job, Shared};
use super::fault::StoreFault;
use super::fold::{Folded, Halt, Lost, Message, fold};
use super::frame::Kind;
use super::quarantine::Quarantine;
use super::read::{Defect, Unreadable, head};
use super::scan::Damage;
use super::segment::discard;
use super::store::Outline;
use super::survey::{Loaded, Survey};
use super::unit::{Abort, parse};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Messages that are entered before others may look at the index.
const STRIDE: usize = 4096;

/// Recovery on its thread.
pub(super) struct Recovery {
    pub(super) shared: Arc<Shared>,
    pub(super) survey: Survey,
    /// The committer, which has segments to remove when it is over.
    pub(super) jobs: Sender<Job>,
    /// The first wait before it is tried again, and the longest.
    pub(super) probe: (Duration, Duration),
    pub(super) stop: Stop,
}

/// Told to stop when the other end is dropped.
pub(super) struct Stop(pub(super) Receiver<()>);

impl Stop {
    pub(super) fn is_told(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Waits. False if it was told to stop.
    fn pause(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }
}

impl Recovery {
    /// Starts the thread. What it gives comes when all is known; nothing, if it was told to stop before.
    pub(super) fn start(self) -> io::Result<(oneshot::Receiver<Vec<Outline>>, JoinHandle<()>)> {
        let (give, found) = oneshot::channel();
        // What it has to say goes where whoever opens the spool says it.
        let log = tracing::dispatcher::get_default(Clone::clone);
        let run = move || tracing::dispatcher::with_default(&log, || self.run(give));
        let thread = std::thread::Builder::new().name("spool-recovery".into()).spawn(run)?;
        Ok((found, thread))
    }

    fn run(mut self, give: oneshot::Sender<Vec<Outline>>) {
        let mut pause = self.probe.0;
        loop {
            match self.recover() {
                Ok(Some(outlines)) => {
                    tracing::info!(messages = outlines.len(), "the spool is read");
                    // Nobody waits for it if the spool was never claimed.
                    let _ = give.send(outlines);
                    // The committer ends only after this thread.
                    let _ = self.jobs.send(Job::Bury);
                    return;
                }
                Ok(None) => return,
                Err(fault) => {
                    let seconds = pause.as_secs_f32();
                    tracing::error!(%fault, "what was in the spool can't be read, and is not delivered; trying again in {seconds} s");
                }
            }
            if !self.stop.pause(pause) {
                return;
            }
            pause = self.probe.1.min(pause * 2);
        }
    }

    /// All of it; none if it was told to stop. After a fault it can be called again: only the last step changes anything that
    /// counts.
    fn recover(&mut self) -> Result<Option<Vec<Outline>>, StoreFault> {
        let fault = |e| StoreFault::io("recover", &e);
        let Some(folded) = self.understand()? else { return Ok(None) };
        let quarantine = Quarantine::open(self.shared.files.clone(), self.shared.place.clone()).map_err(fault)?;
        let damaged = put_aside(&quarantine, &mut self.survey.segments, &folded.lost);
        self.sweep(&folded.messages, damaged.then_some(&quarantine)).map_err(fault)?;
        Ok(Some(self.enter(folded.messages)))
    }

    /// Follows every message through the log, scanning segments whose index turns out not to be trusted.
    fn understand(&mut self) -> Result<Option<Folded>, StoreFault> {
        let Survey { segments, blobs, .. } = &mut self.survey;
        loop {
            let number = match void(segments).and_then(|void| fold(segments, &void, blobs, &self.stop)) {
                Ok(folded) => return Ok(Some(folded)),
                Err(Halt::Stopped) => return Ok(None),
                Err(Halt::Unreadable(fault)) => return Err(fault),
                Err(Halt::Distrusted(number)) => number,
            };
            let distrusted = segments.get_mut(&number).filter(|segment| !segment.scanned);
            let segment = distrusted.ok_or_else(StoreFault::stopped)?;
            tracing::warn!(segment = %segment.name, "a record that the segment's index names is damaged; scanning it");
            let path = segment.path.display().to_string();
            segment.rescan().map_err(|e| StoreFault::io(format_args!("scan {path}"), &e))?;
        }
    }

    /// Removes old drafts, and files of `blobs/` that nothing names; those are put aside if they may belong to a lost record.
    fn sweep(&self, messages: &[Message], quarantine: Option<&Quarantine>) -> io::Result<()> {
        let Shared { files, place, .. } = &*self.shared;
        for name in &self.survey.drafts {
            gone(files.remove(&place.drafts().join(name)))?;
        }
        let needed: HashSet<u64> = messages.iter().flat_map(|message| message.slot.blobs()).collect();
        for name in self.survey.blobs.iter().filter(|name| !needed.contains(name)) {
            match quarantine {
                Some(quarantine) => gone(quarantine.keep_blob(*name))?,
                None => gone(files.remove(&place.blob(*name)))?,
            }
        }
        Ok(())
    }

    /// Enters messages and segments into the index. Segments that never held anything are removed.
    fn enter(&mut self, messages: Vec<Message>) -> Vec<Outline> {
        let mut outlines = Vec::with_capacity(messages.len());
        let mut messages = messages.into_iter().peekable();
        while messages.peek().is_some() {
            let mut index = self.shared.index();
            for Message { outline, slot } in messages.by_ref().take(STRIDE) {
                index.accept(outline.id, slot);
                outlines.push(outline);
            }
        }
        for (number, segment) in std::mem::take(&mut self.survey.segments) {
            let mut index = self.shared.index();
            if segment.frames.is_empty() && segment.damage.is_empty() {
                index.forget_segment(number);
                drop(index);
                discard(&*self.shared.files, &segment.path);
            } else if !segment.stays {
                index.close_segment(number, None);
            }
        }
        self.shared.index().recovered();
        outlines
    }
}

/// What an earlier try has done already is no error.
fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// From which batch on each failed segment is void.
fn void(segments: &BTreeMap<u64, Loaded>) -> Result<HashMap<u64, u64>, Halt> {
    let mut void = HashMap::new();
    for (number, segment) in segments {
        for found in segment.frames.iter().filter(|found| found.header.kind == Kind::Abort) {
            let at = found.at(*number);
            let abort = head(&*segment.file, at).and_then(|head| {
                let bad = |why| Unreadable { at, defect: Defect::Senseless(why) };
                parse::<Abort>(&head).map(|(abort, _)| abort).map_err(bad)
            });
            match abort {
                Ok(Abort { segment, seq }) => {
                    let from = void.entry(segment).or_insert(seq);
                    *from = seq.min(*from);
                }
                Err(Unreadable { defect: Defect::Disk(fault), .. }) => return Err(Halt::Unreadable(fault)),
                Err(_) if !segment.scanned => return Err(Halt::Distrusted(*number)),
                Err(Unreadable { defect, .. }) => {
                    tracing::error!(segment = %segment.name, why = %defect, "an abort can't be read")
                }
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
        if !segment.damage.iter().any(|damage| damage.range == range) {
            segment.damage.push(Damage { range, id: Some(*id), why: why.clone().into() });
        }
    }
    let mut any = false;
    for segment in segments.values_mut() {
        segment.stays = false;
        for damage in &segment.damage {
            any = true;
            segment.stays |= !quarantine.keep(segment.name, &*segment.file, damage);
        }
    }
    any
}
