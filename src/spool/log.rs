//! The spool on disk: a log of segments with one committer. The front: what tasks call.

use super::body::Part;
use super::body::{Scattered, checksum};
use super::budget::Budget;
use super::committer::{Committer, Job, Shared, Submission};
use super::draft::{Desk, Draft};
use super::fault::StoreFault;
use super::health::{Health, Usage};
use super::keeper::Keeper;
use super::place::Place;
use super::read::Trail;
use super::record::{Entry, Record};
use super::recover::{Recovery, Stop};
use super::stager;
use super::store::{Claim, Fence, Found, NodeId, Spool};
use super::stored::{Opened, StoredContent};
use super::survey::Survey;
use super::unit::Batch;
use crate::disk::Disk;
use crate::disk::Files;
use crate::mail::{Blob, Content, Id};
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Sizes and times. The defaults suit a server; tests make them small.
#[derive(Clone, Debug)]
pub struct Options {
    /// Octets of a segment. Each is written twice (zeros first), and up to three exist beyond what mail needs.
    pub segment: u64,
    /// Octets of a draft that stay in memory.
    pub draft_memory: usize,
    /// Octets of memory for all drafts.
    pub drafts_memory: usize,
    /// A message with more octets than this gets a file of its own.
    pub large: u64,
    /// The wait before a sick store first tries to recover.
    pub probe_first: Duration,
    /// The longest such wait.
    pub probe_longest: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment: 64 << 20,
            draft_memory: 256 << 10,
            drafts_memory: 128 << 20,
            large: 1 << 20,
            probe_first: Duration::from_millis(100),
            probe_longest: Duration::from_secs(30),
        }
    }
}

