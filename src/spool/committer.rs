//! The one thread that writes the log: it gathers what is waiting, writes it, syncs once, and wakes everyone.
//!
//! Failure is in [`super::trouble`], moving old messages in [`super::carry`].

use super::body::Part;
use super::fault::StoreFault;
use super::frame::Kind;
use super::health::Pulse;
use super::index::{At, Index, Segment, Slot};
use super::keeper::{Chore, Keeper};
use super::place::Place;
use super::read::Trail;
use super::rules::{Ahead, Effect};
use super::segment::{Active, Group, capacity_for};
use super::store::{Claim, Fence, Found, Outline};
use super::trouble::Trouble;
use super::unit::{Abort, Batch, Unit};
use crate::disk::Files;
use crate::mail::Id;
use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// What a group takes in before it is written, in octets.
const GROUP: u64 = 8 << 20;

/// What the committer and those who read share.
pub(super) struct Shared {
    pub(super) files: Arc<dyn Files>,
    pub(super) place: Place,
    pub(super) pulse: Pulse,
    index: Mutex<Index>,
}

impl Shared {
    pub(super) fn new(files: Arc<dyn Files>, place: Place, index: Index) -> Self {
        Self { files, place, pulse: Pulse::default(), index: Mutex::new(index) }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something for the committer to do.
pub(super) enum Job {
    /// Make a batch durable.
    Commit(Submission),
    /// Give out all messages and a new fence.
    Claim(oneshot::Sender<Result<Claim, StoreFault>>),
    /// Remove segments that nothing needs.
    Bury,
}

/// A batch, and who waits for it.
pub(super) struct Submission {
    pub(super) fence: Fence,
    pub(super) batch: Batch,
    pub(super) reply: oneshot::Sender<Result<(), StoreFault>>,
}

impl Submission {
    /// Answers, once nothing of the batch is left.
    pub(super) fn answer(self, result: Result<(), StoreFault>) {
        drop(self.batch);
        // Nobody waits any more if the future was dropped.
        let _ = self.reply.send(result);
    }
}

type Waiter = oneshot::Sender<Result<(), StoreFault>>;

/// The committer's state.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) keeper: Keeper,
    pub(super) active: Option<Active>,
    pub(super) trouble: Option<Trouble>,
    /// The first wait before a sick store is tried again, and the longest.
    pub(super) probe: (Duration, Duration),
    /// Batches to be declared void as soon as anything can be written.
    pub(super) aborts: Vec<Abort>,
    /// How much of the log may be dead before anything is carried.
    pub(super) slack: u64,
    pub(super) fence: Fence,
    /// What recovery will give, until it is claimed.
    pub(super) recovered: Option<Found>,
    /// No record that was there is about a newer message.
    pub(super) newest: Id,
}

impl Committer {
    /// Serves until nobody can submit any more, then seals what is open.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut busy = false;
        while let Some(batch) = self.gather(jobs, busy) {
            self.serve(batch);
            self.probe_if_due();
            self.bury();
            busy = self.carry();
        }
        self.retire();
    }

    /// Waits for jobs and takes all that are there. Does not wait if there is other work.
    fn gather(&self, jobs: &Receiver<Job>, busy: bool) -> Option<Vec<Job>> {
        let first = match (&self.trouble, busy) {
            (Some(trouble), _) => match jobs.recv_timeout(trouble.wait()) {
                Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return None,
                Ok(job) => job,
            },
            (None, true) => match jobs.try_recv() {
                Err(TryRecvError::Empty) => return Some(Vec::new()),
                Err(TryRecvError::Disconnected) => return None,
                Ok(job) => job,
            },
            (None, false) => jobs.recv().ok()?,
        };
        Some(std::iter::once(first).chain(jobs.try_iter()).collect())
    }

