//! Watching the files that the snapshot was made of.
//!
//! Directories are watched, so that renames and symlink swaps count; a slow poll is the net below. A change is acted upon
//! when the directories have been quiet for a moment, so that half-written files are waited for, though not for ever, and
//! only if their bytes differ. A file that was closed by its writer or renamed is whole, so that the moment is short. That somebody reads a file, as this module does, is no change.

use super::reload::Reloader;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Without a change for so long, files count as written.
const QUIET: Duration = Duration::from_millis(100);
/// The same, if the last change was one that leaves a file whole.
const QUIET_WHOLE: Duration = Duration::from_millis(10);
/// Changes that wait to be looked at. What is lost says no more than those before it.
const CHANGES: usize = 64;
/// Who writes beside the files without a pause is waited for so long.
const QUIET_MAX: Duration = Duration::from_secs(2);
/// Looks at the files in any case.
const POLL: Duration = Duration::from_secs(30);

/// Reloads when files change, until the server stops.
pub async fn watch(reloader: Arc<Reloader>, stopping: CancellationToken) {
    let (sender, mut changes) = mpsc::channel(CHANGES);
    let mut folders = Folders::new(sender);
    loop {
        // What changed before a folder was watched has told nobody: then there is a look in any case.
        let told = folders.follow(&reloader.inputs());
        tokio::select! {
            () = stopping.cancelled() => return,
            () = change(&mut changes, told) => {}
        }
        let inputs = reloader.inputs();
        let unchanged = tokio::task::spawn_blocking(move || inputs.unchanged()).await.unwrap_or(true);
        if !unchanged {
            // The reloader logs how it went.
            let _ = reloader.reload().await;
        }
    }
}

/// Waits until something may have changed, and it is quiet again. `told`: it has been told already.
async fn change(changes: &mut mpsc::Receiver<Change>, told: bool) {
    let mut last = Change::Part;
    if !told {
        match tokio::time::timeout(POLL, changes.recv()).await {
            Ok(Some(change)) => last = change,
            // Nothing can be watched.
            Ok(None) => return tokio::time::sleep(POLL).await,
            Err(_) => return,
        }
    }
    quiet(changes, last).await;
}

/// Waits until nothing has changed for a while.
async fn quiet(changes: &mut mpsc::Receiver<Change>, mut last: Change) {
    let quiet = async {
        while let Ok(Some(change)) = tokio::time::timeout(last.quiet(), changes.recv()).await {
            last = change;
        }
    };
    // Whether it has become quiet or not: the files are looked at.
    let _ = tokio::time::timeout(QUIET_MAX, quiet).await;
}

/// What has become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// More may come: it is being written, or something was taken away for something else.
    Part,
    /// It was closed by its writer, or got its name.
    Whole,
}

impl Change {
    /// None for what changes nothing: opened, read, closed by who did not write.
    fn of(kind: EventKind) -> Option<Self> {
        match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Self::Whole),
            EventKind::Access(_) => None,
            EventKind::Modify(ModifyKind::Name(_)) => Some(Self::Whole),
            _ => Some(Self::Part),
        }
    }

    fn quiet(self) -> Duration {
        match self {
            Self::Part => QUIET,
            Self::Whole => QUIET_WHOLE,
        }
    }
}

/// The folders that are watched.
struct Folders {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

impl Folders {
    fn new(changed: mpsc::Sender<Change>) -> Self {
        let tell = move |event: notify::Result<notify::Event>| {
            // What went wrong with watching may have hidden a change.
            let change = event.map_or(Some(Change::Part), |event| Change::of(event.kind));
            if let Some(change) = change {
                // Where many wait, one more makes no difference.
                let _ = changed.try_send(change);
            }
        };
        let watcher = notify::recommended_watcher(tell);
        let watcher = watcher
            .map_err(
                |error| tracing::warn!(%error, "files can't be watched; they are looked at every {} s", POLL.as_secs()),
            )
            .ok();
        Self { watcher, watched: BTreeSet::new() }
    }

    /// Watches the folders of all files; where a path is a symlink, also the folder that it leads to. Whether any of them
    /// was not watched before.
    fn follow(&mut self, inputs: &super::load::Inputs) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut wanted = BTreeSet::new();
        for path in inputs.seen().keys() {
            wanted.extend(folder(path));
            wanted.extend(path.canonicalize().ok().and_then(|p| folder(&p)));
        }
        for gone in self.watched.difference(&wanted) {
            // A folder that is gone is not watched any more by itself.
            let _ = watcher.unwatch(gone);
        }
        self.watched.retain(|folder| wanted.contains(folder));
        let before = self.watched.len();
        for folder in wanted {
            if !self.watched.contains(&folder) && watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
                self.watched.insert(folder);
            }
        }
        self.watched.len() > before
    }
}

fn folder(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
}
