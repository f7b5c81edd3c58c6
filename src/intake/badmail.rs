//! Badmail: the directory for what can be neither accepted, nor delivered, nor returned. People look at it.
//!
//! Each message lies there whole, with a note beside it, `NAME.txt`, that says why. What is there is never overwritten, and
//! both are on stable storage when a call returns: whoever calls may then let go of the message. A crash before that may
//! leave a part of the message, or it without its note, but the caller has it still. Nothing here is ever removed: that is the operator's.

use crate::disk::{Disk, File, Files, dirs};
use crate::mail::Content;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The longest name that is asked for, in octets; what makes it unique comes on top.
const NAME_MAX: usize = 160;
/// Names that are tried until one is free.
const TRIES: u128 = 100;
/// Octets that are copied at a time.
const CHUNK: u64 = 64 * 1024;

/// The directory. Every call waits for the disk: not for the event loop.
#[derive(Clone)]
pub struct Badmail {
    folder: PathBuf,
    files: Arc<dyn Files>,
}

impl Badmail {
    /// That of a data-dir: `badmail/`. It is made when something is put into it, for its owner alone.
    pub fn under(data_dir: &Path) -> Self {
        Self::new(data_dir.join("badmail"), Arc::new(Disk))
    }

    /// A directory on these files.
    pub fn new(folder: PathBuf, files: Arc<dyn Files>) -> Self {
        Self { folder, files }
    }

    /// Keeps a message as `STEM.eml`, or as close to that as is free. Returns its path.
    pub fn keep(&self, content: &Content, note: &str, stem: &str) -> io::Result<PathBuf> {
        let place = self.reserve(&format!("{stem}.eml"))?;
        let written = explain(&place, note).and_then(|()| write(&*place.file, content));
        self.kept(place, written)
    }

    /// Moves a file here under its name, or as close to that as is free. Returns its path. The caller makes durable that it
    /// is gone from where it was.
    pub fn put(&self, name: &str, file: &Path, note: &str) -> io::Result<PathBuf> {
        let place = self.reserve(name)?;
        // The note first: once the file has moved, nobody is left to say why.
        let moved = explain(&place, note).and_then(|()| self.shift(file, &place));
        self.kept(place, moved)
    }

    fn kept(&self, Place { path, .. }: Place, done: io::Result<()>) -> io::Result<PathBuf> {
        if let Err(error) = done {
            // What the caller still has need not lie here half. That it could not be removed is the lesser trouble.
            let _ = self.files.remove(&path);
            let _ = self.files.remove(&note_of(&path));
            return Err(error);
        }
        self.files.sync_dir(&self.folder)?;
        Ok(path)
    }

