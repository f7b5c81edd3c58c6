//! Delivery into a drop directory, from which another program takes its mail.
//!
//! One file per message: an `X-Sender:` line, an `X-Receiver:` line per recipient, then the message octet for octet,
//! CRLF included. It appears under its name, `ID.eml`, only when it is whole and on stable storage. If a message comes
//! in several batches, the later ones carry the place of their first recipient, `ID-3.eml`; a batch that is repeated
//! after a crash replaces itself. Names that start with a dot are drafts.

use super::Job;
use super::file::{self, LocalFault};
use crate::mail::{EnhancedCode, Message, Reply};
use crate::transport::outcome::{Details, Outcome};
use std::path::{Path, PathBuf};

const DELIVERED: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Put into the drop directory");

/// Writes one file for all targets.
pub(super) async fn deliver(directory: &Path, job: &Job<'_>) -> Vec<Outcome> {
    let suffix = match job.targets.first() {
        Some(first) if first.index > 0 => format!("-{}", first.index),
        _ => String::new(),
    };
    let name = format!("{}{suffix}.eml", job.id);
    let sender = match job.envelope.sender.as_str() {
        "" => "<>",
        address => address,
    };
    let mut top = format!("X-Sender: {sender}\r\n");
    for target in job.targets {
        top.push_str(&format!("X-Receiver: {}\r\n", target.recipient.path.as_str()));
    }
    let (directory, message) = (directory.to_owned(), job.message.clone());
    let write = move || match write(&directory, &name, &top, &message) {
        Ok(path) => Outcome::Delivered(Details::ours(DELIVERED, path.display().to_string())),
        Err(fault) => fault.outcome(),
    };
    let outcome = file::blocking(write).await.unwrap_or_else(|interrupted| interrupted);
    vec![outcome; job.targets.len()]
}

fn write(directory: &Path, name: &str, top: &str, message: &Message) -> Result<PathBuf, LocalFault> {
    match try_to_write(directory, name, top, message) {
        Err(fault) if fault.is_not_found() => {
            file::make_directories(&[directory.to_owned()])?;
            try_to_write(directory, name, top, message)
        }
        done => done,
    }
}

fn try_to_write(directory: &Path, name: &str, top: &str, message: &Message) -> Result<PathBuf, LocalFault> {
    let place = directory.join(name);
    // A name of its own for each try: a draft that a crash or an abandoned try has left is in nobody's way.
    let draft = directory.join(format!(".{}.tmp", file::unique_name(name)));
    file::write(&draft, &place, 0o640, |out| {
        out.write_all(top.as_bytes())?;
        message.content().for_each_chunk(|chunk| out.write_all(chunk))
    })?;
    Ok(place)
}
