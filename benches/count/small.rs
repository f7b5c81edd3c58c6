//! Paths that need no server: a delivery into a Maildir, and the compilation of a rule.

use super::protocol::message;
use super::{seam, stage};
use mailsluice::disk::Disk;
use mailsluice::mail::{Domain, Envelope, ForwardPath, Id, Message, Recipient, ReversePath, Standing};
use mailsluice::transport::Request;
use mailsluice::transport::deliver::{Job, Means, NextHop, Pattern, Target};
use mailsluice::transport::outcome::Outcome;
use std::hint::black_box;
use std::sync::Arc;

/// A message of 4 KiB to one mailbox, synced as always.
pub(crate) fn maildir(n: u64) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let hop = NextHop::Maildir { root: dir.path().to_owned(), pattern: Pattern::parse("{domain}/{local}").unwrap() };
    let hostname = Domain::parse("mx.example.com").unwrap();
    let envelope = Envelope::new(ReversePath::parse("bob@example.org").unwrap());
    let recipient = Recipient::new(ForwardPath::parse("alice@example.com").unwrap(), Standing::Local);
    let message = Message::from_bytes(message().into());
    let targets = [Target { index: 0, recipient: &recipient, user: "alice" }];
    let job = Job {
        id: Id(1),
        hostname: &hostname,
        envelope: &envelope,
        sender: &envelope.sender,
        message: &message,
        targets: &targets,
        per_connection: None,
        request: Request::NONE,
    };
    let means = Means::new(Arc::new(Disk));
    for _ in 0..n {
        let outcomes = runtime.block_on(means.deliver(&hop, &job));
        assert!(matches!(outcomes.as_slice(), [Outcome::Delivered(_)]), "{outcomes:?}");
    }
}

/// From its text on.
pub(crate) fn compile(n: u64) {
    for _ in 0..n {
        black_box(stage::compiled(black_box(seam::RULE)));
    }
}
