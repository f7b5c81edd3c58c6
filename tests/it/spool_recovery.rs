//! Recovery itself: every operation of it fails once, or for good, or the power is cut there; and new mail is accepted while it runs.

use crate::disk::{Cached, Cut, Faulty, Plan};
use crate::spool::{accept, claim, fence, small};
use crate::spool_model::{Message, Model, found};
use mailsluice::disk::{File, Files};
use mailsluice::mail::Id;
use mailsluice::spool::{NodeId, Record, SegmentLog, Spool};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

const ROOT: &str = "/data/spool";
/// Accepted while the spool is recovered.
const NEW: u64 = 1000;

fn open(files: impl Files + 'static) -> Result<SegmentLog, mailsluice::spool::StoreFault> {
    SegmentLog::open_on(Arc::new(files), Path::new(ROOT), small())
}

/// A disk with the life of a spool on it, from which the power was cut at a busy moment: large files, carried messages, half a
/// batch, an unsealed segment.
async fn used() -> (Cached, Model) {
    let disk = Cached::new(&["/data"]);
    let mut model = Model::default();
    let spool = open(disk.clone()).unwrap();
    let fence = fence(&spool).await;
    model.live(&spool, fence).await;
    let left = disk.cut(Cut::Some(7));
    drop(spool);
    (left, model)
}

async fn all(spool: &dyn Spool) -> BTreeMap<u64, Message> {
    let (_, entries) = claim(spool).await;
    entries.iter().map(|(id, entry)| (*id, found(spool, entry))).collect()
}

/// What must be there, with the new message if that was acknowledged.
fn expected(model: &Model, acknowledged: bool, there: &BTreeMap<u64, Message>) -> BTreeMap<u64, Message> {
    let mut expected = model.there.clone();
    if let Some(new) = there.get(&NEW) {
        expected.insert(NEW, new.clone());
    }
    assert!(!acknowledged || there.contains_key(&NEW), "the message that was accepted meanwhile is lost");
    expected
}

#[tokio::test]
async fn an_operation_of_a_recovery_that_fails_once_loses_nothing() {
    let (original, model) = used().await;
    for n in 1.. {
        let disk = original.cut(Cut::Nothing);
        let files = Faulty::on(Arc::new(disk.clone()), true, Plan::Nth(n), ErrorKind::Other);
        let mut acknowledged = false;
        if let Ok(spool) = open(files.clone()) {
            let claimed = spool.claim(NodeId(1)).await.unwrap();
            acknowledged = spool.commit(claimed.fence, vec![accept(NEW, 60)]).await.is_ok();
            // It tries again by itself, until everything is found.
            let ids: Vec<u64> = claimed.found.all().await.unwrap().iter().map(|outline| outline.id.0).collect();
            assert_eq!(ids, model.there.keys().copied().collect::<Vec<_>>(), "operation {n}");
        }
        let over = files.operations() < n;
        let there = all(&open(disk).unwrap()).await;
        assert_eq!(there, expected(&model, acknowledged, &there), "operation {n}");
        if over {
            assert!(n > 30, "the recovery has become too short to tell: {n}");
            return;
        }
    }
}

#[tokio::test]
async fn dying_anywhere_in_a_recovery_loses_nothing_and_neither_does_the_power() {
    let (original, model) = used().await;
    for n in 1.. {
        let disk = original.cut(Cut::Nothing);
        let files = Faulty::on(Arc::new(disk.clone()), true, Plan::From(n), ErrorKind::Other);
        let (mut acknowledged, mut over) = (false, false);
        if let Ok(spool) = open(files.clone()) {
            acknowledged = spool.commit(fence(&spool).await, vec![accept(NEW, 60)]).await.is_ok();
            over = files.operations() < n;
        }
        for cut in [Cut::Nothing, Cut::Names, Cut::Octets, Cut::Some(n), Cut::Some(n + 5)] {
            let there = all(&open(disk.cut(cut)).unwrap()).await;
            assert_eq!(there, expected(&model, acknowledged, &there), "died at {n}, {cut:?}");
        }
        if over {
            return;
        }
    }
}

/// A disk whose reads make the thread that recovers wait until they are let go.
#[derive(Clone)]
struct Slow(Cached, Arc<(Mutex<bool>, Condvar)>);

impl Slow {
    fn wait(&self) {
        if std::thread::current().name() == Some("spool-recovery") {
            let (gone, changed) = &*self.1;
            let waited = changed.wait_while(gone.lock().unwrap(), |gone| !*gone);
            drop(waited.unwrap());
        }
    }

    fn let_go(&self) {
        *self.1.0.lock().unwrap() = true;
        self.1.1.notify_all();
    }

    fn wrap(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(SlowFile(file, self.clone()))
    }
}

impl Files for Slow {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir(path)
    }
    fn is_dir(&self, path: &Path) -> io::Result<bool> {
        self.0.is_dir(path)
    }
    fn create(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>> {
        Ok(self.wrap(self.0.create(path, mode)?))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.wrap(self.0.open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.0.list(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.sync_dir(path)
    }
}

#[derive(Clone)]
struct SlowFile(Arc<dyn File>, Slow);

impl std::fmt::Debug for SlowFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl File for SlowFile {
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, octets)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.1.wait();
        self.0.read_at(offset, buf)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

#[tokio::test]
async fn new_mail_is_accepted_and_kept_while_the_old_is_still_read() {
    let (disk, model) = used().await;
    let slow = Slow(disk.clone(), Arc::default());
    let spool = open(slow.clone()).unwrap();
    let claimed = spool.claim(NodeId(1)).await.unwrap();
    assert!(spool.usage().recovering);
    assert!(model.there.keys().all(|id| *id <= claimed.newest.0), "new ids must be fresh");
    // Enough of them to fill segments, end, and leave old segments as the only ones that are needed.
    for id in NEW..NEW + 20 {
        spool.commit(claimed.fence, vec![accept(id, 900)]).await.unwrap();
    }
    let ends = (NEW + 1..NEW + 20).map(|id| Record::End(Id(id))).collect();
    spool.commit(claimed.fence, ends).await.unwrap();
    // A crash at this point finds both, the old and the new.
    let there = all(&open(disk.cut(Cut::Nothing)).unwrap()).await;
    assert_eq!(there, expected(&model, true, &there));
    slow.let_go();
    let found_ids: Vec<u64> = claimed.found.all().await.unwrap().iter().map(|outline| outline.id.0).collect();
    assert_eq!(found_ids, model.there.keys().copied().collect::<Vec<_>>(), "those that were there, and no new one");
    assert!(!spool.usage().recovering);
    let there = all(&spool).await;
    assert_eq!(there, expected(&model, true, &there));
    drop(spool);
    let there = all(&open(disk).unwrap()).await;
    assert_eq!(there, expected(&model, true, &there));
}
