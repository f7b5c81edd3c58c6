//! What the tests of the spool share: small messages, small segments, files that fail on command.

use bytes::Bytes;
use mailsluice::mail::{Content, Door, Envelope, ForwardPath, Id, Origin, Recipient, ReversePath, Standing, Timestamp};
use mailsluice::spool::{Disk, Entry, Fence, File, Files, NodeId, Options, Record, SegmentLog, Spool, StoreFault};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Sizes at which a few messages fill a segment and a few hundred octets are many.
pub(crate) fn small() -> Options {
    Options {
        segment: 4096,
        draft_memory: 256,
        drafts_memory: 2048,
        large: 1500,
        probe_first: Duration::from_millis(1),
        probe_longest: Duration::from_millis(4),
    }
}

pub(crate) fn envelope(recipients: usize) -> Envelope {
    let mut envelope = Envelope::new(ReversePath::parse("<from@example.org>").unwrap());
    for n in 0..recipients {
        let path = ForwardPath::parse(&format!("<u{n}@example.com>")).unwrap();
        envelope.recipients.push(Recipient::new(path, Standing::Local));
    }
    envelope
}

pub(crate) fn entry(id: u64) -> Entry {
    Entry::new(Id(id), Timestamp(id), Origin::door(Door::Smtp), envelope(2), 3, 0)
}

/// Octets that tell the message and the place, so that a mix-up shows.
pub(crate) fn octets(id: u64, len: usize) -> Bytes {
    (0..len).map(|n| (id as usize * 31 + n * 7 + n / 251) as u8).collect::<Vec<u8>>().into()
}

pub(crate) fn accept(id: u64, len: usize) -> Record {
    Record::Accept(Box::new(entry(id)), Content::from(octets(id, len)))
}

/// An acceptance by way of a draft, as a session makes it, with a field in front.
pub(crate) fn accept_draft(spool: &dyn Spool, id: u64, len: usize) -> Result<(Record, Bytes), StoreFault> {
    let mut draft = spool.draft();
    let octets = octets(id, len);
    for chunk in octets.chunks(100) {
        draft.write(chunk)?;
    }
    assert_eq!(draft.len(), len as u64);
    let content = Content::whole(draft.finish()?).prepend("Received: here\r\n".into());
    let whole = Bytes::from([b"Received: here\r\n", &octets[..]].concat());
    Ok((Record::Accept(Box::new(entry(id)), content), whole))
}

pub(crate) async fn claim(spool: &dyn Spool) -> (Fence, BTreeMap<u64, Entry>) {
    let (fence, entries) = spool.claim(NodeId(1)).await.unwrap();
    let count = entries.len();
    let entries: BTreeMap<_, _> = entries.into_iter().map(|entry| (entry.id.0, entry)).collect();
    assert_eq!(entries.len(), count, "an entry was given out twice");
    (fence, entries)
}

pub(crate) fn read(spool: &dyn Spool, entry: &Entry) -> Bytes {
    spool.open(&entry.content).unwrap().to_bytes().unwrap()
}

pub(crate) fn open(dir: &Path) -> SegmentLog {
    SegmentLog::open(dir, small()).unwrap()
}

/// Which operations fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plan {
    Never,
    /// This one, counted from 1.
    Nth(u64),
    /// This one and all after it, as when the disk or the process dies.
    From(u64),
    /// This one and all after it that need room or write, as when the disk is full.
    WritesFrom(u64),
}

/// Files that fail as planned, and count what is asked of them. On the disk syncs cost nothing, as tests there crash the
/// process and not the machine.
#[derive(Clone)]
pub(crate) struct Faulty(Arc<Meter>);

pub(crate) struct Meter {
    files: Arc<dyn Files>,
    syncs: bool,
    plan: Mutex<Plan>,
    error: io::ErrorKind,
    operations: AtomicU64,
    read: AtomicU64,
    written: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(plan: Plan, error: io::ErrorKind) -> Self {
        Self::on(Arc::new(Disk), false, plan, error)
    }

    /// On these files, which are synced or not.
    pub(crate) fn on(files: Arc<dyn Files>, syncs: bool, plan: Plan, error: io::ErrorKind) -> Self {
        let [operations, read, written] = [0; 3].map(AtomicU64::new);
        Self(Arc::new(Meter { files, syncs, plan: Mutex::new(plan), error, operations, read, written }))
    }

    pub(crate) fn plan(&self, plan: Plan) {
        *self.0.plan.lock().unwrap() = plan;
    }

    pub(crate) fn operations(&self) -> u64 {
        self.0.operations.load(Ordering::SeqCst)
    }

    /// Octets read so far.
    pub(crate) fn octets_read(&self) -> u64 {
        self.0.read.load(Ordering::SeqCst)
    }

    /// Octets written so far.
    pub(crate) fn octets_written(&self) -> u64 {
        self.0.written.load(Ordering::SeqCst)
    }

    /// An operation that writes.
    fn change(&self) -> io::Result<()> {
        let next = self.operations() + 1;
        let full = matches!(*self.0.plan.lock().unwrap(), Plan::WritesFrom(n) if next >= n);
        self.step()?;
        if full { Err(self.0.error.into()) } else { Ok(()) }
    }

    fn step(&self) -> io::Result<()> {
        let now = self.0.operations.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = match *self.0.plan.lock().unwrap() {
            Plan::Never | Plan::WritesFrom(_) => false,
            Plan::Nth(n) => now == n,
            Plan::From(n) => now >= n,
        };
        if fails { Err(self.0.error.into()) } else { Ok(()) }
    }

    fn wrap(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(FaultyFile { file, faulty: self.clone() })
    }
}

impl Files for Faulty {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        self.0.files.create_dir(path)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.change()?;
        Ok(self.wrap(self.0.files.create(path)?))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.step()?;
        Ok(self.wrap(self.0.files.open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        self.0.files.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.0.files.remove(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.step()?;
        self.0.files.list(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        if self.0.syncs { self.0.files.sync_dir(path) } else { Ok(()) }
    }
}

struct FaultyFile {
    file: Arc<dyn File>,
    faulty: Faulty,
}

impl std::fmt::Debug for FaultyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.file.fmt(f)
    }
}

impl File for FaultyFile {
    /// A write that fails has written the first half, or all of a short one.
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.faulty.change().inspect_err(|_| {
            let part = if octets.len() > 2000 { octets.len() / 2 } else { octets.len() };
            self.file.write_at(offset, &octets[..part]).unwrap();
        })?;
        self.faulty.0.written.fetch_add(octets.len() as u64, Ordering::SeqCst);
        self.file.write_at(offset, octets)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.faulty.step()?;
        self.faulty.0.read.fetch_add(buf.len() as u64, Ordering::SeqCst);
        self.file.read_at(offset, buf)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.faulty.change()?;
        if self.faulty.0.syncs { self.file.sync_data() } else { Ok(()) }
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.faulty.step()?;
        self.file.truncate(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.faulty.step()?;
        self.file.len()
    }
}
