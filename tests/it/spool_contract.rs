//! What every spool must do, whatever it keeps messages in. Each test runs against the memory and the segment log.

use crate::spool::{accept, accept_draft, claim, entry, envelope, octets, read, small};
use mailsluice::mail::{Content, Id, Notify, OriginalRecipient, Timestamp};
use mailsluice::spool::{
    Health, Hold, HoldChange, Json, MemorySpool, Patch, RcptState, Record, SegmentLog, Spool, StoreFault,
    StoredContent, Try,
};
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;

/// A spool that can be closed and opened again.
trait Bench: Sized {
    fn new() -> Self;
    fn spool(&self) -> Arc<dyn Spool>;
    fn reopen(&mut self);
}

struct Memory(Arc<MemorySpool>);

impl Bench for Memory {
    fn new() -> Self {
        Self(Arc::new(MemorySpool::new()))
    }
    fn spool(&self) -> Arc<dyn Spool> {
        self.0.clone()
    }
    fn reopen(&mut self) {}
}

struct Log(Option<Arc<SegmentLog>>, TempDir);

impl Bench for Log {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self(Some(Arc::new(SegmentLog::open(dir.path(), small()).unwrap())), dir)
    }
    fn spool(&self) -> Arc<dyn Spool> {
        self.0.clone().unwrap()
    }
    fn reopen(&mut self) {
        drop(Arc::try_unwrap(self.0.take().unwrap()).ok().expect("nobody else has it"));
        self.0 = Some(Arc::new(SegmentLog::open(self.1.path(), small()).unwrap()));
    }
}

macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name::<super::Memory>().await })+
        }
        mod log {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name::<super::Log>().await })+
        }
    };
}

contract!(
    an_entry_comes_back_as_it_was_accepted,
    a_batch_is_in_force_whole_or_not_at_all,
    drafts_of_any_length_are_accepted,
    a_draft_is_read_before_it_is_committed,
    changes_add_up_and_survive,
    what_has_ended_is_gone_and_its_space_returned,
    an_edit_splices_and_survives_another,
    readers_go_on_when_the_message_ends,
    many_tasks_commit_at_once,
    an_older_claim_changes_nothing_any_more,
    a_large_message_is_split_without_mixing,
    a_split_or_a_completion_with_its_report_is_one_batch,
    a_batch_larger_than_a_segment_is_accepted,
);

async fn an_entry_comes_back_as_it_was_accepted<B: Bench>() {
    let mut bench = B::new();
    let (fence, entries) = claim(&*bench.spool()).await;
    assert!(entries.is_empty());
    let mut full = entry(7);
    full.origin.client = Some("192.0.2.1".parse().unwrap());
    full.origin.helo = Some("client.example".into());
    full.envelope.envid = Some("QQ+3D".into());
    let rcpt = &mut full.envelope.recipients[1];
    rcpt.notify = Some(Notify { success: true, failure: false, delay: true });
    rcpt.orcpt = Some(OriginalRecipient { kind: "rfc822".into(), address: "a+2Bb@example.com".into() });
    rcpt.properties.set("tag", "k", json!({"deep": [1, 2.5, null, "ü"]}));
    full.properties.set("tag", "score", json!(5));
    full.ledger = r#"[{"sink":"tag",  "us": 12}]"#.parse().unwrap();
    full.hold = Some(Hold { reason: "odd".into(), by: "policy".into(), place: Json::default() });
    full.recipients[1].held = Some("later".into());
    full.recipients[0].last = Some(json!({"code": 451}).into());
    let content = Content::from(octets(7, 500)).slice(100..400).prepend("X: y\r\n".into());
    bench.spool().commit(fence, vec![Record::Accept(Box::new(full.clone()), content.clone())]).await.unwrap();
    full.content = StoredContent::whole(Id(7), 306);
    for _ in 0..2 {
        let (_, entries) = claim(&*bench.spool()).await;
        assert_eq!(entries.values().collect::<Vec<_>>(), [&full]);
        assert_eq!(read(&*bench.spool(), &entries[&7]), content.to_bytes().unwrap());
        bench.reopen();
    }
}

