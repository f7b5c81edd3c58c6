//! The history: accounts of what is no longer in the spool, in files that rotate, and a live feed.
//!
//! One JSON line per account under `history/`. Writing happens on a thread of its own and is not synced: the history
//! explains, it does not promise. What the thread can't keep up with is dropped and counted.

use super::account::{Account, State};
use crate::mail::{Id, Timestamp};
use crate::spool::{Entry, Json};
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::broadcast;

/// Accounts that may wait for the writer.
const QUEUE: usize = 4096;
/// Octets that they may take, as [`Account::weight`] guesses: a disk that hangs must not fill the memory.
const QUEUE_OCTETS: usize = 32 << 20;
/// Accounts that a slow `tail` may lag behind.
const FEED: usize = 1024;
/// The history is kept in this many files; the oldest goes whole.
const FILES: u64 = 8;

/// How much to keep.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Octets over all files.
    pub size: u64,
    /// No longer than this.
    pub time: Duration,
}

enum Job {
    /// An account, and what it weighs.
    Write(Line, usize),
    /// Everything sent before is written when the answer comes.
    Flush(SyncSender<()>),
}

/// What becomes a line.
enum Line {
    Account(Box<Account>),
    /// Its ledger is JSON already.
    Kept(Box<Account<Json>>),
}

/// Writes accounts, finds them again, and feeds those who watch.
pub struct History {
    folder: PathBuf,
    jobs: Mutex<Option<SyncSender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    feed: broadcast::Sender<Arc<Account>>,
    /// Octets that wait for the writer.
    waiting: Arc<AtomicUsize>,
    dropped: AtomicU64,
}

