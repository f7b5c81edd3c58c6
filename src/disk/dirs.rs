//! Directories that are there for good once they are said to be.

use super::Files;
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Those that were made and could not be synced into their parents. One call at a time, so that nobody relies on a directory that
/// somebody else has made and not synced yet.
static MAKING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Makes sure that a directory is there, with its parents, for its owner alone. Each that is made is synced into its parent
/// before the next is made; one that could not be is synced by the next call. The error comes with the path that it is about.
pub fn make(files: &dyn Files, path: &Path) -> Result<(), (PathBuf, io::Error)> {
    let mut unsynced = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    make_one(files, path, &mut unsynced)
}

fn make_one(files: &dyn Files, path: &Path, unsynced: &mut BTreeSet<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    if files.is_dir(path).map_err(at(path))? && !unsynced.contains(path) {
        return Ok(());
    }
    let parent = parent(path);
    make_one(files, parent, unsynced)?;
    match files.create_dir(path) {
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.map_err(at(path))?,
    }
    unsynced.insert(path.to_owned());
    files.sync_dir(parent).map_err(at(parent))?;
    unsynced.remove(path);
    Ok(())
}

/// The directory that a path is in.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn made_with_their_parents_for_the_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b/c");
        make(&Disk, &deep).unwrap();
        make(&Disk, &deep).unwrap();
        for path in [root.path().join("a"), root.path().join("a/b"), deep] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    /// A disk that syncs no directory the first time that it is asked to.
    #[derive(Default)]
    struct Hesitant(Mutex<(BTreeSet<PathBuf>, Vec<PathBuf>)>);

    impl Files for Hesitant {
        fn sync_dir(&self, path: &Path) -> io::Result<()> {
            let mut seen = self.0.lock().unwrap();
            if seen.0.insert(path.to_owned()) {
                return Err(ErrorKind::Other.into());
            }
            seen.1.push(path.to_owned());
            Disk.sync_dir(path)
        }
        fn create_dir(&self, path: &Path) -> io::Result<()> {
            Disk.create_dir(path)
        }
        fn is_dir(&self, path: &Path) -> io::Result<bool> {
            Disk.is_dir(path)
        }
        fn create(&self, path: &Path, mode: u32) -> io::Result<std::sync::Arc<dyn crate::disk::File>> {
            Disk.create(path, mode)
        }
        fn open(&self, path: &Path) -> io::Result<std::sync::Arc<dyn crate::disk::File>> {
            Disk.open(path)
        }
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            Disk.rename(from, to)
        }
        fn remove(&self, path: &Path) -> io::Result<()> {
            Disk.remove(path)
        }
        fn list(&self, path: &Path) -> io::Result<Vec<String>> {
            Disk.list(path)
        }
    }

    #[test]
    fn one_that_could_not_be_synced_is_not_there_for_good() {
        let root = tempfile::tempdir().unwrap();
        let (deep, files) = (root.path().join("a/b"), Hesitant::default());
        for path in [root.path(), &root.path().join("a")] {
            let (failed, _) = make(&files, &deep).unwrap_err();
            assert_eq!(failed, path);
        }
        make(&files, &deep).unwrap();
        make(&files, &deep).unwrap();
        assert_eq!(files.0.lock().unwrap().1, [root.path(), &root.path().join("a")], "each was synced once");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a");
        fs::write(&file, "x").unwrap();
        let (path, error) = make(&Disk, &file).unwrap_err();
        assert_eq!((path, error.kind()), (file.clone(), ErrorKind::NotADirectory));
        assert!(make(&Disk, &file.join("b")).is_err());
    }
}
