//! Files that survive a power cut once they are said to be there, those of many deliveries made durable together.
//!
//! A file is written under a name that nobody looks at, synced, renamed, and its directory synced. Whoever comes while that goes
//! on for others waits, and is then served with all who came: however many they are, their octets are synced at once, and each
//! directory once.

use super::file::LocalFault;
use crate::disk::{File, Files, dirs};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Files that are made durable together, at most.
const BATCH: usize = 128;
/// What is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// A file that is to be at a place for good.
pub(super) struct Deposit {
    /// The name under which it is written, on the file system of `place`.
    pub(super) draft: PathBuf,
    /// Where it is to be. What is there is replaced.
    pub(super) place: PathBuf,
    /// Its permissions.
    pub(super) mode: u32,
    /// Made, in this order, if one that is needed is missing.
    pub(super) directories: Vec<PathBuf>,
    /// Writes its octets.
    pub(super) fill: Fill,
}

/// Writes the octets of a file.
pub(super) type Fill = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + Send>;

/// How it went: where the file is. On a fault nothing is left of the draft; the file may stand at its place all the same if only
/// the directory could not be synced.
pub(super) type Deposited = Result<PathBuf, LocalFault>;

/// Where deliveries leave their files.
#[derive(Clone)]
pub(super) struct Depot {
    files: Arc<dyn Files>,
    /// By folder, so that one that hangs keeps nobody else waiting. Those at which nobody works are not there.
    desks: Arc<Mutex<BTreeMap<PathBuf, Vec<Waiting>>>>,
    /// The folders that are known to be durable: one that is there may be what a crash has left unsynced.
    sure: Arc<Mutex<BTreeSet<PathBuf>>>,
}

struct Waiting {
    deposit: Deposit,
    done: oneshot::Sender<Deposited>,
}

impl Depot {
    /// On these files.
    pub(super) fn new(files: Arc<dyn Files>) -> Self {
        Self { files, desks: Arc::default(), sure: Arc::default() }
    }

    /// Makes the files, and says of each how it went; none if the runtime ended first. Those of one `folder` wait for each other.
    pub(super) async fn put(&self, folder: &Path, deposits: Vec<Deposit>) -> Vec<Option<Deposited>> {
        let (waiting, answers): (Vec<_>, Vec<_>) = deposits
            .into_iter()
            .map(|deposit| {
                let (done, answer) = oneshot::channel();
                (Waiting { deposit, done }, answer)
            })
            .unzip();
        self.hand_in(folder, waiting);
        let mut done = Vec::with_capacity(answers.len());
        for answer in answers {
            done.push(answer.await.ok());
        }
        done
    }

    /// To the desk of the folder, which is opened if nobody works there.
    fn hand_in(&self, folder: &Path, waiting: Vec<Waiting>) {
        let mut desks = lock(&self.desks);
        if let Some(desk) = desks.get_mut(folder) {
            desk.extend(waiting);
            return;
        }
        desks.insert(folder.to_owned(), waiting);
        drop(desks);
        // A runtime that ends drops the clerk at once, who then closes the desk.
        let mut clerk = Clerk { depot: self.clone(), folder: folder.to_owned(), open: true };
        tokio::task::spawn_blocking(move || clerk.work());
    }
}

fn lock(desks: &Mutex<BTreeMap<PathBuf, Vec<Waiting>>>) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<Waiting>>> {
    desks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Works at one desk until nobody waits there.
struct Clerk {
    depot: Depot,
    folder: PathBuf,
    open: bool,
}

impl Clerk {
    fn work(&mut self) {
        while let Some(batch) = self.next() {
            let files = &*self.depot.files;
            if let Err(fault) = self.assure() {
                batch.into_iter().for_each(|waiting| {
                    waiting.answer(Err(LocalFault { path: fault.path.clone(), error: same(&fault.error) }))
                });
                continue;
            }
            if catch_unwind(AssertUnwindSafe(|| make(files, batch))).is_err() {
                tracing::error!(folder = %self.folder.display(), "a delivery into files panicked, a bug; its messages are tried again");
            }
        }
    }

    /// Makes sure, once, that the folder is there for good.
    fn assure(&self) -> Result<(), LocalFault> {
        // Not held over the disk: a folder that hangs is no reason for others to wait.
        let sure = || self.depot.sure.lock().unwrap_or_else(PoisonError::into_inner);
        if !sure().contains(&self.folder) {
            let files = &*self.depot.files;
            dirs::make(files, &self.folder).map_err(|(path, error)| LocalFault { path, error })?;
            let parent = dirs::parent(&self.folder);
            files.sync_dir(parent).map_err(LocalFault::at(parent))?;
            sure().insert(self.folder.clone());
        }
        Ok(())
    }

    /// Whoever waits; none: the desk is closed.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut desks = lock(&self.depot.desks);
        let desk = desks.get_mut(&self.folder).filter(|desk| !desk.is_empty());
        match desk {
            Some(desk) => Some(desk.drain(..desk.len().min(BATCH)).collect()),
            None => {
                self.open = false;
                desks.remove(&self.folder);
                None
            }
        }
    }
}

