//! Delivery into a drop directory, from which another program takes its mail.
//!
//! One file per message: an `X-Sender:` line, an `X-Receiver:` line per recipient, then the message octet for octet,
//! CRLF included. It appears under its name, `ID.eml`, only when it is whole and on stable storage. If a message comes
//! in several batches, the later ones carry the place of their first recipient, `ID-3.eml`; a batch that is repeated
//! after a crash replaces itself. Names that start with a dot are drafts.

use super::Job;
use super::depot::{Deposit, Depot};
use super::file;
use crate::mail::{EnhancedCode, Reply};
use crate::transport::outcome::Outcome;
use std::path::Path;

const DELIVERED: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Put into the drop directory");

/// Writes one file for all targets.
pub(super) async fn deliver(depot: &Depot, directory: &Path, job: &Job<'_>) -> Vec<Outcome> {
    let suffix = match job.targets.first() {
        Some(first) if first.index > 0 => format!("-{}", first.index),
        _ => String::new(),
    };
    let name = format!("{}{suffix}.eml", job.id);
    let sender = match job.sender.as_str() {
        "" => "<>",
        address => address,
    };
    let mut top = format!("X-Sender: {sender}\r\n");
    for target in job.targets {
        top.push_str(&format!("X-Receiver: {}\r\n", target.recipient.path.as_str()));
    }
    let message = job.message.clone();
    let deposit = Deposit {
        // A name of its own for each try: a draft that a crash or an abandoned try has left is in nobody's way.
        draft: directory.join(format!(".{}.tmp", file::unique_name(&name))),
        place: directory.join(name),
        mode: 0o640,
        directories: vec![directory.to_owned()],
        fill: Box::new(move |out| {
            out.write_all(top.as_bytes())?;
            message.content().for_each_chunk(|chunk| out.write_all(chunk))
        }),
    };
    let deposited = depot.put(directory, vec![deposit]).await.pop().flatten();
    vec![file::outcome(deposited, &DELIVERED); job.targets.len()]
}
