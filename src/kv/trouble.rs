//! The durable store when things go wrong: restarts, crashes, damaged files, disks that fail.

use super::disk::{Disk, DiskFault};
use super::{OpenError, Quota, Store, Usage};
use crate::event::host::{KvFault, KvOf, ManualClock};
use crate::mail::Timestamp;
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::fs::{self, File};
use std::io::Error as IoError;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp(1_700_000_000_000)))
}

fn open(dir: &Path) -> Arc<Store> {
    Arc::new(Store::open(dir, clock(), Quota::default()).unwrap())
}

fn own(store: &Arc<Store>) -> KvOf {
    KvOf::new(store.clone(), "own")
}

fn file_of(dir: &Path) -> PathBuf {
    dir.join("kv.redb")
}

/// The names of what was moved aside.
fn aside(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "kv.redb").collect()
}

#[test]
fn a_clean_stop_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    {
        let own = own(&open(dir.path()));
        own.set("a", b"kept", None).unwrap();
        own.increment("n", 7, Some(Duration::from_secs(60))).unwrap();
        own.set("gone", b"", None).unwrap();
        own.remove("gone").unwrap();
    }
    let store = open(dir.path());
    let own = own(&store);
    assert_eq!(own.get("a").unwrap().as_deref(), Some(&b"kept"[..]));
    assert_eq!(own.increment("n", 1, None), Ok(8));
    assert_eq!(own.get("gone").unwrap(), None);
    assert_eq!(store.usage("own"), Usage { keys: 2, bytes: 7 });
}

/// A copy of the file while it is in use is what a crash leaves.
#[test]
fn what_was_flushed_outlives_a_crash() {
    let (dir, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path());
    let own_before = own(&store);
    for n in 0..500 {
        own_before.set(&format!("key {n}"), format!("value {n}").as_bytes(), None).unwrap();
    }
    own_before.flush().unwrap();
    fs::copy(file_of(dir.path()), file_of(crashed.path())).unwrap();
    let after = open(crashed.path());
    assert_eq!(own(&after).get("key 499").unwrap().as_deref(), Some(&b"value 499"[..]));
    assert_eq!(after.usage("own"), store.usage("own"));
    assert!(aside(crashed.path()).is_empty());
}

#[test]
fn what_nobody_waits_for_becomes_durable_all_the_same() {
    let (dir, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path());
    own(&store).set("a", b"1", None).unwrap();
    store.core().signal.wait(false).unwrap();
    fs::copy(file_of(dir.path()), file_of(crashed.path())).unwrap();
    assert!(own(&open(crashed.path())).get("a").unwrap().is_some());
}

#[test]
fn what_is_over_leaves_the_file() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = Arc::new(Store::open(dir.path(), clock.clone(), Quota::default()).unwrap());
    let own = own(&store);
    for n in 0..200 {
        own.set(&n.to_string(), b"x", Some(Duration::from_secs(60))).unwrap();
    }
    own.set("again", b"x", Some(Duration::from_secs(60))).unwrap();
    own.set("stays", b"x", None).unwrap();
    own.flush().unwrap();
    assert_eq!(store.usage("own").keys, 202);
    clock.advance(Duration::from_secs(60));
    own.set("again", b"x", Some(Duration::from_secs(60))).unwrap();
    own.flush().unwrap();
    assert_eq!(store.usage("own"), Usage { keys: 2, bytes: 12 });
    let disk = store.core().disk.load_full().unwrap();
    assert!(disk.get("own", "7").unwrap().is_none() && disk.get("own", "again").unwrap().is_some());
    assert_eq!(disk.due("own", Timestamp(u64::MAX), 10).unwrap(), ["again"], "no row is left behind");
}

#[test]
fn a_file_that_is_in_use_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    own(&store).set("a", b"1", None).unwrap();
    let error = Store::open(dir.path(), clock(), Quota::default()).unwrap_err();
    let text = format!("the key-value store {} can't be opened: another process has it open", error.path.display());
    assert_eq!(error.to_string(), text);
    own(&store).flush().unwrap();
    assert!(aside(dir.path()).is_empty());
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = Store::open(&dir.path().join("none"), clock(), Quota::default()).unwrap_err();
    assert!(error.message.contains("No such file"), "{error}");
}

#[test]
fn a_damaged_file_is_moved_aside() {
    let good = {
        let dir = tempfile::tempdir().unwrap();
        own(&open(dir.path())).set("a", b"1", None).unwrap();
        fs::read(file_of(dir.path())).unwrap()
    };
    let zeroed = [&good[..4096], &vec![0; good.len() - 4096][..]].concat();
    for damaged in [&b"not a database"[..], &good[..100], &good[..good.len() / 2], &[0; 8192], &zeroed] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file_of(dir.path()), damaged).unwrap();
        let store = open(dir.path());
        assert_eq!(aside(dir.path()), ["kv.redb.damaged-20231114T221320.000Z"], "{} octets", damaged.len());
        assert_eq!(fs::read(dir.path().join(&aside(dir.path())[0])).unwrap().len(), damaged.len(), "nothing is lost");
        own(&store).set("b", b"2", None).unwrap();
        own(&store).flush().unwrap();
        assert_eq!(store.usage("own"), Usage { keys: 1, bytes: 2 });
    }
}

