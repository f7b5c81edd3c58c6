//! A disk with a cache, in memory: what is on it as it is, and as it is durable.

use mailsluice::disk::{File, Files};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The disk.
#[derive(Clone)]
pub(crate) struct Cached(pub(crate) Arc<Mutex<State>>);

/// What is on it.
#[derive(Clone, Default)]
pub(crate) struct State {
    /// Names as they are, and as they are durable.
    pub(crate) names: BTreeMap<PathBuf, usize>,
    pub(crate) durable: BTreeMap<PathBuf, usize>,
    pub(crate) dirs: BTreeSet<PathBuf>,
    pub(crate) durable_dirs: BTreeSet<PathBuf>,
    pub(crate) octets: Vec<Octets>,
}

/// The octets of one file.
#[derive(Clone, Default)]
pub(crate) struct Octets {
    pub(crate) now: Vec<u8>,
    pub(crate) durable: Vec<u8>,
    /// What was done since they were synced.
    pub(crate) since: Vec<Change>,
}

#[derive(Clone)]
pub(crate) enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Octets {
    fn apply(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.since.push(change);
    }

    pub(crate) fn sync(&mut self) {
        self.durable.clone_from(&self.now);
        self.since.clear();
    }
}

impl Change {
    pub(crate) fn apply(&self, octets: &mut Vec<u8>) {
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

impl Cached {
    /// An empty one, with the root and these directories below it.
    pub(crate) fn new(dirs: &[&str]) -> Self {
        let all: BTreeSet<PathBuf> = std::iter::once("/").chain(dirs.iter().copied()).map(PathBuf::from).collect();
        let state = State { dirs: all.clone(), durable_dirs: all, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
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
