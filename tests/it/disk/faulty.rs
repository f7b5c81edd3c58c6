//! Files that fail as planned, and count what is asked of them.

use mailsluice::disk::{Disk, File, Files};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

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

/// Files that fail as planned. On the disk syncs cost nothing, as tests there crash the process and not the machine.
#[derive(Clone)]
pub(crate) struct Faulty(Arc<Meter>);

struct Meter {
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
        self.0.operations.load(SeqCst)
    }

    /// Octets read so far.
    pub(crate) fn octets_read(&self) -> u64 {
        self.0.read.load(SeqCst)
    }

    /// Octets written so far.
    pub(crate) fn octets_written(&self) -> u64 {
        self.0.written.load(SeqCst)
    }

    /// An operation that writes. Its number, if it fails.
    fn change(&self) -> Result<(), u64> {
        self.step(true)
    }

    fn look(&self) -> io::Result<()> {
        self.step(false).map_err(|_| self.error())
    }

    fn step(&self, writes: bool) -> Result<(), u64> {
        let plan = self.0.plan.lock().unwrap();
        let now = self.0.operations.fetch_add(1, SeqCst) + 1;
        let fails = match *plan {
            Plan::Never => false,
            Plan::Nth(n) => now == n,
            Plan::From(n) => now >= n,
            Plan::WritesFrom(n) => writes && now >= n,
        };
        if fails { Err(now) } else { Ok(()) }
    }

    fn error(&self) -> io::Error {
        self.0.error.into()
    }

    fn wrap(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(FaultyFile { file, faulty: self.clone() })
    }
}

impl Files for Faulty {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change().map_err(|_| self.error())?;
        self.0.files.create_dir(path)
    }
    fn is_dir(&self, path: &Path) -> io::Result<bool> {
        self.look()?;
        self.0.files.is_dir(path)
    }
    fn create(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>> {
        self.change().map_err(|_| self.error())?;
        Ok(self.wrap(self.0.files.create(path, mode)?))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.look()?;
        Ok(self.wrap(self.0.files.open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change().map_err(|_| self.error())?;
        self.0.files.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.look()?;
        self.0.files.remove(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.look()?;
        self.0.files.list(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.change().map_err(|_| self.error())?;
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
    /// A write that fails has written nothing, a part, all but the last octet, or all.
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        if let Err(number) = self.faulty.change() {
            let len = octets.len();
            let written = [0, len / 2, len.saturating_sub(1), len][number as usize % 4];
            self.file.write_at(offset, &octets[..written]).unwrap();
            return Err(self.faulty.error());
        }
        self.faulty.0.written.fetch_add(octets.len() as u64, SeqCst);
        self.file.write_at(offset, octets)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.faulty.look()?;
        self.faulty.0.read.fetch_add(buf.len() as u64, SeqCst);
        self.file.read_at(offset, buf)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.faulty.change().map_err(|_| self.faulty.error())?;
        if self.faulty.0.syncs { self.file.sync_data() } else { Ok(()) }
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.faulty.look()?;
        self.file.truncate(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.faulty.look()?;
        self.file.len()
    }
}
