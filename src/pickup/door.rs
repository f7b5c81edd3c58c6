//! The task behind the pickup directory: it looks, submits, removes, and comes back to what could not be accepted.
//!
//! It looks when something was moved in, when a file comes due, and every ten seconds in any case. A reload that names another
//! directory, or none, is followed within that time. A few files are on their way at a time; the oldest come first.

use super::file::Stamp;
use super::folder::{self, Found};
use super::shelf::{Due, Shelf};
use super::submit::{Ended, submit};
use super::watch::{Heard, Watch};
use crate::intake::{Badmail, Intake};
use crate::snapshot::Current;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Looks at the directory in any case.
const LOOK: Duration = Duration::from_secs(10);
/// What is moved in together is looked at together.
const GATHER: Duration = Duration::from_millis(5);
/// Files that are on their way at a time.
const AT_ONCE: usize = 8;

/// Serves the pickup directory of the snapshot in force, if it has one, until the server stops. Files that are on their way then
/// are finished.
pub async fn run(current: Arc<Current>, intake: Arc<Intake>, stopping: CancellationToken) {
    let mut door = Door::new(current, intake);
    let mut look_at = Instant::now();
    loop {
        if look_at <= Instant::now() {
            look_at = door.look().await;
        }
        door.start();
        tokio::select! {
            () = stopping.cancelled() => break,
            heard = door.watch.heard() => {
                door.note(heard);
                look_at = look_at.min(Instant::now() + GATHER);
            }
            Some(done) = door.work.join_next() => {
                if let Some(due) = door.done(done) {
                    look_at = look_at.min(due);
                }
            }
            () = sleep_until(look_at) => {}
        }
    }
    while door.work.join_next().await.is_some() {}
}

struct Door {
    current: Arc<Current>,
    intake: Arc<Intake>,
    watch: Watch,
    shelf: Shelf,
    /// The directory that the rest is about.
    folder: Option<PathBuf>,
    ready: VecDeque<Due>,
    work: JoinSet<(Job, After)>,
    /// Why the directory could not be looked at, the last time.
    trouble: Option<String>,
}

/// A file, and where it is.
#[derive(Clone)]
struct Job {
    folder: PathBuf,
    name: OsString,
    stamp: Stamp,
    accepted: bool,
}

/// What is to be done with a file that was worked on.
enum After {
    /// It has gone, or is another one.
    Forget,
    /// It stays, and is tried again. `accepted`: only to remove it.
    Again { accepted: bool, why: String },
}

impl Door {
    fn new(current: Arc<Current>, intake: Arc<Intake>) -> Self {
        Self {
            current,
            intake,
            watch: Watch::new(),
            shelf: Shelf::default(),
            folder: None,
            ready: VecDeque::new(),
            work: JoinSet::new(),
            trouble: None,
        }
    }

    fn note(&mut self, heard: Heard) {
        let mut heard = Some(heard);
        while let Some(one) = heard {
            if let Heard::Renamed(name) = one {
                self.shelf.renamed(name);
            }
            heard = self.watch.more();
        }
    }

    /// Looks at the directory. Returns when to look again.
    async fn look(&mut self) -> Instant {
        let next = Instant::now() + LOOK;
        let wanted = self.current.pin().settings.pickup.directory.clone();
        let new = wanted != self.folder;
        if new {
            // First, so that nothing of it is found a second time if the directory comes back.
            while self.work.join_next().await.is_some() {}
            (self.shelf, self.folder) = (Shelf::default(), wanted);
            self.ready.clear();
        }
        let Some(folder) = self.folder.clone() else { return next };
        let path = folder.clone();
        let looked = move || {
            if new {
                folder::recover(&path)?;
            }
            folder::list(&path)
        };
        let listed = tokio::task::spawn_blocking(looked).await.unwrap_or_else(|e| Err(io::Error::other(e)));
        let Found { id, files } = match listed {
            Ok(found) => found,
            Err(error) => {
                self.complain(&folder, error.to_string());
                if new {
                    // What was left aside has not come back yet.
                    self.folder = None;
                }
                return next;
            }
        };
        self.trouble = None;
        // What came before it was watched was not heard.
        let unheard = self.watch.follow(&folder, id);
        let now = Instant::now();
        self.ready.extend(self.shelf.look(files, now));
        let due = self.shelf.next().map_or(next, |due| due.min(next));
        if unheard { now + GATHER } else { due.max(now + GATHER) }
    }

