//! The history: accounts of what is no longer in the spool and the track of every message, in files that rotate, and a live feed.
//!
//! One JSON line per account under `history/`. Writing happens on a thread of its own and is not synced: the history
//! explains, it does not promise. What the thread can't keep up with is dropped and counted.

use super::account::{Account, State};
pub use super::rotated::Keep;
use super::rotated::{self, Files};
use super::track::Step;
use crate::mail::Id;
use crate::spool::{Entry, Json};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::broadcast;

/// Accounts that may wait for the writer.
const QUEUE: usize = 4096;
/// Octets that they may take, as [`Account::weight`] guesses: a disk that hangs must not fill the memory.
const QUEUE_OCTETS: usize = 32 << 20;
/// Accounts that a slow `tail` may lag behind.
const FEED: usize = 1024;
/// Where the track lies in the folder.
const TRACK: &str = "track";

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
    /// A step of the track.
    Step(Box<Step>),
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
        let (jobs, receiver) = sync_channel(QUEUE);
        let files = Files::open(folder, keep)?;
        let track = Files::open(&folder.join(TRACK), keep)?;
        let mut history = Self::without_writer(folder, jobs);
        let waiting = history.waiting.clone();
        let work = move || write_all(files, track, &receiver, &waiting);
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

    /// Notes a step in the life of a message.
    pub fn track(&self, step: Step) {
        self.write(Line::Step(Box::new(step)), size_of::<Step>());
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
        rotated::find(&self.folder, limit, wanted)
    }

    /// The steps that `wanted` picks, newest first, `limit` at most. Reads files; not for the event loop.
    pub fn steps(&self, limit: usize, wanted: impl Fn(&Step) -> bool) -> io::Result<Vec<Step>> {
        self.flush();
        rotated::find(&self.folder.join(TRACK), limit, wanted)
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

fn write_all(mut files: Files, mut track: Files, jobs: &Receiver<Job>, waiting: &AtomicUsize) {
    let mut healthy = true;
    while let Ok(job) = jobs.recv() {
        let result = match job {
            Job::Write(line, weight) => {
                let result = match line {
                    Line::Account(account) => files.write(&account, account.time),
                    Line::Kept(account) => files.write(&account, account.time),
                    Line::Step(step) => track.write(&step, step.time),
                };
                waiting.fetch_sub(weight, Relaxed);
                result
            }
            Job::Flush(done) => {
                let result = files.flush().and_then(|()| track.flush());
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
    if let Err(error) = files.flush().and_then(|()| track.flush()) {
        tracing::error!(%error, "the end of the history could not be written");
    }
}

#[cfg(test)]
mod tests {
    use super::super::rotated::path;
    use super::*;
    use crate::event::Ledger;
    use crate::mail::{Door, Origin, Timestamp};
    use std::fs;
    use std::time::Duration;

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
        let files = fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().metadata().unwrap());
        let size: u64 = files.filter(std::fs::Metadata::is_file).map(|file| file.len()).sum();
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