    /// Makes a file under a name that is free, and whose note's name is free, too.
    fn reserve(&self, name: &str) -> io::Result<Place> {
        dirs::make(&*self.files, &self.folder).map_err(|(_, error)| error)?;
        let name = plain(name);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        for n in 0..TRIES {
            let path = self.folder.join(if n == 0 { name.clone() } else { numbered(&name, now + n) });
            let taken = |error: &io::Error| error.kind() == ErrorKind::AlreadyExists;
            let file = match self.files.create(&path, 0o600) {
                Err(error) if taken(&error) => continue,
                made => made?,
            };
            match self.files.create(&note_of(&path), 0o600) {
                Ok(note) => return Ok(Place { path, file, note }),
                Err(error) => {
                    self.files.remove(&path)?;
                    if !taken(&error) {
                        return Err(error);
                    }
                }
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Gives a file the reserved name; where it can't be renamed, its octets are copied.
    fn shift(&self, from: &Path, place: &Place) -> io::Result<()> {
        let source = self.files.open(from)?;
        source.sync_data()?;
        match self.files.rename(from, &place.path) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {}
            moved => return moved,
        }
        let len = source.len()?;
        let mut at = 0;
        while at < len {
            let chunk = source.read_vec(at, CHUNK.min(len - at))?;
            place.file.write_at(at, &chunk)?;
            at += chunk.len() as u64;
        }
        place.file.sync_data()?;
        self.files.remove(from)
    }
}

/// A name that is ours.
struct Place {
    path: PathBuf,
    file: Arc<dyn File>,
    note: Arc<dyn File>,
}

fn write(file: &dyn File, content: &Content) -> io::Result<()> {
    let mut at = 0;
    content.for_each_chunk(|chunk| {
        file.write_at(at, chunk)?;
        at += chunk.len() as u64;
        Ok::<_, io::Error>(())
    })?;
    file.sync_data()
}

fn explain(place: &Place, note: &str) -> io::Result<()> {
    place.note.write_at(0, format!("{}\n", note.trim_end()).as_bytes())?;
    place.note.sync_data()
}

fn note_of(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".txt");
    name.into()
}

/// A name that stays in its directory, shows in every listing, and steers no terminal.
fn plain(name: &str) -> String {
    let ok = |c: char| c.is_ascii_alphanumeric() || "._+-=@".contains(c);
    let plain: String = name.chars().map(|c| if ok(c) { c } else { '_' }).take(NAME_MAX).collect();
    let plain = plain.trim_start_matches('.');
    if plain.is_empty() { "message".to_owned() } else { plain.to_owned() }
}

/// `report.eml` as `report-7.eml`.
fn numbered(name: &str, number: u128) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem}-{number}.{ending}"),
        _ => format!("{name}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn kept_with_a_note_for_the_owner_alone_and_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let badmail = Badmail::under(root.path());
        let keep = |text: &'static str| badmail.keep(&Content::from(Bytes::from(text)), "because\n", "0D4").unwrap();
        let (first, second) = (keep("one\r\n"), keep("two\r\n"));
        assert_eq!(first, root.path().join("badmail/0D4.eml"));
        for (path, text) in [(&first, "one\r\n"), (&second, "two\r\n")] {
            assert_eq!(fs::read_to_string(path).unwrap(), text);
            assert_eq!(fs::read_to_string(note_of(path)).unwrap(), "because\n");
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::metadata(root.path().join("badmail")).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_moves_and_no_name_leads_elsewhere() {
        let root = tempfile::tempdir().unwrap();
        let badmail = Badmail::under(root.path());
        for (name, kept) in [
            ("report.eml", "report.eml"),
            ("../../etc/x", "_.._etc_x"),
            (".hidden", "hidden"),
            ("", "message"),
            ("a\u{1b}[31m b", "a__31m_b"),
        ] {
            let file = root.path().join("file");
            fs::write(&file, name).unwrap();
            assert_eq!(badmail.put(name, &file, "why").unwrap(), root.path().join("badmail").join(kept), "{name:?}");
            assert_eq!(fs::read_to_string(root.path().join("badmail").join(kept)).unwrap(), name);
            assert!(!file.exists());
        }
    }

    #[test]
    fn a_note_s_name_that_is_taken_is_nobody_s_name() {
        let root = tempfile::tempdir().unwrap();
        let badmail = Badmail::under(root.path());
        let put = |name: &str| {
            let file = root.path().join("file");
            fs::write(&file, name).unwrap();
            badmail.put(name, &file, "why").unwrap()
        };
        put("x.txt");
        let path = put("x");
        assert_ne!(path, root.path().join("badmail/x"), "its note would be x.txt");
        assert_eq!(fs::read_to_string(root.path().join("badmail/x.txt")).unwrap(), "x.txt");
        assert!(!root.path().join("badmail/x").exists());
    }

    #[test]
    fn what_fails_leaves_the_file_where_it_was() {
        let root = tempfile::tempdir().unwrap();
        let badmail = Badmail::under(root.path());
        assert!(badmail.put("x", &root.path().join("none"), "why").is_err());
        assert_eq!(fs::read_dir(root.path().join("badmail")).unwrap().count(), 0, "nothing half is left");
    }
}