/// A desk at which nobody will work any more is no place to wait: the runtime ends.
impl Drop for Clerk {
    fn drop(&mut self) {
        if self.open {
            lock(&self.depot.desks).remove(&self.folder);
        }
    }
}

/// One that was written and is not durable yet.
struct Written {
    waiting: Waiting,
    file: Arc<dyn File>,
}

fn make(files: &dyn Files, batch: Vec<Waiting>) {
    let written: Vec<Written> = batch.into_iter().filter_map(|waiting| write(files, waiting)).collect();
    let all: Vec<_> = written.iter().map(|written| written.file.clone()).collect();
    let synced = files.sync_all(&all);
    let mut placed = Vec::with_capacity(written.len());
    for Written { waiting, .. } in written {
        let Deposit { draft, place, .. } = &waiting.deposit;
        let moved = match &synced {
            Ok(()) => with_directories(files, &waiting.deposit, place, || files.rename(draft, place)),
            Err(error) => Err(LocalFault::at(draft)(same(error))),
        };
        match moved {
            Ok(()) => placed.push(waiting),
            Err(fault) => waiting.give_up(files, fault),
        }
    }
    let directories: BTreeSet<&Path> = placed.iter().map(|waiting| dirs::parent(&waiting.deposit.place)).collect();
    let failed: BTreeMap<PathBuf, io::Error> =
        directories.into_iter().filter_map(|path| Some((path.to_owned(), files.sync_dir(path).err()?))).collect();
    for waiting in placed {
        let directory = dirs::parent(&waiting.deposit.place);
        let deposited = match failed.get(directory) {
            None => Ok(waiting.deposit.place.clone()),
            Some(error) => Err(LocalFault::at(directory)(same(error))),
        };
        waiting.answer(deposited);
    }
}

/// One error for all that it concerns.
fn same(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Does what needs the directories; if one is missing, makes them and tries once more.
fn with_directories<T>(
    files: &dyn Files,
    deposit: &Deposit,
    path: &Path,
    what: impl Fn() -> io::Result<T>,
) -> Result<T, LocalFault> {
    match what() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = deposit.directories.iter().try_for_each(|directory| dirs::make(files, directory));
            made.map_err(|(path, error)| LocalFault { path, error })?;
            what().map_err(LocalFault::at(path))
        }
        done => done.map_err(LocalFault::at(path)),
    }
}

/// Writes the draft.
fn write(files: &dyn Files, waiting: Waiting) -> Option<Written> {
    let Deposit { draft, mode, .. } = &waiting.deposit;
    let created = with_directories(files, &waiting.deposit, draft, || files.create(draft, *mode));
    let file = match created {
        Ok(file) => file,
        Err(fault) => {
            waiting.answer(Err(fault));
            return None;
        }
    };
    match fill(&*file, &waiting.deposit) {
        Ok(()) => Some(Written { waiting, file }),
        Err(error) => {
            let fault = LocalFault::at(&waiting.deposit.draft)(error);
            waiting.give_up(files, fault);
            None
        }
    }
}

fn fill(file: &dyn File, deposit: &Deposit) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, Behind { file, at: 0 });
    let filled = (deposit.fill)(&mut out).and_then(|()| out.flush());
    // What could not be written is not written again.
    let _ = out.into_parts();
    filled
}

