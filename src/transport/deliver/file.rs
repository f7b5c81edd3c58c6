//! Files that survive a power cut once they are said to be there.
//!
//! A file is written under a name that nobody looks at, synced, renamed, and its directory synced. Blocking: for
//! `spawn_blocking` alone.

use crate::mail::{EnhancedCode, Reply};
use crate::transport::outcome::{Details, Outcome};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Something on our side went wrong at a path.
#[derive(Debug)]
pub(super) struct LocalFault {
    pub(super) path: PathBuf,
    pub(super) error: io::Error,
}

impl LocalFault {
    /// For `map_err`.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self { path, error }
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.error.kind() == ErrorKind::NotFound
    }

    /// Local trouble is always a deferral: an operator can mend it, the sender can't.
    pub(super) fn outcome(&self) -> Outcome {
        let reply = match self.error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Reply::new(452, EnhancedCode(4, 3, 1), "The mailbox has no space left at the moment")
            }
            ErrorKind::NotADirectory | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Reply::new(451, EnhancedCode(4, 3, 5), "The mailbox is not set up rightly at the moment")
            }
            _ => Reply::new(451, EnhancedCode(4, 3, 0), "The mailbox can't be written at the moment"),
        };
        Outcome::Deferred(Details::ours(reply, format!("{}: {}", self.path.display(), self.error)))
    }
}

/// One at a time, so that nobody relies on a directory that somebody else has made and not synced yet.
static MAKING: Mutex<()> = Mutex::new(());

/// Makes sure that the directories are there, with their parents, for their owner alone, in this order. Each is
/// synced into its parent before the next is made.
pub(super) fn make_directories(paths: &[PathBuf]) -> Result<(), LocalFault> {
    let _guard = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    paths.iter().try_for_each(|path| make_directory(path))
}

fn make_directory(path: &Path) -> Result<(), LocalFault> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(LocalFault { path: path.to_owned(), error: ErrorKind::NotADirectory.into() }),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(LocalFault { path: path.to_owned(), error });
        }
        Err(_) => {}
    }
    let parent = parent(path);
    make_directory(parent)?;
    DirBuilder::new().mode(0o700).create(path).map_err(LocalFault::at(path))?;
    sync_directory(parent)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_directory(path: &Path) -> Result<(), LocalFault> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(LocalFault::at(path))
}

/// A name that no other delivery on this or another machine has: time, process, a number, host; by the rules of Maildir.
pub(super) fn unique_name(hostname: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let host = hostname.replace('/', "\\057").replace(':', "\\072");
    format!("{}.M{}P{}Q{number}.{host}", now.as_secs(), now.subsec_micros(), std::process::id())
}

/// Runs work that blocks. If it is cut short, the outcome to report instead.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Outcome> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let reply = Reply::new(451, EnhancedCode(4, 3, 0), "The delivery was interrupted");
        Outcome::Deferred(Details::ours(reply, error.to_string()))
    })
}

/// Writes a new file under `draft`, syncs it, and moves it to `place`, which lies on the same file system. When it
/// returns well, the file is there for good. When it does not, nothing is left of the draft; the file may stand at
/// `place` all the same if only the directory could not be synced.
pub(super) fn write(
    draft: &Path,
    place: &Path,
    mode: u32,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), LocalFault> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(draft).map_err(LocalFault::at(draft))?;
    let written = write_and_sync(file, fill)
        .map_err(LocalFault::at(draft))
        .and_then(|()| fs::rename(draft, place).map_err(LocalFault::at(place)));
    if written.is_err() {
        // What can't be removed is swept away by whoever cleans drafts.
        let _ = fs::remove_file(draft);
    }
    written?;
    sync_directory(parent(place))
}

fn write_and_sync(file: File, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, file);
    fill(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn directories_are_made_with_their_parents_for_the_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b/c");
        make_directories(&[deep.clone(), deep.clone()]).unwrap();
        for path in [root.path().join("a"), root.path().join("a/b"), deep] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a");
        fs::write(&file, "x").unwrap();
        let fault = make_directories(std::slice::from_ref(&file)).unwrap_err();
        assert_eq!((fault.path, fault.error.kind()), (file.clone(), ErrorKind::NotADirectory));
        assert!(make_directories(&[file.join("b")]).is_err());
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let (draft, place) = (root.path().join("draft"), root.path().join("place"));
        let full = |_: &mut dyn Write| Err(ErrorKind::StorageFull.into());
        assert!(write(&draft, &place, 0o600, full).is_err());
        assert!(write(&draft, &root.path().join("no/where"), 0o600, |_| Ok(())).unwrap_err().is_not_found());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn local_trouble_is_a_deferral_with_two_texts() {
        for (kind, status) in [
            (ErrorKind::StorageFull, "4.3.1"),
            (ErrorKind::QuotaExceeded, "4.3.1"),
            (ErrorKind::NotADirectory, "4.3.5"),
            (ErrorKind::PermissionDenied, "4.3.5"),
            (ErrorKind::Other, "4.3.0"),
        ] {
            let outcome = LocalFault { path: "/var/mail/x".into(), error: kind.into() }.outcome();
            assert!(matches!(outcome, Outcome::Deferred(_)));
            assert_eq!(outcome.status().to_string(), status);
            assert!(outcome.details().note.starts_with("/var/mail/x: "));
            assert!(!outcome.details().reply.text().contains('/'), "the sender sees no path");
        }
    }

    #[test]
    fn names_are_unique_and_stay_in_their_directory() {
        let names: HashSet<String> = (0..1000).map(|_| unique_name("mx.example")).collect();
        assert_eq!(names.len(), 1000);
        let name = unique_name("[IPv6:::1]/..");
        assert!(name.ends_with(".[IPv6\\072\\072\\0721]\\057.."), "{name}");
        let pattern = format!("P{}Q", std::process::id());
        assert!(name.split('.').nth(1).is_some_and(|p| p.starts_with('M') && p.contains(&pattern)), "{name}");
    }
}
