//! What deliveries into files have in common: names, and what goes wrong on our side.

use super::depot::Deposited;
use crate::mail::{EnhancedCode, Reply};
use crate::transport::outcome::{Details, Outcome};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
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

/// A name that no other delivery on this or another machine has: time, process, a number, host; by the rules of Maildir.
pub(super) fn unique_name(hostname: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let host = hostname.replace('/', "\\057").replace(':', "\\072");
    format!("{}.M{}P{}Q{number}.{host}", now.as_secs(), now.subsec_micros(), std::process::id())
}

/// The outcome of a file that was to be made: `delivered` says what the sender is told.
pub(super) fn outcome(deposited: Option<Deposited>, delivered: &Reply) -> Outcome {
    match deposited {
        Some(Ok(place)) => Outcome::Delivered(Details::ours(delivered.clone(), place.display().to_string())),
        Some(Err(fault)) => fault.outcome(),
        None => {
            let reply = Reply::new(451, EnhancedCode(4, 3, 0), "The delivery was interrupted");
            Outcome::Deferred(Details::ours(reply, "the server stops, or a bug was met"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

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