    fn serve(&mut self, jobs: Vec<Job>) {
        let mut waiting = VecDeque::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Commit(submission) => waiting.push_back(submission),
                Job::Claim(reply) => {
                    self.commit(std::mem::take(&mut waiting));
                    // Nobody waits any more if the future was dropped.
                    let _ = reply.send(self.claim());
                }
                // What every round ends with.
                Job::Bury => {}
            }
        }
        self.commit(waiting);
    }

    fn claim(&mut self) -> Result<Claim, StoreFault> {
        let found = match self.recovered.take() {
            Some(found) => found,
            None => Found::now(self.read_all()?),
        };
        self.fence.0 += 1;
        let newest = self.shared.index().newest().max(self.newest);
        Ok(Claim { fence: self.fence, newest, found })
    }

    fn read_all(&self) -> Result<Vec<Outline>, StoreFault> {
        let ids = self.shared.index().ids();
        let read = |id| {
            let trail = Trail::of(&self.shared.index(), id)?;
            Some(trail.read().map(|entry| Outline::of(&entry)).map_err(|e| e.fault(id)))
        };
        ids.into_iter().filter_map(read).collect()
    }

    fn commit(&mut self, mut waiting: VecDeque<Submission>) {
        while let Some(first) = waiting.front() {
            if let Err(fault) = self.make_room(first.batch.size()) {
                waiting.drain(..).for_each(|submission| submission.answer(Err(fault.clone())));
                return;
            }
            let (group, waiters) = self.pack(&mut waiting);
            let result = self.write(group);
            waiters.into_iter().for_each(|waiter| drop(waiter.send(result.clone())));
        }
    }

    /// Takes as many batches as may go into one write. Those against the rules are answered at once.
    fn pack(&self, waiting: &mut VecDeque<Submission>) -> (Group, Vec<Waiter>) {
        let (mut group, mut waiters, mut ahead) = (Group::default(), Vec::new(), Ahead::default());
        let mut fresh = HashSet::new();
        let Some(active) = &self.active else { return (group, waiters) };
        while let Some(first) = waiting.front() {
            let size = first.batch.size();
            if !active.fits(&group, size) || (!waiters.is_empty() && group.len() + size > GROUP) {
                break;
            }
            let Some(submission) = waiting.pop_front() else { break };
            match self.admit(&submission, &mut ahead, &mut fresh) {
                Ok(()) => {
                    active.place(&mut group, submission.batch);
                    waiters.push(submission.reply);
                }
                Err(fault) => submission.answer(Err(fault)),
            }
        }
        (group, waiters)
    }

    fn admit(&self, it: &Submission, ahead: &mut Ahead, fresh: &mut HashSet<u64>) -> Result<(), StoreFault> {
        if it.fence != self.fence {
            return Err(StoreFault::Fenced);
        }
        let index = self.shared.index();
        let staged = it.batch.drafts().filter(|draft| draft.is_staged()).map(|draft| draft.name);
        fresh.extend(staged);
        for part in it.batch.units.iter().flat_map(|unit| unit.layout.iter().flatten()) {
            if let Part::File(slice) = part
                && !fresh.contains(&slice.name)
                && !index.has_blob(slice.name)
            {
                return Err(StoreFault::Misuse("the content is that of a message that has ended".into()));
            }
        }
        let effects = it.batch.units.iter().map(|unit| (unit.id, unit.effect));
        ahead.admit(effects, |id| index.slot(id).map(|slot| slot.recipients))
    }

    /// Writes a group and puts it in force.
    pub(super) fn write(&mut self, mut group: Group) -> Result<(), StoreFault> {
        let Some(active) = self.active.as_mut().filter(|_| !group.batches.is_empty()) else { return Ok(()) };
        match active.write(&mut group) {
            Ok(()) => {
                let number = active.name.number;
                self.apply(number, group);
                Ok(())
            }
            Err(fault) => {
                self.fail(&fault);
                Err(fault)
            }
        }
    }

    fn apply(&self, segment: u64, group: Group) {
        let mut freed = Vec::new();
        let mut index = self.shared.index();
        for (batch, offsets) in group.batches {
            batch.drafts().for_each(|draft| draft.keep());
            for (unit, offset) in batch.units.into_iter().zip(offsets) {
                freed.extend(put(&mut index, segment, unit, offset));
            }
        }
        // What one record freed a later one may name again.
        freed.retain(|name| !index.has_blob(*name));
        drop(index);
        for name in freed {
            self.keeper.ask(Chore::Remove(self.shared.place.blob(name)));
        }
    }

    /// Makes sure that a batch of this size can be written, in a new segment if need be.
    pub(super) fn make_room(&mut self, size: u64) -> Result<(), StoreFault> {
        self.shared.pulse.check()?;
        if self.active.as_ref().is_some_and(|active| active.fits(&Group::default(), size)) {
            return Ok(());
        }
        self.close_active();
        match self.keeper.next(capacity_for(size)) {
            Ok(active) => {
                self.adopt(active);
                Ok(())
            }
            Err(fault) => {
                self.sicken(&fault);
                Err(fault)
            }
        }
    }

    /// Writes to this segment from now on.
    pub(super) fn adopt(&mut self, active: Active) {
        let (path, file, size) = (active.path.clone(), active.file.clone(), active.capacity);
        let segment = Segment { file, path, size, pinned: true, live: HashSet::new() };
        self.shared.index().add_segment(active.name.number, segment);
        self.active = Some(active);
    }

    fn close_active(&mut self) {
        let Some(active) = self.active.take() else { return };
        let (at, octets) = active.seal();
        self.shared.index().close_segment(active.name.number, Some(at + octets.len() as u64));
        self.keeper.ask(Chore::Seal(active.file, at, octets));
    }

    /// Has the segments removed that nothing needs.
    pub(super) fn bury(&self) {
        for path in self.shared.index().take_dead() {
            self.keeper.ask(Chore::Unlink(path));
        }
    }

    fn retire(&mut self) {
        self.close_active();
        self.bury();
    }
}

/// Enters a record that is durable.
fn put(index: &mut Index, segment: u64, unit: Unit, offset: u64) -> Vec<u64> {
    let (head_len, head_crc) = (unit.head.len() as u32, crc32fast::hash(&unit.head));
    let at = At { segment, offset, head_len, head_crc, kind: unit.kind };
    match (unit.kind, unit.effect) {
        (Kind::Accept | Kind::Carry, Effect::Accept(recipients)) => {
            let verified = unit.kind == Kind::Accept || index.slot(unit.id).is_some_and(|slot| slot.verified);
            let (body_len, body_crc, len) = (unit.body_len, unit.body_crc, unit.len);
            let (layout, changes) = (unit.layout.map(Arc::from), Vec::new());
            index.accept(unit.id, Slot { at, body_len, body_crc, len, recipients, layout, changes, verified });
            Vec::new()
        }
        (Kind::End, _) => index.end(unit.id),
        (Kind::Abort, _) => Vec::new(),
        (_, Effect::Amend(recipients)) => {
            index.change(unit.id, at, recipients);
            Vec::new()
        }
        _ => {
            index.change(unit.id, at, None);
            Vec::new()
        }
    }
}
