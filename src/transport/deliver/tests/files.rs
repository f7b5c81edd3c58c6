//! Maildirs and drop directories.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn maildir(root: &Path) -> NextHop {
    NextHop::Maildir { root: root.to_owned(), pattern: Pattern::parse("mail/{domain}/{local}").unwrap() }
}

/// The contents of all files there.
fn contents(directory: &Path) -> Vec<String> {
    let read = |entry: std::io::Result<fs::DirEntry>| fs::read_to_string(entry.unwrap().path()).unwrap();
    fs::read_dir(directory).unwrap().map(read).collect()
}

#[tokio::test]
async fn a_maildir_gets_the_message_with_two_fields_on_top() {
    let root = tempfile::tempdir().unwrap();
    let fixture = fixture(&["alice+tag@Example.COM", "bob@example.com", "postmaster"]);
    let hop = maildir(root.path());
    assert_eq!(short(&fixture.deliver(&hop).await), ["delivered 2.0.0"; 3]);
    let alice = root.path().join("mail/example.com/alice");
    let lines = "Received: x\nSubject: hello\n\n.dot\nbare \r cr\n";
    let top = "Return-Path: <sender@x.example>\nDelivered-To: ";
    assert_eq!(contents(&alice.join("new")), [format!("{top}alice+tag@Example.COM\n{lines}")]);
    assert_eq!(contents(&root.path().join("mail/me.example/postmaster/new")), [format!("{top}postmaster\n{lines}")]);
    for name in ["tmp", "cur", "new"] {
        assert_eq!(fs::metadata(alice.join(name)).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(contents(&alice.join("tmp")), [""; 0], "no draft is left");
    let file = fs::read_dir(alice.join("new")).unwrap().next().unwrap().unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(short(&fixture.deliver(&hop).await), ["delivered 2.0.0"; 3]);
    assert_eq!(contents(&alice.join("new")).len(), 2, "a second delivery replaces nothing");
}

#[tokio::test]
async fn a_binary_message_keeps_every_octet() {
    let root = tempfile::tempdir().unwrap();
    let mut fixture = fixture(&["alice@example.com"]);
    fixture.envelope.body = crate::mail::BodyType::BinaryMime;
    let text = "Subject: x\r\n\r\n\0\r\n\n\r";
    fixture.message = Message::from_bytes(Bytes::from_static(text.as_bytes()));
    fixture.deliver(&maildir(root.path())).await;
    fixture.deliver(&NextHop::Drop(root.path().join("drop"))).await;
    let top = "Return-Path: <sender@x.example>\r\nDelivered-To: alice@example.com\r\n";
    assert_eq!(contents(&root.path().join("mail/example.com/alice/new")), [format!("{top}{text}")]);
    assert!(contents(&root.path().join("drop"))[0].ends_with(text));
}

#[tokio::test]
async fn the_null_path_is_a_return_path() {
    let root = tempfile::tempdir().unwrap();
    let mut fixture = fixture(&["alice@example.com"]);
    fixture.envelope.sender = ReversePath::Null;
    fixture.deliver(&maildir(root.path())).await;
    let new = contents(&root.path().join("mail/example.com/alice/new"));
    assert!(new[0].starts_with("Return-Path: <>\n"), "{new:?}");
}

#[tokio::test]
async fn what_is_missing_of_a_maildir_is_made() {
    let root = tempfile::tempdir().unwrap();
    let alice = root.path().join("mail/example.com/alice");
    fs::create_dir_all(alice.join("tmp")).unwrap();
    assert_eq!(short(&fixture(&["alice@example.com"]).deliver(&maildir(root.path())).await), ["delivered 2.0.0"]);
    assert_eq!(contents(&alice.join("new")).len(), 1);
    assert!(alice.join("cur").is_dir());
}

#[tokio::test]
async fn a_file_in_the_way_puts_one_recipient_off_and_not_the_other() {
    let root = tempfile::tempdir().unwrap();
    let domain = root.path().join("mail/example.com");
    fs::create_dir_all(&domain).unwrap();
    fs::write(domain.join("alice"), "not a directory").unwrap();
    let outcomes = fixture(&["alice@example.com", "bob@example.com"]).deliver(&maildir(root.path())).await;
    assert_eq!(short(&outcomes), ["deferred 4.3.5", "delivered 2.0.0"]);
    let details = outcomes[0].details();
    assert!(details.note.contains("mail/example.com/alice"), "{details:?}");
    assert!(!details.reply.text().contains("alice"), "{details:?}");
}

struct Unreadable;

impl crate::mail::Blob for Unreadable {
    fn len(&self) -> u64 {
        10
    }
    fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
        Err(std::io::Error::other("rotten"))
    }
}

#[tokio::test]
async fn a_message_that_can_not_be_read_leaves_no_file() {
    let root = tempfile::tempdir().unwrap();
    let mut fixture = fixture(&["alice@example.com"]);
    fixture.message.body = crate::mail::Content::whole(std::sync::Arc::new(Unreadable));
    assert_eq!(short(&fixture.deliver(&maildir(root.path())).await), ["deferred 4.3.0"]);
    let alice = root.path().join("mail/example.com/alice");
    assert_eq!((contents(&alice.join("tmp")).len(), contents(&alice.join("new")).len()), (0, 0));
    let drop = root.path().join("drop");
    assert_eq!(short(&fixture.deliver(&NextHop::Drop(drop.clone())).await), ["deferred 4.3.0"]);
    assert_eq!(fs::read_dir(drop).unwrap().count(), 0);
}

#[tokio::test]
async fn a_drop_directory_gets_one_file_with_the_envelope_on_top() {
    let root = tempfile::tempdir().unwrap();
    let drop = root.path().join("a/drop");
    let hop = NextHop::Drop(drop.clone());
    let mut fixture = fixture(&["alice@example.com", "Postmaster"]);
    assert_eq!(short(&fixture.deliver(&hop).await), ["delivered 2.0.0"; 2]);
    let name = drop.join(format!("{}.eml", Id(1 << 40)));
    let top = "X-Sender: sender@x.example\r\nX-Receiver: alice@example.com\r\nX-Receiver: Postmaster\r\n";
    assert_eq!(fs::read_to_string(&name).unwrap(), format!("{top}{TEXT}"));

    fixture.envelope.sender = ReversePath::Null;
    assert_eq!(short(&fixture.deliver_from(1, &hop).await), ["delivered 2.0.0"]);
    let second = drop.join(format!("{}-1.eml", Id(1 << 40)));
    assert!(fs::read_to_string(second).unwrap().starts_with("X-Sender: <>\r\nX-Receiver: Postmaster\r\nReceived: x"));

    fixture.deliver_from(1, &hop).await;
    assert_eq!(fs::read_dir(&drop).unwrap().count(), 2, "a repeated batch replaces itself");
}
