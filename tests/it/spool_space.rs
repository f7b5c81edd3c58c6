//! What the segment log takes of the disk, and gives back.

use crate::disk::{Faulty, Plan};
use crate::spool::{accept, accept_draft, claim, entry, octets, open, read, small};
use mailsluice::mail::{Content, Id, Timestamp};
use mailsluice::spool::{Options, Patch, RcptState, Record, SegmentLog, Spool, StoredContent, Try};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|found| found.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn one_old_message_does_not_keep_the_mail_of_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let (fence, _) = claim(&spool).await;
    let (large, large_whole) = accept_draft(&spool, 2, 3000).unwrap();
    spool.commit(fence, vec![accept(1, 300), large]).await.unwrap();
    let state = RcptState { attempts: 4, next: Timestamp(77), ..RcptState::default() };
    spool.commit(fence, vec![Record::Attempt(Id(1), Try { recipients: vec![(1, state.clone())] })]).await.unwrap();
    let edited = spool.open(&StoredContent::whole(Id(1), 300)).unwrap().slice(100..200).prepend("New: 1\r\n".into());
    let patch = Patch { content: Some(StoredContent::keep(Id(1), &edited).unwrap()), ..Patch::default() };
    spool.commit(fence, vec![Record::Amend(Id(1), Box::new(patch))]).await.unwrap();
    let first = names(&dir.path().join("log")).into_iter().min().unwrap();
    for id in 10..200 {
        spool.commit(fence, vec![accept(id, 500)]).await.unwrap();
        spool.commit(fence, vec![Record::End(Id(id))]).await.unwrap();
        assert!(spool.usage().disk < 6 * 4096, "{:?}", spool.usage());
    }
    let reader = spool.open(&StoredContent::whole(Id(1), 300)).unwrap();
    drop(spool);
    assert!(!names(&dir.path().join("log")).contains(&first), "the first segment is still there");
    assert_eq!(reader.to_bytes().unwrap(), octets(1, 300));
    let spool = open(dir.path());
    let (_, entries) = claim(&spool).await;
    assert_eq!(entries.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(entries[&1].recipients[1], state);
    assert_eq!(read(&spool, &entries[&1]), [b"New: 1\r\n", &octets(1, 300)[100..200]].concat());
    assert_eq!(read(&spool, &entries[&2]), large_whole);
}

#[tokio::test]
async fn what_is_carried_costs_no_more_than_what_it_frees() {
    let dir = tempfile::tempdir().unwrap();
    let files = Faulty::new(Plan::Never, ErrorKind::Other);
    let options = Options { segment: 16 << 10, ..small() };
    let spool = SegmentLog::open_on(Arc::new(files.clone()), dir.path(), options).unwrap();
    let (fence, _) = claim(&spool).await;
    for id in 0..60 {
        spool.commit(fence, vec![accept(id, 500)]).await.unwrap();
    }
    let live = spool.usage().disk;
    let before = files.octets_written();
    let mut churned = 0;
    for id in 1000..1600 {
        spool.commit(fence, vec![accept(id, 1000), Record::End(Id(id))]).await.unwrap();
        churned += 1000;
        assert!(spool.usage().disk <= 2 * live + 6 * (16 << 10), "{:?} of {live}", spool.usage());
    }
    let written = files.octets_written() - before;
    // Each octet once as zeros and once for real, heads about as large as half a body, and as much again for carrying.
    assert!(written < 6 * churned, "{written} octets written for {churned}");
    let (_, entries) = claim(&spool).await;
    assert_eq!(entries.len(), 60);
    entries.iter().for_each(|(id, entry)| assert_eq!(read(&spool, entry), octets(*id, 500)));
}

#[tokio::test]
async fn a_restart_reads_no_bodies() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment: 256 << 10, large: 100 << 10, ..small() };
    let spool = SegmentLog::open(dir.path(), options.clone()).unwrap();
    let (fence, _) = claim(&spool).await;
    for id in 0..30 {
        spool.commit(fence, vec![accept(id, 20_000)]).await.unwrap();
    }
    drop(spool);
    let files = Faulty::new(Plan::Never, ErrorKind::Other);
    let spool = SegmentLog::open_on(Arc::new(files.clone()), dir.path(), options).unwrap();
    let (_, entries) = claim(&spool).await;
    assert_eq!(entries.len(), 30);
    assert!(files.octets_read() < 30_000, "{} octets were read", files.octets_read());
    assert_eq!(read(&spool, &entries[&29]), octets(29, 20_000));
}