async fn a_batch_is_in_force_whole_or_not_at_all<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    let spool = bench.spool();
    spool.commit(fence, vec![accept(1, 10)]).await.unwrap();
    let three = Try { recipients: vec![(2, RcptState::default())] };
    for wrong in [
        vec![accept(2, 10), Record::End(Id(9))],
        vec![accept(2, 10), accept(1, 10)],
        vec![Record::End(Id(1)), Record::Done(Id(1), vec![0])],
        vec![accept(2, 10), Record::Amend(Id(9), Box::default())],
        vec![accept(2, 10), Record::Attempt(Id(1), three)],
        vec![accept(2, 10), Record::Done(Id(2), vec![0, u32::MAX])],
    ] {
        let fault = spool.commit(fence, wrong).await.unwrap_err();
        assert!(matches!(fault, StoreFault::Misuse(_)), "{fault}");
    }
    assert_eq!(spool.commit(fence, vec![]).await, Ok(()));
    assert_eq!(spool.health(), Health::Ok, "misuse is not the store's fault");
    drop(spool);
    bench.reopen();
    let (_, entries) = claim(&*bench.spool()).await;
    assert_eq!(entries.into_keys().collect::<Vec<_>>(), [1]);
}

async fn drafts_of_any_length_are_accepted<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    // Empty, small, at the limit of memory, in a file, at and above the limit for a file of one's own.
    let lens = [0, 1, 256, 257, 1484, 1485, 20_000];
    let mut wholes = Vec::new();
    for (id, len) in lens.into_iter().enumerate() {
        let (record, whole) = accept_draft(&*bench.spool(), id as u64, len).unwrap();
        bench.spool().commit(fence, vec![record]).await.unwrap();
        wholes.push(whole);
    }
    let spool = bench.spool();
    drop(spool.draft());
    let mut lost = spool.draft();
    lost.write(&octets(1, 5000)).unwrap();
    drop((lost, spool));
    bench.reopen();
    let (_, entries) = claim(&*bench.spool()).await;
    assert_eq!(entries.len(), lens.len());
    for (id, whole) in wholes.iter().enumerate() {
        assert_eq!(&read(&*bench.spool(), &entries[&(id as u64)]), whole);
    }
    assert_eq!(bench.spool().usage().bytes, wholes.iter().map(|w| w.len() as u64).sum::<u64>());
}

async fn a_draft_is_read_before_it_is_committed<B: Bench>() {
    let bench = B::new();
    let mut draft = bench.spool().draft();
    assert!(draft.is_empty());
    let whole = octets(3, 3000);
    whole.chunks(77).for_each(|chunk| draft.write(chunk).unwrap());
    let blob = draft.finish().unwrap();
    let mut part = vec![0; 1000];
    blob.read_at(1900, &mut part).unwrap();
    assert_eq!(part, whole[1900..2900]);
    assert!(blob.read_at(2500, &mut part).is_err());
}

async fn changes_add_up_and_survive<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    let state = RcptState {
        attempts: 1,
        next: Timestamp(99),
        last: Some(Json::of("450 later").unwrap()),
        ..RcptState::default()
    };
    let mut model = entry(1);
    model.content = StoredContent::whole(Id(1), 30);
    let mut patched = envelope(3);
    patched.recipients[2].params.clear();
    let hold = HoldChange::Hold(Hold { reason: "r".into(), by: "b".into(), place: Json::default() });
    let changes = [
        Record::Attempt(Id(1), Try { recipients: vec![(1, state.clone())] }),
        Record::Done(Id(1), vec![0]),
        Record::Amend(Id(1), Box::new(Patch { hold: Some(hold), ledger: Some(json!([1]).into()), ..Patch::default() })),
        Record::Amend(Id(1), Box::new(Patch { envelope: Some(patched), header_len: Some(9), ..Patch::default() })),
        Record::Attempt(Id(1), Try { recipients: vec![(2, RcptState { attempts: 2, ..state })] }),
        Record::Amend(Id(1), Box::new(Patch { hold: Some(HoldChange::Release), ..Patch::default() })),
    ];
    bench.spool().commit(fence, vec![accept(1, 30)]).await.unwrap();
    for change in changes {
        let (fence, _) = claim(&*bench.spool()).await;
        bench.spool().commit(fence, vec![change.clone()]).await.unwrap();
        model.apply(change);
        bench.reopen();
        assert_eq!(claim(&*bench.spool()).await.1[&1], model);
    }
    assert!(model.recipients[0].done && model.recipients[2].attempts == 2 && model.hold.is_none());
}

