//! The power is cut at every file operation of a small life of a spool: what was acknowledged is there, whatever became of that
//! which was not synced.

use crate::disk::{Cached, Cut, Faulty, Plan};
use crate::spool::{claim, fence, small};
use crate::spool_model::{Message, Model, found};
use mailsluice::mail::Id;
use mailsluice::spool::{Entry, Record, SegmentLog, Spool};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

const ROOT: &str = "/data/spool";

fn open(disk: &Cached) -> SegmentLog {
    SegmentLog::open_on(Arc::new(disk.clone()), Path::new(ROOT), small()).unwrap()
}

fn all(spool: &dyn Spool, entries: &BTreeMap<u64, Entry>) -> BTreeMap<u64, Message> {
    entries.iter().map(|(id, entry)| (*id, found(spool, entry))).collect()
}

/// Lives on a disk until the operation `n`. None if it lives longer.
async fn die_at(n: u64) -> Option<(Cached, Model)> {
    let disk = Cached::new(&["/data"]);
    let files = Faulty::on(Arc::new(disk.clone()), true, Plan::From(n), ErrorKind::Other);
    let mut model = Model { mortal: true, ..Model::default() };
    if let Ok(spool) = SegmentLog::open_on(Arc::new(files.clone()), Path::new(ROOT), small()) {
        let fence = fence(&spool).await;
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
