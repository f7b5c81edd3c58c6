//! Putting a changed file in the place of the old one, whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Replaces the file at `path`, whose text was `before`, by one with the text `after`: durable on return, never half of it
/// to be seen. Mode and owner stay; a symbolic link goes on leading to it. `before` is none if there was no file.
pub fn replace(path: &Path, before: Option<&str>, after: &str) -> io::Result<()> {
    let path = if before.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let old = before.map(|_| fs::metadata(&path)).transpose()?;
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = temporary(&path, folder);
    let result = write(&temporary, after, old.as_ref())
        .and_then(|()| unchanged(&path, before))
        .and_then(|()| fs::rename(&temporary, &path));
    if let Err(error) = result {
        // The first thing that went wrong is the one to tell.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

fn temporary(path: &Path, folder: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder.join(format!(".{name}.{}.new", std::process::id()))
}

fn write(path: &Path, text: &str, old: Option<&fs::Metadata>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    if let Some(old) = old {
        file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Somebody else's change must not be lost.
fn unchanged(path: &Path, before: Option<&str>) -> io::Result<()> {
    let same = match (before, fs::read(path)) {
        (Some(before), Ok(now)) => before.as_bytes() == now,
        (None, Err(error)) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    };
    if same { Ok(()) } else { Err(io::Error::other("it has been changed meanwhile; try again")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_and_link_stay_and_another_s_change_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("real.toml"), dir.path().join("sinks.toml"));
        replace(&file, None, "a\n").unwrap();
        assert!(replace(&file, None, "b\n").is_err(), "there is a file now");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.toml", &link).unwrap();
        replace(&link, Some("a\n"), "b\n").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "b\n");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        let error = replace(&link, Some("a\n"), "c\n").unwrap_err();
        assert!(error.to_string().contains("changed meanwhile"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "b\n");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
