//! Watching the files that the snapshot was made of.
//!
//! Directories are watched, so that renames and symlink swaps count; a slow poll is the net below. A change is acted upon
//! when the files have been quiet for a moment, so that half-written ones are waited for, and only if their bytes differ.

use super::reload::Reloader;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Without a change for so long, files count as written.
const QUIET: Duration = Duration::from_millis(100);
/// Looks at the files in any case.
const POLL: Duration = Duration::from_secs(30);

/// Reloads when files change, until the server stops.
pub async fn watch(reloader: Arc<Reloader>, stopping: CancellationToken) {
    let (sender, mut changes) = mpsc::channel(1);
    let mut folders = Folders::new(sender);
    loop {
        folders.follow(&reloader.inputs());
        tokio::select! {
            () = stopping.cancelled() => return,
            Some(()) = changes.recv() => quiet(&mut changes).await,
            () = tokio::time::sleep(POLL) => {}
        }
        let inputs = reloader.inputs();
        let unchanged = tokio::task::spawn_blocking(move || inputs.unchanged()).await.unwrap_or(true);
        if !unchanged {
            // The reloader logs how it went.
            let _ = reloader.reload().await;
        }
    }
}

/// Waits until nothing has changed for a while.
async fn quiet(changes: &mut mpsc::Receiver<()>) {
    while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {}
}

/// The folders that are watched.
struct Folders {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

impl Folders {
    fn new(changed: mpsc::Sender<()>) -> Self {
        let tell = move |_: notify::Result<notify::Event>| {
            // One waiting notice says it all.
            let _ = changed.try_send(());
        };
        let watcher = notify::recommended_watcher(tell);
        let watcher = watcher
            .map_err(
                |error| tracing::warn!(%error, "files can't be watched; they are looked at every {} s", POLL.as_secs()),
            )
            .ok();
        Self { watcher, watched: BTreeSet::new() }
    }

    /// Watches the folders of all files; where a path is a symlink, also the folder that it leads to.
    fn follow(&mut self, inputs: &super::load::Inputs) {
        let Some(watcher) = &mut self.watcher else { return };
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
        for folder in wanted {
            if !self.watched.contains(&folder) && watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
                self.watched.insert(folder);
            }
        }
    }
}

fn folder(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
}
