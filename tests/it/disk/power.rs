//! What is left on a disk with a cache after the power was cut.
//!
//! That is what was synced, and of the rest anything: of each write any of its sectors, whatever became of earlier writes to the
//! same or another place, so that writes are torn and reordered; of new, renamed and removed names any.

use crate::reference::disk::{Cached, Change, Octets};
use mailsluice::disk::Files;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What becomes of that which was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// All of it is lost.
    Nothing,
    /// Octets are lost, names are not.
    Names,
    /// Names are lost, octets are not.
    Octets,
    /// Each sector, name and length is or is not, as this number has it.
    Some(u64),
}

impl Cut {
    fn keeps(self, names: bool, dice: &mut u64) -> bool {
        match self {
            Self::Nothing => false,
            Self::Names => names,
            Self::Octets => !names,
            Self::Some(seed) => {
                *dice = dice.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
                *dice & 1 == 1
            }
        }
    }
}

impl Octets {
    /// What is left of it.
    fn cut(&mut self, cut: Cut, dice: &mut u64) {
        let mut left = std::mem::take(&mut self.durable);
        for change in std::mem::take(&mut self.since) {
            match change {
                Change::Write(at, octets) => {
                    for sector in sectors(at, octets.len()) {
                        if cut.keeps(false, dice) {
                            let octets = octets[sector.start - at..sector.end - at].to_vec();
                            Change::Write(sector.start, octets).apply(&mut left);
                        }
                    }
                    // The length may have come through without the octets.
                    if cut.keeps(false, dice) {
                        left.resize(left.len().max(at + octets.len()), 0);
                    }
                }
                truncate => {
                    if cut.keeps(false, dice) {
                        truncate.apply(&mut left);
                    }
                }
            }
        }
        self.now = left;
        self.sync();
    }
}

/// The parts of a range that lie in one sector each.
fn sectors(at: usize, len: usize) -> impl Iterator<Item = Range<usize>> {
    let end = at + len;
    let first = at / SECTOR;
    (first..end.div_ceil(SECTOR)).map(move |n| (n * SECTOR).max(at)..((n + 1) * SECTOR).min(end))
}

impl Cached {
    /// What the disk holds after the power was cut.
    pub(crate) fn cut(&self, cut: Cut) -> Self {
        let mut state = self.0.lock().unwrap().clone();
        let mut dice = 0;
        state.octets.iter_mut().for_each(|octets| octets.cut(cut, &mut dice));
        let all: BTreeSet<PathBuf> = state.names.keys().chain(state.durable.keys()).cloned().collect();
        for path in all {
            let differs = state.names.get(&path) != state.durable.get(&path);
            if !differs || cut.keeps(true, &mut dice) {
                continue;
            }
            match state.durable.get(&path) {
                Some(&node) => state.names.insert(path, node),
                None => state.names.remove(&path),
            };
        }
        let unsure: Vec<PathBuf> = state.dirs.difference(&state.durable_dirs).cloned().collect();
        for dir in unsure {
            if !cut.keeps(true, &mut dice) {
                state.dirs.retain(|there| !there.starts_with(&dir));
            }
        }
        state.names.retain(|path, _| state.dirs.contains(path.parent().unwrap()));
        state.durable.clone_from(&state.names);
        state.durable_dirs.clone_from(&state.dirs);
        Self(Arc::new(Mutex::new(state)))
    }

    /// The paths that hold this text.
    pub(crate) fn paths_in(&self, part: &str) -> Vec<PathBuf> {
        let state = self.0.lock().unwrap();
        state.names.keys().filter(|path| path.to_str().is_some_and(|path| path.contains(part))).cloned().collect()
    }

    /// The octets of a file.
    pub(crate) fn read(&self, path: &Path) -> Vec<u8> {
        let state = self.0.lock().unwrap();
        state.octets[state.names[path]].now.clone()
    }

    /// Damages a file at rest.
    pub(crate) fn change(&self, path: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.lock().unwrap();
        let node = state.names[path];
        damage(&mut state.octets[node].now);
        state.octets[node].sync();
    }

    /// The files whose paths hold this text.
    pub(crate) fn files_in(&self, part: &str) -> Vec<Vec<u8>> {
        let state = self.0.lock().unwrap();
        let wanted = state.names.iter().filter(|(path, _)| path.to_str().is_some_and(|path| path.contains(part)));
        wanted.map(|(_, node)| state.octets[*node].now.clone()).collect()
    }
}

#[test]
fn a_cut_leaves_what_was_synced_and_may_tear_and_reorder_the_rest() {
    let disk = Cached::new(&["/d"]);
    let file = disk.create(Path::new("/d/a"), 0o600).unwrap();
    file.write_at(0, &[1; 2000]).unwrap();
    assert!(disk.cut(Cut::Nothing).files_in("/d/").is_empty(), "the name was not synced");
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    file.write_at(100, &[2; 1800]).unwrap();
    file.write_at(600, &[3; 100]).unwrap();
    assert_eq!(disk.cut(Cut::Nothing).files_in("/d/a"), [vec![1; 2000]]);
    let left: BTreeSet<Vec<u8>> = (0..200).flat_map(|seed| disk.cut(Cut::Some(seed)).files_in("/d/a")).collect();
    let some = |wanted: fn(&[u8]) -> bool| left.iter().any(|octets| wanted(octets));
    assert!(some(|o| o[150] == 2 && o[1500] == 1) && some(|o| o[150] == 1 && o[1500] == 2), "torn either way");
    assert!(some(|o| o[650] == 3 && o[550] == 1), "the later write came through and the earlier did not");
    assert!(left.iter().all(|o| o[..100] == [1; 100] && o[1900..] == [1; 100]), "what was not written is as it was");
}
