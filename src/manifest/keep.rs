//! The last good manifest, kept for the next start: `manifest/<digest>/` under data-dir holds its files as they were, each
//! under its own path, and `manifest/last` names the digest and the manifest's path.
//!
//! Files named by absolute paths are kept too but read where they are: a manifest can't be rewritten behind its owner's back.

use crate::event::Files;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// Keeps the files that were read for `manifest`. Nothing is written if they are those that are kept already. That a file has
/// other bytes by now is an error: what was not checked is not kept. What `last` names is on disk before `last` is.
pub fn keep(data_dir: &Path, manifest: &Path, read: &Files) -> io::Result<()> {
    let manifest = std::path::absolute(manifest)?;
    let folder = data_dir.join("manifest");
    let name = digest(&manifest, read)?;
    let last = format!("{name}\n{}\n", manifest.display());
    if fs::read_to_string(folder.join("last")).is_ok_and(|old| old == last) {
        return Ok(());
    }
    let (fresh, target) = (folder.join(format!("{name}.new")), folder.join(&name));
    // What `last` does not name may be half of what it was: a crash can come while it is swept.
    for left in [&fresh, &target] {
        let _ = fs::remove_dir_all(left);
    }
    make_folder(&fresh)?;
    for (path, digest) in read.to_keep() {
        copy(path, digest, &fresh)?;
    }
    sync_folders(&fresh)?;
    fs::rename(&fresh, &target)?;
    sync(&folder)?;
    sync(data_dir)?;
    write_last(&folder, &last)?;
    sweep(&folder, &name)
}

/// The path under which the last good manifest can be read, if one is kept.
pub fn last_good(data_dir: &Path) -> Option<PathBuf> {
    let folder = data_dir.join("manifest");
    let last = fs::read_to_string(folder.join("last")).ok()?;
    let (name, manifest) = last.trim_end().split_once('\n')?;
    let path = mirrored(&folder.join(name), Path::new(manifest));
    path.exists().then_some(path)
}

fn digest(manifest: &Path, read: &Files) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(manifest.as_os_str().as_encoded_bytes());
    for (path, digest) in read.seen() {
        hasher.update(std::path::absolute(path)?.as_os_str().as_encoded_bytes());
        hasher.update(digest.as_ref().map_or(&[][..], |d| &d.as_bytes()[..]));
    }
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}

/// Where a file is kept: its absolute path below `root`, with `..` resolved by name.
fn mirrored(root: &Path, path: &Path) -> PathBuf {
    let mut out = root.to_owned();
    let mut depth = 0;
    for component in path.components() {
        match component {
            Component::Normal(part) => {
                out.push(part);
                depth += 1;
            }
            Component::ParentDir if depth > 0 => {
                out.pop();
                depth -= 1;
            }
            _ => {}
        }
    }
    out
}

/// Copies a file, if it still has the bytes that were read.
fn copy(path: &Path, digest: &blake3::Hash, root: &Path) -> io::Result<()> {
    let bytes = fs::read(path)?;
    if blake3::hash(&bytes) != *digest {
        return Err(io::Error::other(format!("`{}` has changed since it was read", path.display())));
    }
    let target = mirrored(root, &std::path::absolute(path)?);
    if let Some(parent) = target.parent() {
        make_folder(parent)?;
    }
    write(&target, &bytes)
}

fn write_last(folder: &Path, text: &str) -> io::Result<()> {
    let fresh = folder.join("last.new");
    write(&fresh, text.as_bytes())?;
    fs::rename(fresh, folder.join("last"))?;
    sync(folder)
}

/// Manifests may have secrets in them.
fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Syncs a folder and those in it.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        if item.file_type()?.is_dir() {
            sync_folders(&item.path())?;
        }
    }
    sync(folder)
}

/// Removes what is not the last good one any more.
fn sweep(folder: &Path, name: &str) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        if item.file_type()?.is_dir() && item.file_name() != *name {
            fs::remove_dir_all(item.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn found_again_as_it_was_and_only_the_last() {
        let dir = tempfile::tempdir().unwrap();
        let (data, home) = (dir.path().join("var"), dir.path().join("etc"));
        fs::create_dir_all(home.join("lists")).unwrap();
        fs::create_dir_all(&data).unwrap();
        let manifest = home.join("sinks.toml");
        for text in ["one", "two"] {
            fs::write(&manifest, text).unwrap();
            fs::write(home.join("lists/a"), text).unwrap();
            let mut read = Files::new(&home);
            read.read("sinks.toml").unwrap();
            read.read("lists/a").unwrap();
            assert!(read.read("lists/absent").is_err());
            keep(&data, &manifest, &read).unwrap();
        }
        fs::write(&manifest, "broken").unwrap();
        let kept = last_good(&data).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "two");
        assert_eq!(fs::read_to_string(kept.parent().unwrap().join("lists/a")).unwrap(), "two");
        assert_eq!(fs::read_dir(data.join("manifest")).unwrap().count(), 2, "`last` and one folder");
        assert_eq!(last_good(dir.path()), None);
    }

    #[test]
    fn what_a_crash_has_left_of_an_older_one_is_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let (data, manifest) = (dir.path().join("var"), dir.path().join("sinks.toml"));
        let keep_it = |text: &str| {
            let mut read = Files::new(dir.path());
            fs::write(&manifest, text).unwrap();
            read.read("sinks.toml").unwrap();
            keep(&data, &manifest, &read).unwrap();
            last_good(&data).map(|kept| fs::read_to_string(kept).unwrap())
        };
        keep_it("one");
        let one = last_good(&data).unwrap();
        keep_it("two");
        // Killed while it was swept: the folder is there, the file is not.
        fs::create_dir_all(one.parent().unwrap()).unwrap();
        assert_eq!(keep_it("one").as_deref(), Some("one"));
    }

    #[test]
    fn bytes_that_were_not_read_are_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (data, manifest) = (dir.path().join("var"), dir.path().join("sinks.toml"));
        let keep_after = |read_as: &str, is_now: &str| {
            let mut read = Files::new(dir.path());
            fs::write(&manifest, read_as).unwrap();
            read.read("sinks.toml").unwrap();
            fs::write(&manifest, is_now).unwrap();
            keep(&data, &manifest, &read)
        };
        keep_after("good", "good").unwrap();
        let error = keep_after("better", "half").unwrap_err().to_string();
        assert!(error.ends_with("sinks.toml` has changed since it was read"), "{error}");
        let kept = last_good(&data).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "good");
        assert_eq!(fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
        keep_after("better", "better").unwrap();
        assert_eq!(fs::read_to_string(last_good(&data).unwrap()).unwrap(), "better");
    }
}
