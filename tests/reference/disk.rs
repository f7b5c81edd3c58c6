//! A disk with a cache, from which the power can be cut.
//!
//! What then is on it is what was synced, and of the rest anything: of each write any of its sectors, whatever became of earlier
//! writes to the same or another place, so that writes are torn and reordered; of new, renamed and removed names any.

use mailsluice::disk::{File, Files};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The disk.
#[derive(Clone)]
pub(crate) struct Cached(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    /// Names as they are, and as they are durable.
    names: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    durable_dirs: BTreeSet<PathBuf>,
    octets: Vec<Octets>,
}

/// The octets of one file.
#[derive(Clone, Default)]
struct Octets {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// What was done since they were synced.
    since: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

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
    fn apply(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.since.push(change);
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.now);
        self.since.clear();
    }

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

impl Change {
    fn apply(&self, octets: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                let end = at + new.len();
                octets.resize(octets.len().max(end), 0);
                octets[*at..end].copy_from_slice(new);
            }
            Self::Truncate(len) => octets.truncate(*len),
        }
    }
}

/// The parts of a range that lie in one sector each.
fn sectors(at: usize, len: usize) -> impl Iterator<Item = Range<usize>> {
    let end = at + len;
    let first = at / SECTOR;
    (first..end.div_ceil(SECTOR)).map(move |n| (n * SECTOR).max(at)..((n + 1) * SECTOR).min(end))
}

impl Cached {
    /// An empty one, with the root and these directories below it.
    pub(crate) fn new(dirs: &[&str]) -> Self {
        let all: BTreeSet<PathBuf> = std::iter::once("/").chain(dirs.iter().copied()).map(PathBuf::from).collect();
        let state = State { dirs: all.clone(), durable_dirs: all, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

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

    /// The files whose paths hold this text.
    pub(crate) fn files_in(&self, part: &str) -> Vec<Vec<u8>> {
        let state = self.0.lock().unwrap();
        let wanted = state.names.iter().filter(|(path, _)| path.to_str().is_some_and(|path| path.contains(part)));
        wanted.map(|(_, node)| state.octets[*node].now.clone()).collect()
    }
}

fn missing<T>(found: Option<T>) -> io::Result<T> {
    found.ok_or_else(|| ErrorKind::NotFound.into())
}

impl Files for Cached {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        missing(state.dirs.get(path.parent().unwrap()))?;
        if state.dirs.insert(path.to_owned()) { Ok(()) } else { Err(ErrorKind::AlreadyExists.into()) }
    }
    fn is_dir(&self, path: &Path) -> io::Result<bool> {
        Ok(self.0.lock().unwrap().dirs.contains(path))
    }
    fn create(&self, path: &Path, _: u32) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock().unwrap();
        missing(state.dirs.get(path.parent().unwrap()))?;
        if state.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let node = state.octets.len();
        state.octets.push(Octets::default());
        state.names.insert(path.to_owned(), node);
        Ok(Arc::new(Node(self.clone(), node)))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let node = *missing(self.0.lock().unwrap().names.get(path))?;
        Ok(Arc::new(Node(self.clone(), node)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        missing(state.dirs.get(to.parent().unwrap()))?;
        let node = missing(state.names.remove(from))?;
        state.names.insert(to.to_owned(), node);
        Ok(())
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        missing(self.0.lock().unwrap().names.remove(path)).map(drop)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.0.lock().unwrap();
        missing(state.dirs.get(path))?;
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        Ok(state.names.keys().filter(|file| file.parent() == Some(path)).map(name).collect())
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let state = &mut *self.0.lock().unwrap();
        missing(state.dirs.get(path))?;
        state.durable.retain(|file, _| file.parent() != Some(path));
        let within = state.names.iter().filter(|(file, _)| file.parent() == Some(path));
        state.durable.extend(within.map(|(file, node)| (file.clone(), *node)));
        state.durable_dirs.extend(state.dirs.iter().filter(|dir| dir.parent() == Some(path)).cloned());
        Ok(())
    }
}

#[derive(Clone)]
struct Node(Cached, usize);

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "file {}", self.1)
    }
}

impl Node {
    fn with<T>(&self, what: impl FnOnce(&mut Octets) -> T) -> T {
        what(&mut self.0.0.lock().unwrap().octets[self.1])
    }
}

impl File for Node {
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.with(|file| file.apply(Change::Write(offset as usize, octets.to_vec())));
        Ok(())
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.with(|file| {
            let range = file.now.get(offset as usize..offset as usize + buf.len()).ok_or(ErrorKind::UnexpectedEof)?;
            buf.copy_from_slice(range);
            Ok(())
        })
    }
    fn sync_data(&self) -> io::Result<()> {
        self.with(Octets::sync);
        Ok(())
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.with(|file| file.apply(Change::Truncate(len as usize)));
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        self.with(|file| Ok(file.now.len() as u64))
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
