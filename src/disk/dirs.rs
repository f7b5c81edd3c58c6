//! Directories that are there for good once they are said to be.

use super::Files;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// One at a time, so that nobody relies on a directory that somebody else has made and not synced yet.
static MAKING: Mutex<()> = Mutex::new(());

/// Makes sure that a directory is there, with its parents, for its owner alone. Each that is made is synced into its parent
/// before the next is made. The error comes with the path that it is about.
pub fn make(files: &dyn Files, path: &Path) -> Result<(), (PathBuf, io::Error)> {
    let _guard = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    make_one(files, path)
}

fn make_one(files: &dyn Files, path: &Path) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    if files.is_dir(path).map_err(at(path))? {
        return Ok(());
    }
    let parent = parent(path);
    make_one(files, parent)?;
    match files.create_dir(path) {
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.map_err(at(path))?,
    }
    files.sync_dir(parent).map_err(at(parent))
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
