//! The last good manifest, kept for the next start: `manifest/<digest>/` under data-dir holds its files as they were, each
//! under its own path, and `manifest/last` names the digest and the manifest's path.
//!
//! Files named by absolute paths are kept too but read where they are: a manifest can't be rewritten behind its owner's back.

use crate::event::Files;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

/// Keeps the files that were read for `manifest`. Nothing is written if they are those that are kept already.
pub fn keep(data_dir: &Path, manifest: &Path, read: &Files) -> io::Result<()> {
    let manifest = std::path::absolute(manifest)?;
    let folder = data_dir.join("manifest");
    let name = digest(&manifest, read)?;
    let last = format!("{name}\n{}\n", manifest.display());
    if fs::read_to_string(folder.join("last")).is_ok_and(|old| old == last) {
        return Ok(());
    }
    let target = folder.join(&name);
    if !target.exists() {
        let fresh = folder.join(format!("{name}.new"));
        let _ = fs::remove_dir_all(&fresh);
        for path in read.seen().iter().filter(|(_, digest)| digest.is_some()).map(|(path, _)| path) {
            copy(path, &fresh)?;
        }
        fs::rename(&fresh, &target)?;
    }
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

fn copy(path: &Path, root: &Path) -> io::Result<()> {
    let target = mirrored(root, &std::path::absolute(path)?);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(path, target).map(drop)
}

fn write_last(folder: &Path, text: &str) -> io::Result<()> {
    let fresh = folder.join("last.new");
    let mut file = fs::File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, folder.join("last"))
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
}