impl Waiting {
    fn give_up(self, files: &dyn Files, fault: LocalFault) {
        // What can't be removed is swept away by whoever cleans drafts.
        let _ = files.remove(&self.deposit.draft);
        self.answer(Err(fault));
    }

    fn answer(self, deposited: Deposited) {
        // Nobody waits any more if the delivery was given up.
        let _ = self.done.send(deposited);
    }
}

/// Writes to a file, one behind the other.
struct Behind<'a> {
    file: &'a dyn File,
    at: u64,
}

impl Write for Behind<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write_at(self.at, octets)?;
        self.at += octets.len() as u64;
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use std::fs;

    fn deposit(root: &Path, name: &str, fill: impl Fn(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Deposit {
        let (tmp, new) = (root.join("box/tmp"), root.join("box/new"));
        let (draft, place) = (tmp.join(name), new.join(name));
        Deposit { draft, place, mode: 0o600, directories: vec![new, tmp], fill: Box::new(fill) }
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names = Disk.list(path).unwrap();
        names.sort();
        names
    }

    #[tokio::test]
    async fn each_has_its_own_end() {
        let root = tempfile::tempdir().unwrap();
        let full = |_: &mut dyn Write| Err(io::ErrorKind::StorageFull.into());
        let text = |out: &mut dyn Write| out.write_all(b"text");
        let mut away = deposit(root.path(), "away", text);
        away.place = root.path().join("no/where");
        let deposits = vec![
            deposit(root.path(), "one", text),
            deposit(root.path(), "full", full),
            away,
            deposit(root.path(), "two", text),
        ];
        let done = Depot::new(Arc::new(Disk)).put(root.path(), deposits).await;
        let fine: Vec<bool> = done.iter().map(|done| matches!(done, Some(Ok(_)))).collect();
        assert_eq!(fine, [true, false, false, true]);
        assert!(matches!(&done[1], Some(Err(fault)) if fault.error.kind() == io::ErrorKind::StorageFull));
        assert_eq!(names(&root.path().join("box/new")), ["one", "two"]);
        assert!(names(&root.path().join("box/tmp")).is_empty(), "no draft is left");
        assert_eq!(fs::read(root.path().join("box/new/two")).unwrap(), b"text");
    }

    #[tokio::test]
    async fn a_delivery_that_panics_is_no_longer_waited_for_and_the_next_one_goes_on() {
        let root = tempfile::tempdir().unwrap();
        let depot = Depot::new(Arc::new(Disk));
        let done = depot.put(root.path(), vec![deposit(root.path(), "bug", |_| panic!("on purpose"))]).await;
        assert!(matches!(done[..], [None]));
        let done = depot.put(root.path(), vec![deposit(root.path(), "next", |out| out.write_all(b"x"))]).await;
        assert!(matches!(done[..], [Some(Ok(_))]));
    }

    #[test]
    fn a_runtime_that_ends_leaves_nobody_waiting() {
        let root = tempfile::tempdir().unwrap();
        let depot = Depot::new(Arc::new(Disk));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        let _within = handle.enter();
        let mut put = std::pin::pin!(depot.put(root.path(), vec![deposit(root.path(), "late", |_| Ok(()))]));
        let polled = put.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert!(matches!(&polled, std::task::Poll::Ready(done) if matches!(done[..], [None])), "nobody will do it");
        assert!(lock(&depot.desks).is_empty());
    }

    #[tokio::test]
    async fn many_at_once_are_all_there() {
        let root = tempfile::tempdir().unwrap();
        let depot = Depot::new(Arc::new(Disk));
        let one = |n: usize| {
            let (depot, root) = (depot.clone(), root.path().to_owned());
            let deposit = deposit(&root, &n.to_string(), move |out| out.write_all(n.to_string().as_bytes()));
            tokio::spawn(async move { depot.put(&root, vec![deposit]).await })
        };
        let all: Vec<_> = (0..500).map(one).collect();
        for (n, done) in all.into_iter().enumerate() {
            let [Some(Ok(place))] = &done.await.unwrap()[..] else { panic!("{n} failed") };
            assert_eq!(fs::read_to_string(place).unwrap(), n.to_string());
        }
    }
}
