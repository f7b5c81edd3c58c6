//! Which files of the pickup directory are due. It touches no file and waits for nothing.
//!
//! A file that was renamed into the directory is whole, and due at once. Any other counts as whole when two looks at it, at least
//! [`STILL`] apart, have found the same file of the same length and time. What was not accepted comes due again later and later.

use super::file::Stamp;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::time::Duration;
use tokio::time::Instant;

/// A file that was not written to for so long is whole.
const STILL: Duration = Duration::from_secs(2);
/// The first pause after a refusal; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// A file that is to be worked on. Whoever takes it must say how that [ended](Shelf::put_back).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) name: OsString,
    pub(super) stamp: Stamp,
    /// Its message is durable already, but the file could not be removed.
    pub(super) accepted: bool,
}

/// What is known of the files.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    known: HashMap<OsString, Known>,
    renamed: HashSet<OsString>,
}

#[derive(Debug)]
struct Known {
    stamp: Stamp,
    due: Instant,
    pause: Option<Duration>,
    busy: bool,
    accepted: bool,
}

impl Shelf {
    /// A file got this name.
    pub(super) fn renamed(&mut self, name: OsString) {
        self.renamed.insert(name);
    }

    /// The directory as it is now. Returns what is due, and takes it.
    pub(super) fn look(&mut self, found: Vec<(OsString, Stamp)>, now: Instant) -> Vec<Due> {
        let renamed = std::mem::take(&mut self.renamed);
        let there: HashSet<&OsStr> = found.iter().map(|(name, _)| name.as_os_str()).collect();
        self.known.retain(|name, known| known.busy || there.contains(name.as_os_str()));
        for (name, stamp) in &found {
            let whole = renamed.contains(name);
            match self.known.get_mut(name) {
                // Who works on it sees for himself.
                Some(known) if known.busy => {}
                Some(known) if known.stamp == *stamp => {
                    if whole && known.pause.is_none() {
                        known.due = now;
                    }
                }
                _ => {
                    let due = if whole { now } else { now + STILL };
                    let known = Known { stamp: *stamp, due, pause: None, busy: false, accepted: false };
                    self.known.insert(name.clone(), known);
                }
            }
        }
        found.into_iter().filter_map(|(name, _)| self.take(name, now)).collect()
    }

    fn take(&mut self, name: OsString, now: Instant) -> Option<Due> {
        let known = self.known.get_mut(&name).filter(|known| !known.busy && known.due <= now)?;
        known.busy = true;
        Some(Due { name, stamp: known.stamp, accepted: known.accepted })
    }

    /// It is not there any more, or is another one.
    pub(super) fn forget(&mut self, name: &OsStr) {
        self.known.remove(name);
    }

    /// It is still there. Returns after which time it comes due again.
    pub(super) fn put_back(&mut self, name: &OsStr, accepted: bool, now: Instant) -> Duration {
        let Some(known) = self.known.get_mut(name) else { return PAUSE };
        let pause = known.pause.map_or(PAUSE, |pause| (pause * 2).min(PAUSE_MAX));
        (known.busy, known.accepted, known.pause, known.due) = (false, accepted, Some(pause), now + pause);
        pause
    }

    /// When the next file comes due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.known.values().filter(|known| !known.busy).map(|known| known.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(len: u64) -> Stamp {
        Stamp::sample(len)
    }

    fn names(due: &[Due]) -> Vec<&str> {
        due.iter().map(|due| due.name.to_str().unwrap()).collect()
    }

    #[test]
    fn what_is_renamed_is_due_at_once_and_what_grows_is_waited_for() {
        let (mut shelf, start) = (Shelf::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let found = |len| vec![("grows".into(), stamp(len)), ("moved".into(), stamp(7))];
        shelf.renamed("moved".into());
        assert_eq!(names(&shelf.look(found(1), at(0))), ["moved"]);
        assert_eq!(shelf.next(), Some(at(2000)));
        assert_eq!(names(&shelf.look(found(2), at(1500))), [""; 0], "it has grown");
        assert_eq!(names(&shelf.look(found(2), at(3400))), [""; 0]);
        assert_eq!(names(&shelf.look(found(2), at(3500))), ["grows"]);
        assert_eq!(names(&shelf.look(found(2), at(9000))), [""; 0], "both are being worked on");
        shelf.forget("moved".as_ref());
        assert_eq!(names(&shelf.look(found(2), at(9000))), [""; 0], "a file of that name is another one");
        assert_eq!(names(&shelf.look(found(2), at(11_000))), ["moved"]);
    }

    #[test]
    fn what_is_not_accepted_waits_longer_and_longer() {
        let (mut shelf, mut now) = (Shelf::default(), Instant::now());
        let found = || vec![("a".into(), stamp(1))];
        shelf.renamed("a".into());
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert_eq!(names(&shelf.look(found(), now)), ["a"]);
            let pause = shelf.put_back("a".as_ref(), false, now);
            pauses.push(pause.as_secs());
            assert_eq!(shelf.look(found(), now + pause - Duration::from_millis(1)), []);
            now += pause;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300]);
        // Another file under its name is tried at once.
        shelf.renamed("a".into());
        assert_eq!(names(&shelf.look(vec![("a".into(), stamp(2))], now)), ["a"]);
    }

    #[test]
    fn what_is_accepted_is_remembered_until_it_goes() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        shelf.renamed("a".into());
        assert!(!shelf.look(vec![("a".into(), stamp(1))], now)[0].accepted);
        let later = now + shelf.put_back("a".as_ref(), true, now);
        assert!(shelf.look(vec![("a".into(), stamp(1))], later)[0].accepted);
        shelf.put_back("a".as_ref(), true, later);
        assert_eq!(shelf.look(Vec::new(), later), []);
        assert_eq!(shelf.next(), None);
    }
}