impl History {
    /// Opens or creates the folder and starts the writer.
    pub fn open(folder: &Path, keep: Keep) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (jobs, receiver) = sync_channel(QUEUE);
        let files = Files::open(folder, keep)?;
        let mut history = Self::without_writer(folder, jobs);
        let waiting = history.waiting.clone();
        let work = move || write_all(files, &receiver, &waiting);
        history.writer = Mutex::new(Some(std::thread::Builder::new().name("history".into()).spawn(work)?));
        Ok(history)
    }

    fn without_writer(folder: &Path, jobs: SyncSender<Job>) -> Self {
        Self {
            folder: folder.to_owned(),
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::default(),
            feed: broadcast::channel(FEED).0,
            waiting: Arc::default(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Notes an account.
    pub fn note(&self, account: Account) {
        if self.feed.receiver_count() > 0 {
            // Nobody listening any more is no error.
            let _ = self.feed.send(Arc::new(account.clone()));
        }
        let weight = account.weight();
        self.write(Line::Account(Box::new(account)), weight);
    }

    /// Notes the account of a message that leaves the spool.
    pub fn note_entry(&self, entry: &Entry, state: State) {
        self.announce(|| Account::of_entry(entry, state));
        let account = Account::as_kept(entry, state);
        let weight = account.weight();
        self.write(Line::Kept(Box::new(account)), weight);
    }

    fn write(&self, line: Line, weight: usize) {
        let room = self.waiting.fetch_add(weight, Relaxed) < QUEUE_OCTETS;
        let sent = room && self.sender().is_some_and(|jobs| jobs.try_send(Job::Write(line, weight)).is_ok());
        if !sent {
            self.waiting.fetch_sub(weight, Relaxed);
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Tells the live feed of something that stays in the spool, without keeping it here.
    pub fn announce(&self, account: impl FnOnce() -> Account) {
        if self.feed.receiver_count() > 0 {
            let _ = self.feed.send(Arc::new(account()));
        }
    }

    /// Accounts as they happen.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Account>> {
        self.feed.subscribe()
    }

    /// Accounts that the writer could not take.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// The accounts that `wanted` picks, newest first, `limit` at most. Reads files; not for the event loop.
    pub fn find(&self, limit: usize, wanted: impl Fn(&Account) -> bool) -> io::Result<Vec<Account>> {
        self.flush();
        let mut found: Vec<Account> = Vec::new();
        for number in numbers(&self.folder)?.into_iter().rev() {
            let file = match File::open(path(&self.folder, number)) {
                // The writer has dropped it in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            found.extend(read(file, &wanted)?.into_iter().rev());
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The account with this id.
    pub fn get(&self, id: Id) -> io::Result<Option<Account>> {
        Ok(self.find(1, |a| a.id == id)?.pop())
    }

    fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.sender().is_some_and(|jobs| jobs.send(Job::Flush(done)).is_ok()) {
            let _ = wait.recv();
        }
    }

    fn sender(&self) -> Option<SyncSender<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|w| w.join().is_err()) {
            tracing::error!("the history's writer has panicked");
        }
    }
}

fn write_all(mut files: Files, jobs: &Receiver<Job>, waiting: &AtomicUsize) {
    let mut healthy = true;
    while let Ok(job) = jobs.recv() {
        let result = match job {
            Job::Write(line, weight) => {
                let result = match line {
                    Line::Account(account) => files.write(&account),
                    Line::Kept(account) => files.write(&account),
                };
                waiting.fetch_sub(weight, Relaxed);
                result
            }
            Job::Flush(done) => {
                let result = files.out.flush();
                let _ = done.send(());
                result
            }
        };
        if let Err(error) = &result
            && healthy
        {
            tracing::error!(%error, folder = %files.folder.display(), "the history can't be written; `why` will not know what happens now");
        }
        healthy = result.is_ok();
    }
    if let Err(error) = files.out.flush() {
        tracing::error!(%error, "the end of the history could not be written");
    }
}

/// The files on disk, the newest open for writing.
struct Files {
    folder: PathBuf,
    keep: Keep,
    number: u64,
    written: u64,
    out: BufWriter<File>,
}

impl Files {
    fn open(folder: &Path, keep: Keep) -> io::Result<Self> {
        let number = numbers(folder)?.pop().unwrap_or(1);
        let file = append(&path(folder, number))?;
        let written = file.metadata()?.len();
        Ok(Self { folder: folder.to_owned(), keep, number, written, out: BufWriter::new(file) })
    }

    fn write<L: Serialize>(&mut self, account: &Account<L>) -> io::Result<()> {
        let mut line = serde_json::to_vec(account)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.written += line.len() as u64;
        if self.written >= (self.keep.size / FILES).max(4096) { self.rotate(account.time) } else { Ok(()) }
    }

    fn rotate(&mut self, now: Timestamp) -> io::Result<()> {
        self.out.flush()?;
        self.number += 1;
        self.written = 0;
        self.out = BufWriter::new(append(&path(&self.folder, self.number))?);
        for old in numbers(&self.folder)? {
            let path = path(&self.folder, old);
            if old + FILES <= self.number || (old < self.number && self.is_old(&path, now)?) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn is_old(&self, path: &Path, now: Timestamp) -> io::Result<bool> {
        let modified = fs::metadata(path)?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok(now.since(Timestamp(0).plus(modified)) > self.keep.time)
    }
}

/// Opens a file to write behind what it holds. A line that a crash has torn is ended, so that it spoils no other.
fn append(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// The accounts in one file that `wanted` picks. A line torn by a crash, perhaps within a character, is no account.
fn read(file: File, wanted: &impl Fn(&Account) -> bool) -> io::Result<Vec<Account>> {
    let (mut file, mut line, mut found) = (BufReader::new(file), Vec::new(), Vec::new());
    while file.read_until(b'\n', &mut line)? > 0 {
        found.extend(serde_json::from_slice::<Account>(&line).ok().filter(wanted));
        line.clear();
    }
    Ok(found)
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.jsonl"))
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for item in fs::read_dir(folder)? {
        let name = item?.file_name();
        numbers.extend(name.to_str().and_then(|n| n.strip_suffix(".jsonl")).and_then(|n| n.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Ledger;
    use crate::mail::{Door, Origin};

    fn account(n: u64) -> Account {
        Account::of_session(Id(n), Timestamp(n), &Origin::door(Door::Smtp), Ledger::default(), "554 no".into())
    }

    #[test]
    fn found_again_newest_first_and_after_a_restart_but_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let keep = Keep { size: 8 * 4096, time: Duration::from_secs(60) };
        let history = History::open(dir.path(), keep).unwrap();
        (0..1000).for_each(|n| history.note(account(n)));
        assert_eq!(history.get(Id(999)).unwrap(), Some(account(999)));
        assert_eq!(history.get(Id(0)).unwrap(), None, "the oldest file is gone");
        let two = history.find(2, |a| a.id.0 % 2 == 0).unwrap();
        assert_eq!(two.iter().map(|a| a.id.0).collect::<Vec<_>>(), [998, 996]);
        drop(history);
        let size: u64 = fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
        assert!(size < 10 * 4096, "{size}");
        // A line torn within a character.
        fs::write(path(dir.path(), 99), b"{\"id\":\"torn\xc3").unwrap();
        let history = History::open(dir.path(), keep).unwrap();
        assert!(history.get(Id(999)).unwrap().is_some());
        history.note(account(1000));
        assert!(history.get(Id(1000)).unwrap().is_some(), "what follows a torn line is no part of it");
    }

    #[test]
    fn large_accounts_do_not_wait_by_the_thousand() {
        let (jobs, waiting) = sync_channel(QUEUE);
        let history = History::without_writer(Path::new("nowhere"), jobs);
        let mut large = account(1);
        large.reply = Some("x".repeat(1 << 20));
        (0..1000).for_each(|_| history.note(large.clone()));
        let wait = waiting.try_iter().count();
        assert_eq!((wait, history.dropped()), (32, 968));
    }

    #[test]
    fn a_file_that_goes_while_others_look_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path(), Keep { size: 1 << 20, time: Duration::from_secs(60) }).unwrap();
        history.note(account(1));
        std::os::unix::fs::symlink(dir.path().join("gone"), path(dir.path(), 0)).unwrap();
        assert_eq!(history.find(9, |_| true).unwrap(), [account(1)]);
    }

    #[tokio::test]
    async fn who_watches_is_fed() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path(), Keep { size: 1 << 20, time: Duration::from_secs(60) }).unwrap();
        let mut feed = history.watch();
        history.note(account(7));
        history.announce(|| account(8));
        assert_eq!((feed.recv().await.unwrap().id, feed.recv().await.unwrap().id), (Id(7), Id(8)));
        assert_eq!(history.get(Id(8)).unwrap(), None);
    }
}