#[tokio::test]
async fn files_of_large_messages_go_with_the_last_that_needs_them() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = dir.path().join("blobs");
    let spool = open(dir.path());
    let (fence, _) = claim(&spool).await;
    let (large, whole) = accept_draft(&spool, 1, 5000).unwrap();
    spool.commit(fence, vec![large]).await.unwrap();
    let content = spool.open(&StoredContent::whole(Id(1), whole.len() as u64)).unwrap();
    let copy = |id| Record::Accept(Box::new(entry(id)), content.clone());
    spool.commit(fence, vec![copy(2), copy(3), Record::End(Id(1))]).await.unwrap();
    assert_eq!(names(&blobs).len(), 1, "a split copies nothing");
    spool.commit(fence, vec![Record::End(Id(2))]).await.unwrap();
    drop(spool);
    assert_eq!(names(&blobs).len(), 1);
    let spool = open(dir.path());
    let (fence, _) = claim(&spool).await;
    spool.commit(fence, vec![Record::End(Id(3))]).await.unwrap();
    drop(spool);
    assert!(names(&blobs).is_empty());
    assert_eq!(content.to_bytes().unwrap(), whole, "who has it open reads on");
}

#[tokio::test]
async fn what_many_parts_share_is_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = dir.path().join("blobs");
    let spool = open(dir.path());
    let (fence, _) = claim(&spool).await;
    // By itself it is too small for a file, and so are two.
    spool.commit(fence, vec![accept(1, 700)]).await.unwrap();
    let content = spool.open(&StoredContent::whole(Id(1), 700)).unwrap();
    let part =
        |id: u64| Record::Accept(Box::new(entry(id)), content.slice(100..700).prepend(format!("To: {id}\r\n").into()));
    spool.commit(fence, vec![part(2), part(3)]).await.unwrap();
    assert!(names(&blobs).is_empty());
    spool.commit(fence, (4..9).map(part).chain([Record::End(Id(1))]).collect()).await.unwrap();
    assert_eq!(names(&blobs).len(), 1);
    // Parts of a part share the same file.
    let content = spool.open(&StoredContent::whole(Id(4), 607)).unwrap();
    let part = |id: u64| Record::Accept(Box::new(entry(id)), content.clone());
    spool.commit(fence, (9..13).map(part).chain([Record::End(Id(4))]).collect()).await.unwrap();
    assert_eq!(names(&blobs).len(), 1);
    drop(spool);
    let spool = open(dir.path());
    let (fence, entries) = claim(&spool).await;
    for (id, entry) in &entries {
        let to = if *id < 9 { *id } else { 4 };
        assert_eq!(read(&spool, entry), [format!("To: {to}\r\n").as_bytes(), &octets(1, 700)[100..]].concat(), "{id}");
    }
    spool.commit(fence, entries.keys().map(|id| Record::End(Id(*id))).collect()).await.unwrap();
    drop(spool);
    assert!(names(&blobs).is_empty());
}

#[tokio::test]
async fn drafts_and_refused_messages_leave_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let (fence, _) = claim(&spool).await;
    let mut given_up = spool.draft();
    given_up.write(&octets(1, 5000)).unwrap();
    drop(given_up);
    let (large, _) = accept_draft(&spool, 1, 5000).unwrap();
    spool.commit(fence, vec![large, Record::End(Id(9))]).await.unwrap_err();
    let huge_in_memory = Record::Accept(Box::new(entry(2)), Content::from(octets(2, 9000)));
    spool.commit(fence, vec![huge_in_memory, Record::End(Id(9))]).await.unwrap_err();
    for left in ["drafts", "blobs"] {
        assert!(names(&dir.path().join(left)).is_empty(), "{left}");
    }
    // As after a crash.
    fs::write(dir.path().join("drafts/0123456789abcdef"), b"half a mess").unwrap();
    fs::write(dir.path().join("blobs/0123456789abcdef"), b"a message without its record").unwrap();
    drop(spool);
    drop(open(dir.path()));
    for left in ["drafts", "blobs", "quarantine", "log"] {
        assert!(names(&dir.path().join(left)).is_empty(), "{left}");
    }
}

#[tokio::test]
async fn restarts_leave_no_empty_segments_behind() {
    let dir = tempfile::tempdir().unwrap();
    for id in 0..10 {
        let spool = open(dir.path());
        let (fence, entries) = claim(&spool).await;
        assert_eq!(entries.len(), id as usize);
        spool.commit(fence, vec![accept(id, 10)]).await.unwrap();
    }
    let octets: u64 = fs::read_dir(dir.path().join("log")).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
    assert!(octets < 10 * 1024, "{octets} octets for ten small messages");
}