async fn what_has_ended_is_gone_and_its_space_returned<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    let spool = bench.spool();
    spool.commit(fence, vec![accept(1, 100), accept(2, 9000)]).await.unwrap();
    assert_eq!((spool.usage().messages, spool.usage().bytes), (2, 9100));
    spool.commit(fence, vec![Record::End(Id(1)), Record::End(Id(2))]).await.unwrap();
    assert_eq!((spool.usage().messages, spool.usage().bytes), (0, 0));
    assert!(matches!(spool.open(&StoredContent::whole(Id(1), 100)), Err(StoreFault::Misuse(_))));
    drop(spool);
    bench.reopen();
    assert!(claim(&*bench.spool()).await.1.is_empty());
}

async fn an_edit_splices_and_survives_another<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    bench.spool().commit(fence, vec![accept(1, 400)]).await.unwrap();
    let mut model = octets(1, 400).to_vec();
    for round in 0..3 {
        let (fence, entries) = claim(&*bench.spool()).await;
        let spool = bench.spool();
        let content = spool.open(&entries[&1].content).unwrap();
        let front = content.slice(10..50).prepend(format!("round {round}").into());
        let mut pieces = front.pieces().to_vec();
        pieces.extend_from_slice(content.slice(60..u64::MAX).pieces());
        let edited = Content::of(content.blob().clone(), pieces);
        model = [format!("round {round}").as_bytes(), &model[10..50], &model[60..]].concat();
        assert_eq!(edited.to_bytes().unwrap(), model);
        let kept = StoredContent::keep(Id(1), &edited).unwrap();
        let inline: u64 = kept
            .pieces()
            .iter()
            .map(|p| if matches!(p, mailsluice::mail::Piece::Inline(_)) { p.len() } else { 0 })
            .sum();
        assert!(inline < 30, "an edit copies nothing of what it leaves alone");
        let patch = Patch { content: Some(kept), header_len: Some(round), ..Patch::default() };
        spool.commit(fence, vec![Record::Amend(Id(1), Box::new(patch))]).await.unwrap();
        drop(spool);
        bench.reopen();
        let (_, entries) = claim(&*bench.spool()).await;
        assert_eq!(read(&*bench.spool(), &entries[&1]), model);
        assert_eq!(entries[&1].header_len, round);
    }
}

async fn readers_go_on_when_the_message_ends<B: Bench>() {
    let bench = B::new();
    let spool = bench.spool();
    let (fence, _) = claim(&*spool).await;
    let (large, whole) = accept_draft(&*spool, 2, 5000).unwrap();
    spool.commit(fence, vec![accept(1, 100), large]).await.unwrap();
    let small = spool.open(&StoredContent::whole(Id(1), 100)).unwrap();
    let large = spool.open(&StoredContent::whole(Id(2), whole.len() as u64)).unwrap();
    spool.commit(fence, vec![Record::End(Id(1)), Record::End(Id(2))]).await.unwrap();
    for id in 10..30 {
        spool.commit(fence, vec![accept(id, 900), Record::End(Id(id))]).await.unwrap();
    }
    assert_eq!(small.to_bytes().unwrap(), octets(1, 100));
    assert_eq!(large.to_bytes().unwrap(), whole);
}