/// Messages on disk. Dropping it finishes what was submitted and waits for that; don't do it on a thread of the runtime
/// that has something else to do.
pub struct SegmentLog {
    shared: Arc<Shared>,
    budget: Arc<Budget>,
    desk: Arc<Desk>,
    large: u64,
    committer: Option<Sender<Job>>,
    stager: Option<Sender<Submission>>,
    /// Recovery ends when it is dropped.
    stop: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl SegmentLog {
    /// Opens the spool in this directory, making it if need be, and begins to recover what is there. Blocks on the disk, while it
    /// looks how far segments and ids have come. The caller has locked the directory against other processes.
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreFault> {
        Self::open_on(Arc::new(Disk), dir, options)
    }

    /// The same on other files.
    pub fn open_on(files: Arc<dyn Files>, dir: &Path, options: Options) -> Result<Self, StoreFault> {
        let place = Place::new(dir);
        let survey = Survey::take(&*files, &place)?;
        let (newest, next_number) = (survey.newest(), survey.next_number());
        let shared = Arc::new(Shared::new(files.clone(), place.clone(), survey.index()));
        let thread = |e| StoreFault::io("start a thread", &e);
        let keeper = Keeper::start(files.clone(), place.clone(), options.segment, next_number).map_err(thread)?;
        let (jobs, todo) = channel();
        let (stop, told) = channel();
        let probe = (options.probe_first, options.probe_longest);
        let (shared_too, jobs_too) = (shared.clone(), jobs.clone());
        let recovery = Recovery { shared: shared_too, survey, jobs: jobs_too, probe, stop: Stop(told) };
        let (recovered, recovering) = recovery.start().map_err(thread)?;
        let committer = Committer {
            shared: shared.clone(),
            keeper,
            active: None,
            trouble: None,
            probe,
            aborts: Vec::new(),
            slack: options.segment.saturating_mul(2),
            fence: Fence(0),
            recovered: Some(Found(recovered)),
            newest,
        };
        let run = move || committer.run(&todo);
        let committing = std::thread::Builder::new().name("spool-committer".into()).spawn(run).map_err(thread)?;
        let (stager, staging) = stager::start(jobs.clone()).map_err(thread)?;
        Ok(Self {
            shared,
            budget: Budget::new(options.drafts_memory),
            desk: Arc::new(Desk { files, place, memory_max: options.draft_memory }),
            large: options.large,
            committer: Some(jobs),
            stager: Some(stager),
            stop: Some(stop),
            threads: vec![recovering, staging, committing],
        })
    }

    fn new_draft(&self) -> Draft {
        Draft::new(&self.budget, Some(self.desk.clone()))
    }

    fn submit(&self, submission: Submission) -> Result<(), StoreFault> {
        let sent = if submission.batch.drafts().next().is_some() {
            self.stager.as_ref().is_some_and(|stager| stager.send(submission).is_ok())
        } else {
            self.committer.as_ref().is_some_and(|committer| committer.send(Job::Commit(submission)).is_ok())
        };
        if sent { Ok(()) } else { Err(self.stopped()) }
    }

    /// A thread has ended before its time: nothing is taken any more, and status says so.
    fn stopped(&self) -> StoreFault {
        self.shared.pulse.fail(StoreFault::stopped());
        StoreFault::stopped()
    }

    /// The octets of a message, checked if they were not yet.
    fn scattered(&self, content: &StoredContent) -> Result<Scattered, StoreFault> {
        let id = content.id();
        let index = self.shared.index();
        let slot = index.slot(id).cloned();
        let slot = slot.ok_or_else(|| StoreFault::not_there(id))?;
        let file = index.file(slot.at.segment).cloned().ok_or_else(StoreFault::stopped)?;
        drop(index);
        let in_frame = [Part::Log(slot.body_len.into())];
        let layout = slot.layout.as_deref().unwrap_or(&in_frame);
        let blob = Scattered::open(layout, (file.clone(), slot.body_at()), &*self.shared.files, &self.shared.place)?;
        if !slot.verified {
            let crc = checksum(&*file, slot.body_at(), slot.body_len.into());
            let crc = crc.map_err(|e| StoreFault::io(format_args!("read message {id}"), &e))?;
            let why = if crc == slot.body_crc { blob.verify() } else { Err("the checksum is wrong".into()) };
            why.map_err(|why| StoreFault::Damaged(id, why))?;
            self.shared.index().verified(id);
        }
        Ok(blob)
    }
}

#[async_trait]
impl Spool for SegmentLog {
    fn draft(&self) -> Draft {
        self.new_draft()
    }

    async fn commit(&self, fence: Fence, batch: Vec<Record>) -> Result<(), StoreFault> {
        if batch.is_empty() {
            return Ok(());
        }
        self.shared.pulse.check()?;
        let batch = Batch::encode(batch, self.large, || self.new_draft())?;
        let (reply, answer) = oneshot::channel();
        self.submit(Submission { fence, batch, reply })?;
        answer.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    fn open(&self, content: &StoredContent) -> Result<Content, StoreFault> {
        let blob = self.scattered(content)?;
        let blob: Arc<dyn Blob> = Arc::new(blob);
        Ok(Opened { id: content.id(), blob }.content(content))
    }

    fn entry(&self, id: Id) -> Result<Entry, StoreFault> {
        let trail = Trail::of(&self.shared.index(), id).ok_or_else(|| StoreFault::not_there(id))?;
        trail.read().map_err(|unreadable| unreadable.fault(id))
    }

    async fn claim(&self, _node: NodeId) -> Result<Claim, StoreFault> {
        let (reply, answer) = oneshot::channel();
        let sent = self.committer.as_ref().is_some_and(|committer| committer.send(Job::Claim(reply)).is_ok());
        if !sent {
            return Err(self.stopped());
        }
        answer.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    fn health(&self) -> Health {
        self.shared.pulse.health()
    }

    fn usage(&self) -> Usage {
        self.shared.index().usage()
    }
}

impl Drop for SegmentLog {
    fn drop(&mut self) {
        self.committer = None;
        self.stager = None;
        self.stop = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the spool has panicked");
            }
        }
    }
}
