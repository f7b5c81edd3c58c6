//! Hears of changes in the pickup directory. What is not heard is found by looking: nothing relies on this but the speed.

use super::file::Stamp;
use super::folder::is_message;
use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Changes that wait to be heard. One that finds no room is found by looking, later.
const CHANGES: usize = 4096;

/// What has happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A file got this name, from here or from elsewhere.
    Renamed(OsString),
    /// Something else.
    Change,
}

impl Heard {
    /// None for what makes no file a new one.
    fn of(event: notify::Result<Event>) -> Option<Self> {
        // What went wrong with watching may have hidden a change.
        let Ok(event) = event else { return Some(Self::Change) };
        let name = event.paths.first().and_then(|path| path.file_name());
        // Among them are the names that we give ourselves.
        if name.is_some_and(|name| !is_message(name)) {
            return None;
        }
        match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                Some(name.map_or(Self::Change, |name| Self::Renamed(name.to_owned())))
            }
            EventKind::Create(_) | EventKind::Any | EventKind::Other => Some(Self::Change),
            EventKind::Modify(ModifyKind::Name(RenameMode::Any)) => Some(Self::Change),
            EventKind::Modify(_) | EventKind::Access(_) | EventKind::Remove(_) => None,
        }
    }
}

/// The watch on one directory.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: Option<(PathBuf, u64)>,
    heard: mpsc::Receiver<Heard>,
    /// Kept, so that the receiver does not end where nothing can be watched.
    _sender: mpsc::Sender<Heard>,
}

impl Watch {
    pub(super) fn new() -> Self {
        let (sender, heard) = mpsc::channel(CHANGES);
        let told = sender.clone();
        let tell = move |event| {
            if let Some(heard) = Heard::of(event) {
                let _ = told.try_send(heard);
            }
        };
        let watcher = notify::recommended_watcher(tell)
            .map_err(
                |error| tracing::warn!(%error, "the pickup directory can't be watched; it is looked at now and then"),
            )
            .ok();
        Self { watcher, watched: None, heard, _sender: sender }
    }

    /// Watches this directory, and no other. Whether that is new, so that something may have happened unheard.
    pub(super) fn follow(&mut self, folder: &Path, id: Stamp) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        if self.watched.as_ref().is_some_and(|(path, inode)| path == folder && *inode == id.inode()) {
            return false;
        }
        if let Some((old, _)) = self.watched.take() {
            // A directory that is gone is not watched any more by itself.
            let _ = watcher.unwatch(&old);
        }
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => self.watched = Some((folder.to_owned(), id.inode())),
            Err(error) => tracing::debug!(%error, "the pickup directory can't be watched"),
        }
        self.watched.is_some()
    }

    /// What happens next. Loses nothing when it is cancelled.
    pub(super) async fn heard(&mut self) -> Heard {
        self.heard.recv().await.unwrap_or(Heard::Change)
    }

    /// What has happened already, without waiting.
    pub(super) fn more(&mut self) -> Option<Heard> {
        self.heard.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, RemoveKind};

    #[test]
    fn a_rename_makes_a_file_whole_and_what_we_do_ourselves_is_nothing_new() {
        let renamed = |mode| EventKind::Modify(ModifyKind::Name(mode));
        for (kind, heard) in [
            (renamed(RenameMode::To), Some(Heard::Renamed("a.eml".into()))),
            (EventKind::Create(CreateKind::File), Some(Heard::Change)),
            (EventKind::Other, Some(Heard::Change)),
            (renamed(RenameMode::From), None),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), None),
            (EventKind::Remove(RemoveKind::File), None),
        ] {
            let event = Event::new(kind).add_path("/pickup/a.eml".into());
            assert_eq!(Heard::of(Ok(event)), heard, "{kind:?}");
        }
        let ours = Event::new(renamed(RenameMode::To)).add_path("/pickup/.mailsluice-7".into());
        assert_eq!(Heard::of(Ok(ours)), None);
        assert_eq!(Heard::of(Err(notify::Error::generic("x"))), Some(Heard::Change));
    }
}