async fn many_tasks_commit_at_once<B: Bench>() {
    let mut bench = B::new();
    let spool = bench.spool();
    let (fence, _) = claim(&*spool).await;
    let tasks: Vec<_> = (0..32u64)
        .map(|task| {
            let spool = spool.clone();
            tokio::spawn(async move {
                for n in 0..8 {
                    let id = task * 100 + n;
                    spool.commit(fence, vec![accept(id, 20 + 40 * n as usize)]).await.unwrap();
                    match n % 3 {
                        0 => spool.commit(fence, vec![Record::End(Id(id))]).await.unwrap(),
                        1 => spool.commit(fence, vec![Record::Done(Id(id), vec![1])]).await.unwrap(),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    drop(spool);
    bench.reopen();
    let (_, entries) = claim(&*bench.spool()).await;
    let expected: Vec<u64> = (0..32).flat_map(|t| (0..8).filter(|n| n % 3 != 0).map(move |n| t * 100 + n)).collect();
    assert_eq!(entries.keys().copied().collect::<Vec<_>>(), expected);
    for (id, entry) in &entries {
        let n = id % 100;
        assert_eq!(read(&*bench.spool(), entry), octets(*id, 20 + 40 * n as usize));
        assert_eq!(entry.recipients[1].done, n % 3 == 1);
    }
}

async fn an_older_claim_changes_nothing_any_more<B: Bench>() {
    let bench = B::new();
    let spool = bench.spool();
    let (old, _) = claim(&*spool).await;
    spool.commit(old, vec![accept(1, 10)]).await.unwrap();
    let (new, entries) = claim(&*spool).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(spool.commit(old, vec![Record::End(Id(1))]).await, Err(StoreFault::Fenced));
    assert_eq!(spool.usage().messages, 1);
    spool.commit(new, vec![Record::End(Id(1))]).await.unwrap();
}

async fn a_large_message_is_split_without_mixing<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    let spool = bench.spool();
    let (record, whole) = accept_draft(&*spool, 1, 9000).unwrap();
    spool.commit(fence, vec![record]).await.unwrap();
    let content = spool.open(&StoredContent::whole(Id(1), whole.len() as u64)).unwrap();
    let head = content.slice(0..5000);
    let rest = content.slice(3000..u64::MAX).prepend("Copy: 2\r\n".into());
    let rest_whole = [b"Copy: 2\r\n", &whole[3000..]].concat();
    let split =
        vec![Record::Accept(Box::new(entry(2)), head), Record::Accept(Box::new(entry(3)), rest), Record::End(Id(1))];
    spool.commit(fence, split).await.unwrap();
    drop((spool, content));
    bench.reopen();
    let (fence, entries) = claim(&*bench.spool()).await;
    assert_eq!(entries.keys().copied().collect::<Vec<_>>(), [2, 3]);
    bench.spool().commit(fence, vec![Record::End(Id(2))]).await.unwrap();
    bench.reopen();
    let (_, entries) = claim(&*bench.spool()).await;
    assert_eq!(read(&*bench.spool(), &entries[&3]), rest_whole);
}

async fn a_split_or_a_completion_with_its_report_is_one_batch<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    bench.spool().commit(fence, vec![accept(1, 100)]).await.unwrap();
    let batch = vec![accept(2, 30), Record::Done(Id(2), vec![0]), Record::Done(Id(1), vec![0]), Record::End(Id(1))];
    bench.spool().commit(fence, batch).await.unwrap();
    bench.reopen();
    let (_, entries) = claim(&*bench.spool()).await;
    assert_eq!(entries.keys().copied().collect::<Vec<_>>(), [2]);
    assert!(entries[&2].recipients[0].done && !entries[&2].recipients[1].done);
}

async fn a_batch_larger_than_a_segment_is_accepted<B: Bench>() {
    let mut bench = B::new();
    let (fence, _) = claim(&*bench.spool()).await;
    bench.spool().commit(fence, (0..40).map(|id| accept(id, 1000)).collect()).await.unwrap();
    bench.spool().commit(fence, vec![accept(50, 1000)]).await.unwrap();
    bench.reopen();
    let (_, entries) = claim(&*bench.spool()).await;
    assert_eq!(entries.len(), 41);
    assert_eq!(read(&*bench.spool(), &entries[&39]), octets(39, 1000));
}
