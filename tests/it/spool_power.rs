//! The power is cut at every file operation of a small life of a spool. What then is on the disk is what was synced, and of
//! the rest all, nothing, or anything between: what was acknowledged is there in each case.

use crate::spool::{Faulty, Plan, claim, small};
use crate::spool_model::{Message, Model, found};
use mailsluice::mail::Id;
use mailsluice::spool::{Entry, File, Files, Record, SegmentLog, Spool};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

const ROOT: &str = "/data/spool";

/// A disk with a cache.
#[derive(Clone, Default)]
struct Cached(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    /// Names as they are, and as they are durable.
    names: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    durable_dirs: BTreeSet<PathBuf>,
    /// Octets as they are, and as they are durable.
    octets: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What becomes of that which was not synced.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// All of it is lost.
    Nothing,
    /// Octets are lost, names are not.
    Names,
    /// Names are lost, octets are not.
    Octets,
    /// Each is or is not, as this number has it.
    Some(u64),
}

impl Cut {
    fn keeps(self, names: bool, what: &mut u64) -> bool {
        match self {
            Self::Nothing => false,
            Self::Names => names,
            Self::Octets => !names,
            Self::Some(seed) => {
                *what = what.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
                *what & 1 == 1
            }
        }
    }
}

impl Cached {
    /// What the disk holds after the power was cut.
    fn cut(&self, cut: Cut) -> Self {
        let mut state = self.0.lock().unwrap().clone();
        let mut dice = 0;
        for (now, durable) in &mut state.octets {
            if !cut.keeps(false, &mut dice) {
                now.clone_from(durable);
            }
            durable.clone_from(now);
        }
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
        if !cut.keeps(true, &mut dice) {
            state.dirs.clone_from(&state.durable_dirs);
        }
        state.names.retain(|path, _| state.dirs.contains(path.parent().unwrap()));
        state.durable.clone_from(&state.names);
        Self(Arc::new(Mutex::new(state)))
    }
}

fn missing<T>(found: Option<T>) -> io::Result<T> {
    found.ok_or_else(|| ErrorKind::NotFound.into())
}

impl Files for Cached {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.lock().unwrap().dirs.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock().unwrap();
        missing(state.dirs.get(path.parent().unwrap()))?;
        let node = state.octets.len();
        state.octets.push((Vec::new(), Vec::new()));
        if state.names.insert(path.to_owned(), node).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        Ok(Arc::new(Node(self.clone(), node)))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let node = *missing(self.0.lock().unwrap().names.get(path))?;
        Ok(Arc::new(Node(self.clone(), node)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
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
    fn with<T>(&self, what: impl FnOnce(&mut (Vec<u8>, Vec<u8>)) -> T) -> T {
        what(&mut self.0.0.lock().unwrap().octets[self.1])
    }
}

impl File for Node {
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.with(|(now, _)| {
            let end = offset as usize + octets.len();
            now.resize(now.len().max(end), 0);
            now[offset as usize..end].copy_from_slice(octets);
            Ok(())
        })
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.with(|(now, _)| {
            let range = now.get(offset as usize..offset as usize + buf.len()).ok_or(ErrorKind::UnexpectedEof)?;
            buf.copy_from_slice(range);
            Ok(())
        })
    }
    fn sync_data(&self) -> io::Result<()> {
        self.with(|(now, durable)| durable.clone_from(now));
        Ok(())
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.with(|(now, _)| now.truncate(len as usize));
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        self.with(|(now, _)| Ok(now.len() as u64))
    }
}

fn open(disk: &Cached) -> SegmentLog {
    SegmentLog::open_on(Arc::new(disk.clone()), Path::new(ROOT), small()).unwrap()
}

fn all(spool: &dyn Spool, entries: &BTreeMap<u64, Entry>) -> BTreeMap<u64, Message> {
    entries.iter().map(|(id, entry)| (*id, found(spool, entry))).collect()
}

/// Lives on a disk until the operation `n`. None if it lives longer.
async fn die_at(n: u64) -> Option<(Cached, Model)> {
    let disk = Cached::default();
    disk.create_dir(Path::new("/data")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk.0.lock().unwrap().durable_dirs.insert("/".into());
    let files = Faulty::on(Arc::new(disk.clone()), true, Plan::From(n), ErrorKind::Other);
    let mut model = Model { mortal: true, ..Model::default() };
    if let Ok(spool) = SegmentLog::open_on(Arc::new(files.clone()), Path::new(ROOT), small()) {
        let (fence, _) = claim(&spool).await;
        model.live(&spool, fence).await;
    }
    (files.operations() >= n).then_some((disk, model))
}

#[tokio::test]
async fn a_power_cut_at_any_operation_loses_nothing_acknowledged() {
    let mut n = 1;
    while let Some((disk, model)) = die_at(n).await {
        for cut in [Cut::Nothing, Cut::Names, Cut::Octets, Cut::Some(1), Cut::Some(2), Cut::Some(n + 3)] {
            let disk = disk.cut(cut);
            let spool = open(&disk);
            let (_, entries) = claim(&spool).await;
            model.nothing_acknowledged_is_lost(&all(&spool, &entries), &format!("power cut at {n}, {cut:?}"));
        }
        n += 1;
    }
    assert!(n > 100, "the life has become too short to tell: {n}");
}

#[tokio::test]
async fn what_a_start_found_and_acted_upon_is_not_undone_by_a_power_cut() {
    let mut n = 1;
    while let Some((disk, _)) = die_at(n).await {
        let spool = open(&disk);
        let (fence, entries) = claim(&spool).await;
        let ends = entries.keys().map(|id| Record::End(Id(*id))).collect();
        spool.commit(fence, ends).await.unwrap();
        for cut in [Cut::Nothing, Cut::Names, Cut::Octets, Cut::Some(n)] {
            let (_, entries) = claim(&open(&disk.cut(cut))).await;
            assert!(entries.is_empty(), "died at {n}, {cut:?}: {:?} came back", entries.keys());
        }
        n += 1;
    }
}
