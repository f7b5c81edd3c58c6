//! The pickup directory on disk: what is in it, and how a file is taken out. It waits for the disk: not for the event loop.
//!
//! A file is first moved aside, to a hidden name of ours, and then looked at: somebody may have put another one under its name,
//! which goes back. What a crash leaves aside goes back at the next start, and is then submitted once more.

use super::file::Stamp;
use crate::disk::{Disk, dirs};
use nix::unistd::{AccessFlags, access};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Names of files that were moved aside begin so.
const ASIDE: &str = ".mailsluice-";
/// More files are not looked at until some of these have gone.
const FILES_MAX: usize = 100_000;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The directory itself, so that another one in its place is noticed.
    pub(super) id: Stamp,
    /// Oldest first.
    pub(super) files: Vec<(OsString, Stamp)>,
}

/// Lists the files that may be messages: regular ones whose names neither begin with a dot nor end in `.tmp`. The directory is made,
/// for its owner alone, if it is not there.
pub(super) fn list(folder: &Path) -> io::Result<Found> {
    dirs::make(&Disk, folder).map_err(|(path, error)| told(&path, &error))?;
    // What can't be removed would be sent again and again.
    let may = access(folder, AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK);
    may.map_err(|errno| {
        told(folder, &io::Error::other(format!("the server must be able to remove files there: {errno}")))
    })?;
    let id = Stamp::of(&fs::metadata(folder)?);
    let mut files = Vec::new();
    for item in fs::read_dir(folder)?.take(FILES_MAX) {
        let item = item?;
        if !is_message(&item.file_name()) {
            continue;
        }
        match item.metadata() {
            Ok(meta) if meta.is_file() => files.push((item.file_name(), Stamp::of(&meta))),
            Ok(_) => {}
            // Somebody was quicker.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    files.sort_by(|(a, x), (b, y)| (x.modified, a).cmp(&(y.modified, b)));
    Ok(Found { id, files })
}

fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

pub(super) fn is_message(name: &OsStr) -> bool {
    let name = name.as_bytes();
    !name.starts_with(b".") && !name.ends_with(b".tmp")
}

/// Moves a file aside and returns where it is; none if there is none, or another one has its name.
pub(super) fn aside(folder: &Path, name: &OsStr, stamp: Stamp) -> io::Result<Option<PathBuf>> {
    let (place, aside) = (folder.join(name), folder.join(format!("{ASIDE}{}", stamp.inode())));
    match fs::rename(&place, &aside) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        moved => moved?,
    }
    if Stamp::of(&fs::symlink_metadata(&aside)?) == stamp {
        return Ok(Some(aside));
    }
    back(&aside, &place)?;
    Ok(None)
}

/// Removes a file whose message is durable. That it has gone is durable, too, after [`sync`].
pub(super) fn remove(folder: &Path, name: &OsStr, stamp: Stamp) -> io::Result<()> {
    aside(folder, name, stamp)?.map_or(Ok(()), fs::remove_file)
}

/// Makes durable which files are gone.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Gives a file its name back, or one like it if that is taken.
pub(super) fn back(aside: &Path, place: &Path) -> io::Result<()> {
    for n in 0..100 {
        let mut name = place.as_os_str().to_owned();
        if n > 0 {
            name.push(format!("-{n}"));
        }
        match fs::hard_link(aside, &name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => return linked.and_then(|()| fs::remove_file(aside)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Gives back what a crash has left aside.
pub(super) fn recover(folder: &Path) -> io::Result<()> {
    let items = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        items => items?,
    };
    for item in items {
        let name = item?.file_name();
        if let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(ASIDE)) {
            back(&folder.join(&name), &folder.join(format!("again-{rest}")))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(folder: &Path) -> Vec<String> {
        list(folder).unwrap().files.into_iter().map(|(name, _)| name.into_string().unwrap()).collect()
    }

    fn stamp(path: &Path) -> Stamp {
        Stamp::of(&fs::symlink_metadata(path).unwrap())
    }

    #[test]
    fn only_what_may_be_a_message_is_listed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/pickup");
        assert_eq!(names(&folder), [""; 0], "it is made");
        for name in [".draft", "x.tmp", "one.eml", "two"] {
            fs::write(folder.join(name), name).unwrap();
        }
        fs::create_dir(folder.join("folder")).unwrap();
        symlink(root.path(), folder.join("link")).unwrap();
        symlink("one.eml", folder.join("other")).unwrap();
        let mut found = names(&folder);
        found.sort();
        assert_eq!(found, ["one.eml", "two"]);
    }

    #[test]
    fn another_file_under_the_same_name_stays() {
        let root = tempfile::tempdir().unwrap();
        let (folder, place) = (root.path(), root.path().join("report"));
        fs::write(&place, "old").unwrap();
        let old = stamp(&place);
        fs::write(folder.join("new"), "newer").unwrap();
        fs::rename(folder.join("new"), &place).unwrap();
        remove(folder, "report".as_ref(), old).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "newer");
        remove(folder, "report".as_ref(), stamp(&place)).unwrap();
        remove(folder, "report".as_ref(), old).unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    }

    #[test]
    fn what_a_crash_leaves_aside_comes_back_beside_what_is_there() {
        let root = tempfile::tempdir().unwrap();
        let (folder, place) = (root.path(), root.path().join("report"));
        fs::write(&place, "x").unwrap();
        let aside = aside(folder, "report".as_ref(), stamp(&place)).unwrap().unwrap();
        assert_eq!(names(folder), [""; 0]);
        let inode = aside.to_str().unwrap().rsplit_once('-').unwrap().1.to_owned();
        fs::write(folder.join(format!("again-{inode}")), "y").unwrap();
        recover(folder).unwrap();
        let mut found = names(folder);
        found.sort();
        assert_eq!(found, [format!("again-{inode}"), format!("again-{inode}-1")]);
        assert!(!aside.exists());
        recover(&folder.join("none")).unwrap();
    }
}
