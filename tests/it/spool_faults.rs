//! Every file operation of a small life of a spool fails once, or for good from there on: what was acknowledged is there
//! afterwards, as it was acknowledged, and what was refused is not.

use crate::disk::{Faulty, Plan};
use crate::spool::{accept, claim, fence, octets, open, read, small};
use crate::spool_model::{Message, Model, found};
use mailsluice::mail::Class;
use mailsluice::spool::{Entry, Health, SegmentLog, Spool, StoreFault};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs the life on failing files and looks, with sound ones, at what is left. False if nothing failed any more.
async fn run(plan: Plan, check: impl Fn(&Model, BTreeMap<u64, Message>)) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let files = Faulty::new(plan, ErrorKind::Other);
    let mut model = Model { mortal: matches!(plan, Plan::From(_)), ..Model::default() };
    if let Ok(spool) = SegmentLog::open_on(Arc::new(files.clone()), dir.path(), small()) {
        let fence = fence(&spool).await;
        model.live(&spool, fence).await;
    }
    for _ in 0..2 {
        let spool = open(dir.path());
        let (_, entries) = claim(&spool).await;
        check(&model, entries.iter().map(|(id, entry)| (*id, found(&spool, entry))).collect());
    }
    match plan {
        Plan::Nth(n) | Plan::From(n) | Plan::WritesFrom(n) => files.operations() >= n,
        Plan::Never => true,
    }
}

#[tokio::test]
async fn without_faults_the_model_and_the_spool_agree() {
    run(Plan::Never, |model, found| {
        assert_eq!(found, model.there);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 2, 6, 7, 30]);
        assert_eq!((found[&1].attempts, found[&6].done), (2, true));
    })
    .await;
}

#[tokio::test]
async fn one_failed_operation_loses_nothing_and_brings_nothing_refused_back() {
    let mut n = 1;
    while run(Plan::Nth(n), |model, found| assert_eq!(found, model.there, "operation {n}")).await {
        n += 1;
    }
    assert!(n > 100, "the life has become too short to tell: {n}");
}

#[tokio::test]
async fn dying_at_any_operation_loses_nothing_acknowledged() {
    let mut n = 1;
    while run(Plan::From(n), |model, found| model.nothing_acknowledged_is_lost(&found, &format!("died at {n}"))).await {
        n += 1;
    }
}

/// Waits until the store has recovered by itself.
pub(crate) async fn recovered(spool: &dyn Spool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while spool.health() != Health::Ok {
        assert!(Instant::now() < deadline, "it did not recover: {:?}", spool.health());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_disk_turns_mail_away_until_there_is_room_and_what_was_refused_stays_refused() {
    for (error, code) in [(ErrorKind::StorageFull, 452), (ErrorKind::QuotaExceeded, 452), (ErrorKind::Other, 451)] {
        // From the write, the sync, and the operations by which it tries to go on.
        for after in 1..8 {
            let dir = tempfile::tempdir().unwrap();
            let files = Faulty::new(Plan::Never, error);
            let spool = SegmentLog::open_on(Arc::new(files.clone()), dir.path(), small()).unwrap();
            let (fence, _) = claim(&spool).await;
            spool.commit(fence, vec![accept(1, 100)]).await.unwrap();
            files.plan(Plan::WritesFrom(files.operations() + after));
            let mut refused = Vec::new();
            let mut accepted = vec![1];
            for id in 2..12 {
                match spool.commit(fence, vec![accept(id, 700)]).await {
                    Ok(()) => accepted.push(id),
                    Err(fault) => refused.push((id, fault)),
                }
            }
            let (_, fault) = refused.first().expect("something was refused");
            assert_eq!(fault.reply().code(), code, "{fault}");
            assert_eq!(fault.reply().class(), Class::Transient);
            assert!(matches!(spool.health(), Health::Sick { .. }));
            assert_eq!(read(&spool, &claim_one(&spool).await), octets(1, 100), "a sick store can be read");
            files.plan(Plan::Never);
            recovered(&spool).await;
            let (fence, _) = claim(&spool).await;
            spool.commit(fence, vec![accept(20, 100)]).await.unwrap();
            accepted.push(20);
            drop(spool);
            let (_, entries) = claim(&open(dir.path())).await;
            assert_eq!(entries.into_keys().collect::<Vec<_>>(), accepted, "{error:?} after {after}");
        }
    }
}

async fn claim_one(spool: &dyn Spool) -> Entry {
    claim(spool).await.1.remove(&1).unwrap()
}

#[tokio::test]
async fn a_draft_that_the_disk_refuses_is_refused_and_the_store_stays_well() {
    let dir = tempfile::tempdir().unwrap();
    let files = Faulty::new(Plan::Never, ErrorKind::StorageFull);
    let spool = SegmentLog::open_on(Arc::new(files.clone()), dir.path(), small()).unwrap();
    let (fence, _) = claim(&spool).await;
    spool.commit(fence, vec![accept(1, 10)]).await.unwrap();
    let mut draft = spool.draft();
    draft.write(&octets(1, 200)).unwrap();
    files.plan(Plan::From(0));
    assert!(matches!(draft.write(&octets(1, 200)), Err(StoreFault::Full(_))));
    files.plan(Plan::Never);
    assert!(draft.write(b"more").is_err(), "what is missing in the middle must not go unnoticed");
    assert!(matches!(draft.finish(), Err(StoreFault::Full(_))));
    spool.commit(fence, vec![accept(2, 10)]).await.unwrap();
}

#[tokio::test]
async fn what_was_submitted_is_finished_when_the_spool_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let (fence, _) = claim(&spool).await;
    {
        let commit = spool.commit(fence, vec![accept(1, 100)]);
        tokio::pin!(commit);
        // Polled once, so that it is submitted, and given up.
        let _ = futures_poll(commit.as_mut()).await;
    }
    drop(spool);
    assert!(claim(&open(dir.path())).await.1.contains_key(&1));
}

async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}
