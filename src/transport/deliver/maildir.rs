//! Delivery to Maildirs (https://cr.yp.to/proto/maildir.html).
//!
//! The message is written under `tmp/`, synced, moved to `new/` under a unique name, and `new/` is synced; only then
//! is it delivered. On top go `Return-Path` (RFC 5321 4.4) and `Delivered-To`; line ends are stored as LF, as every
//! reader of Maildirs on Unix expects; nothing else changes. A message that was declared binary (RFC 3030 3) keeps every octet,
//! CRLF included, because in its parts a CRLF need not be the end of a line. A missing Maildir is made.
//!
//! Not here: quotas, subfolders, old drafts (readers sweep `tmp/`).

use super::depot::{Deposit, Depot};
use super::file;
use super::path::Pattern;
use super::{Job, Target};
use crate::mail::domain;
use crate::mail::{BodyType, EnhancedCode, ForwardPath, Reply};
use crate::transport::outcome::Outcome;
use std::io::{self, Write};
use std::path::Path;

const DELIVERED: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Delivered to the mailbox");

/// Delivers to the Maildir of each target.
pub(super) async fn deliver(depot: &Depot, root: &Path, pattern: &Pattern, job: &Job<'_>) -> Vec<Outcome> {
    let deposits = job.targets.iter().map(|target| deposit(root, pattern, job, target)).collect();
    let done = depot.put(&pattern.base(root), deposits).await;
    done.into_iter().map(|deposited| file::outcome(deposited, &DELIVERED)).collect()
}

/// What one mailbox gets.
fn deposit(root: &Path, pattern: &Pattern, job: &Job<'_>, target: &Target<'_>) -> Deposit {
    let path = &target.recipient.path;
    let domain = match path {
        ForwardPath::Mailbox(mailbox) => mailbox.domain_key(),
        ForwardPath::Postmaster(_) => domain::key(job.hostname.as_str()),
    };
    let maildir = pattern.expand(root, &domain, target.user);
    let name = file::unique_name(job.hostname.as_str());
    let binary = job.envelope.body == BodyType::BinaryMime;
    let end = if binary { "\r\n" } else { "\n" };
    let trace = format!("Return-Path: {}{end}Delivered-To: {}{end}", job.sender, path.as_str());
    let message = job.message.clone();
    Deposit {
        draft: maildir.join("tmp").join(&name),
        place: maildir.join("new").join(&name),
        mode: 0o600,
        // tmp comes last: who finds it can rely on the others.
        directories: ["cur", "new", "tmp"].map(|name| maildir.join(name)).to_vec(),
        fill: Box::new(move |out| {
            out.write_all(trace.as_bytes())?;
            if binary {
                return message.content().for_each_chunk(|chunk| out.write_all(chunk));
            }
            let mut lines = UnixLines::default();
            message.content().for_each_chunk(|chunk| lines.write(chunk, out))?;
            lines.finish(out)
        }),
    }
}

/// Writes CRLF as LF, whatever the chunks. A CR without an LF stays.
#[derive(Default)]
struct UnixLines {
    /// The last chunk ended with a CR that has not been written.
    held: bool,
}

impl UnixLines {
    fn write(&mut self, mut chunk: &[u8], out: &mut dyn Write) -> io::Result<()> {
        while let Some(&first) = chunk.first() {
            if std::mem::take(&mut self.held) && first != b'\n' {
                out.write_all(b"\r")?;
            }
            let end = memchr::memchr(b'\r', chunk).unwrap_or(chunk.len());
            let (plain, rest) = chunk.split_at(end);
            out.write_all(plain)?;
            self.held = !rest.is_empty();
            chunk = rest.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        if self.held { out.write_all(b"\r") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn crlf_becomes_lf_and_nothing_else_changes(chunks in prop::collection::vec("[\\r\\na]{0,4}", 0..6)) {
            let (mut lines, mut out) = (UnixLines::default(), Vec::new());
            for chunk in &chunks {
                lines.write(chunk.as_bytes(), &mut out).unwrap();
            }
            lines.finish(&mut out).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), chunks.concat().replace("\r\n", "\n"));
        }
    }
}
