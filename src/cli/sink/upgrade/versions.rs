//! The versions of a sink's file: each under a name with its digest, beside the one that the manifest named first, and a list
//! of those that were in force before.
//!
//! A version is on stable storage, whole and under its name, before a manifest may name it. Nothing here removes one.

use crate::config::diagnostic::io_text;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Digits of the digest in a file's name.
const DIGITS: usize = 12;
/// Versions that are remembered.
const KEPT: usize = 20;

/// What a manifest says of a sink's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// `module` or `script`, as written.
    pub(super) path: String,
    /// The pin, if there is one.
    pub(super) digest: Option<blake3::Hash>,
}

/// The name under which a version lies: `disclaimer.6f1c….wasm`.
pub(super) fn named(present: &Path, digest: &blake3::Hash) -> PathBuf {
    let stem = present.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let bare = stem.rsplit_once('.').filter(|(_, end)| is_digest(end)).map_or(stem.as_str(), |(bare, _)| bare);
    let digits = digest.to_hex();
    let extension = present.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    present.with_file_name(format!("{bare}.{}{extension}", digits.get(..DIGITS).unwrap_or_default()))
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Puts bytes at `path`, whole or not at all. Whether they were not there already.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<bool, String> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    write(path, bytes).map_err(|e| format!("cannot write `{}`: {}", path.display(), io_text(&e)))?;
    Ok(true)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let draft = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&draft, path)) {
        // The first thing that went wrong is the one to tell.
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

/// The versions that were in force before, oldest first: a file `.NAME.history` beside the sink's, with a path and a digest or
/// `-` in each line.
pub(super) struct History {
    file: PathBuf,
    pub(super) versions: Vec<Version>,
}

impl History {
    pub(super) fn open(sink: &str, beside: &Path) -> Result<Self, String> {
        let file = beside.with_file_name(format!(".{sink}.history"));
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("cannot read `{}`: {}", file.display(), io_text(&error))),
        };
        let version = |line: &str| {
            let (path, digest) = line.rsplit_once('\t')?;
            let digest = if digest == "-" { None } else { Some(blake3::Hash::from_hex(digest).ok()?) };
            Some(Version { path: path.to_owned(), digest })
        };
        let versions = text.lines().map(version).collect::<Option<_>>();
        let versions =
            versions.ok_or_else(|| format!("`{}` is damaged; remove it to go on without", file.display()))?;
        Ok(Self { file, versions })
    }

    /// Writes it down.
    pub(super) fn save(&self) -> Result<(), String> {
        let line = |version: &Version| {
            let digest = version.digest.map_or_else(|| "-".to_owned(), |digest| digest.to_hex().to_string());
            format!("{}\t{digest}\n", version.path)
        };
        let kept = self.versions.len().saturating_sub(KEPT);
        let text: String = self.versions.iter().skip(kept).map(line).collect();
        put(&self.file, text.as_bytes()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_digest() {
        let (one, two) = (blake3::hash(b"1"), blake3::hash(b"2"));
        let first = named(Path::new("m/a.wasm"), &one);
        assert_eq!(first, Path::new(&format!("m/a.{}.wasm", &one.to_hex()[..12])));
        assert_eq!(named(&first, &two), Path::new(&format!("m/a.{}.wasm", &two.to_hex()[..12])));
        assert_eq!(named(Path::new("tag.v2.js"), &one).extension().unwrap(), "js");
        assert!(named(Path::new("tag.v2.js"), &one).to_string_lossy().starts_with("tag.v2."));
    }

    #[test]
    fn a_history_is_read_as_it_was_written_and_what_is_damaged_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let beside = dir.path().join("a.wasm");
        let mut history = History::open("a", &beside).unwrap();
        for n in 0..KEPT + 1 {
            let digest = (n % 2 == 0).then(|| blake3::hash(b"x"));
            history.versions.push(Version { path: format!("m/a\t{n}.wasm"), digest });
        }
        history.save().unwrap();
        assert_eq!(History::open("a", &beside).unwrap().versions, history.versions[1..]);
        fs::write(dir.path().join(".a.history"), "x\tzz\n").unwrap();
        assert!(History::open("a", &beside).err().unwrap().contains("is damaged"));
    }
}