    /// Once for each trouble.
    fn complain(&mut self, folder: &Path, why: String) {
        if self.trouble.as_ref() != Some(&why) {
            tracing::error!(folder = %folder.display(), why, "the pickup directory can't be looked at; mail in it waits");
            self.trouble = Some(why);
        }
    }

    /// Sends files on their way, as many as there is room for.
    fn start(&mut self) {
        while self.work.len() < AT_ONCE
            && let Some(folder) = &self.folder
            && let Some(Due { name, stamp, accepted }) = self.ready.pop_front()
        {
            let job = Job { folder: folder.clone(), name, stamp, accepted };
            let (current, intake) = (self.current.clone(), self.intake.clone());
            self.work.spawn(async move {
                let after = work(&current, &intake, &job).await;
                (job, after)
            });
        }
    }

    /// One file was worked on. Returns when it is due again, if it is.
    fn done(&mut self, done: Result<(Job, After), tokio::task::JoinError>) -> Option<Instant> {
        let (job, after) = match done {
            Ok(done) => done,
            Err(error) => {
                // Its name is not known any more: that one waits for the next start.
                tracing::error!(%error, "a bug was met while a file was picked up");
                return None;
            }
        };
        match after {
            After::Forget => {
                self.shelf.forget(&job.name);
                None
            }
            After::Again { accepted, why } => {
                let now = Instant::now();
                let pause = self.shelf.put_back(&job.name, accepted, now);
                let file = job.name.to_string_lossy();
                tracing::warn!(%file, why, again_in = pause.as_secs(), "a file stays in the pickup directory");
                Some(now + pause)
            }
        }
    }
}

/// Brings one file to its end, or not.
async fn work(current: &Current, intake: &Intake, job: &Job) -> After {
    let snapshot = current.pin();
    let ended = match job.accepted {
        true => Ended::Accepted,
        false => submit(intake, &snapshot, job.folder.join(&job.name), job.stamp).await,
    };
    let why = match ended {
        Ended::Changed => return After::Forget,
        Ended::Later(why) => return After::Again { accepted: false, why },
        Ended::Accepted => None,
        Ended::Bad(why) => Some(why),
    };
    let accepted = why.is_none();
    let (job, badmail, now) = (job.clone(), Badmail::under(&snapshot.settings.data_dir), intake.clock.now());
    let gone = tokio::task::spawn_blocking(move || match why {
        None => folder::remove(&job.folder, &job.name, job.stamp).and_then(|()| folder::sync(&job.folder)),
        Some(why) => set_aside(&badmail, &job, &why, &now.rfc5322()),
    });
    match gone.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(()) => After::Forget,
        Err(error) if accepted => {
            After::Again { accepted, why: format!("its message is accepted, but it can't be removed: {error}") }
        }
        Err(error) => After::Again { accepted, why: format!("it can't be moved to badmail: {error}") },
    }
}

/// Moves a file to badmail.
fn set_aside(badmail: &Badmail, job: &Job, why: &str, now: &str) -> io::Result<()> {
    let Some(aside) = folder::aside(&job.folder, &job.name, job.stamp)? else { return Ok(()) };
    let (name, from) = (job.name.to_string_lossy(), job.folder.join(&job.name));
    let note = format!("File: {}\nTime: {now}\nReason: {why}", from.display());
    match badmail.put(&name, &aside, &note) {
        Ok(place) => {
            tracing::warn!(file = %name, why, place = %place.display(), "a file of the pickup directory went to badmail");
            folder::sync(&job.folder)
        }
        Err(error) => {
            if aside.exists() {
                folder::back(&aside, &from)?;
            }
            Err(error)
        }
    }
}