/// Whatever octet is wrong, the store opens: with what it had, or empty and the file set aside. Never with something else.
#[test]
fn no_wrong_octet_is_believed() {
    let dir = tempfile::tempdir().unwrap();
    own(&open(dir.path())).set("a", b"the value", None).unwrap();
    let good = fs::read(file_of(dir.path())).unwrap();
    let used: Vec<usize> = (0..good.len()).filter(|&at| good[at] != 0).collect();
    let of_the_value = (0..good.len()).filter(|&at| good[at..].starts_with(b"the value"));
    for at in used.iter().copied().step_by(used.len() / 30 + 1).chain(of_the_value) {
        let dir = tempfile::tempdir().unwrap();
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        fs::write(file_of(dir.path()), &bad).unwrap();
        let store = open(dir.path());
        let value = own(&store).get("a").unwrap();
        let whole = value.as_deref() == Some(b"the value");
        assert!(whole || (value.is_none() && aside(dir.path()).len() == 1), "octet {at}: {value:?}");
        own(&store).set("b", b"2", None).unwrap();
        own(&store).flush().unwrap();
    }
}

#[test]
fn a_file_that_is_damaged_while_in_use_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let own = own(&store);
    own.set("a", b"1", None).unwrap();
    own.flush().unwrap();
    let file = File::options().write(true).open(file_of(dir.path())).unwrap();
    file.write_all_at(&vec![0; file.metadata().unwrap().len() as usize - 4096], 4096).unwrap();
    store.core().disk_failed(&DiskFault::Damaged("a page is not what it was".to_owned()));
    store.core().signal.wait_out_trouble();
    assert_eq!(aside(dir.path()).len(), 1);
    assert_eq!((own.get("a").unwrap(), store.usage("own")), (None, Usage::default()));
    own.set("b", b"22", None).unwrap();
    own.flush().unwrap();
    assert_eq!(store.usage("own"), Usage { keys: 1, bytes: 3 });
}

/// A disk that fails to sync while it is told to.
#[derive(Debug)]
struct Failing {
    file: FileBackend,
    fails: Arc<AtomicBool>,
}

impl StorageBackend for Failing {
    fn len(&self) -> Result<u64, IoError> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), IoError> {
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), IoError> {
        self.file.set_len(len)
    }
    fn sync_data(&self) -> Result<(), IoError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(IoError::other("the disk is on fire"));
        }
        self.file.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), IoError> {
        self.file.write(offset, data)
    }
    fn close(&self) -> Result<(), IoError> {
        self.file.close()
    }
}

fn open_failing(dir: &Path, fails: &Arc<AtomicBool>) -> Arc<Store> {
    let (path, fails) = (file_of(dir), fails.clone());
    let opener = move || {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        let backend = Failing { file: FileBackend::new(file).unwrap(), fails: fails.clone() };
        Disk::on(|builder| builder.create_with_backend(backend))
            .map_err(|fault| OpenError { path: path.clone(), message: fault.message().to_owned() })
    };
    Arc::new(Store::open_with(Box::new(opener), clock(), Quota::default()).unwrap())
}

#[test]
fn a_disk_that_fails_is_opened_anew_and_nothing_set_is_forgotten() {
    let (dir, fails) = (tempfile::tempdir().unwrap(), Arc::new(AtomicBool::new(false)));
    let store = open_failing(dir.path(), &fails);
    let own = own(&store);
    own.set("before", b"1", None).unwrap();
    own.flush().unwrap();

    fails.store(true, Ordering::SeqCst);
    own.set("during", b"2", None).unwrap();
    let unavailable = |fault: &KvFault| matches!(fault, KvFault::Unavailable(why) if why.contains("on fire"));
    assert!(unavailable(&own.flush().unwrap_err()), "nobody is told that it is durable");
    assert_eq!(own.get("during").unwrap().as_deref(), Some(&b"2"[..]), "still to be seen");
    assert!(unavailable(&own.set("later", b"3", None).unwrap_err()));
    assert!(unavailable(&own.get("before").unwrap_err()), "unknown is not absent");

    fails.store(false, Ordering::SeqCst);
    store.core().signal.wait_out_trouble();
    assert_eq!(own.get("before").unwrap().as_deref(), Some(&b"1"[..]));
    own.set("later", b"3", None).unwrap();
    own.flush().unwrap();
    drop((own, store));
    let store = open(dir.path());
    assert_eq!(store.usage("own"), Usage { keys: 3, bytes: 6 + 6 + 5 + 3 });
    assert!(aside(dir.path()).is_empty());
}
