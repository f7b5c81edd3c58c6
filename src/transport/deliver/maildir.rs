//! Delivery to Maildirs (https://cr.yp.to/proto/maildir.html).
//!
//! The message is written under `tmp/`, synced, moved to `new/` under a unique name, and `new/` is synced; only then
//! is it delivered. On top go `Return-Path` (RFC 5321 4.4) and `Delivered-To`; line ends are stored as LF, as every
//! reader of Maildirs on Unix expects; nothing else changes. A missing Maildir is made.
//!
//! Not here: quotas, subfolders, old drafts (readers sweep `tmp/`).

use super::file::{self, LocalFault};
use super::path::Pattern;
use super::{Job, Target};
use crate::mail::domain;
use crate::mail::{EnhancedCode, ForwardPath, Message, Reply};
use crate::transport::outcome::{Details, Outcome};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const DELIVERED: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Delivered to the mailbox");

/// Delivers to the Maildir of each target.
pub(super) async fn deliver(root: &Path, pattern: &Pattern, job: &Job<'_>) -> Vec<Outcome> {
    let hostname = job.hostname.as_str().to_owned();
    let copies: Vec<Copy> = job.targets.iter().map(|target| Copy::new(root, pattern, job, target)).collect();
    let message = job.message.clone();
    let count = copies.len();
    let write = move || copies.iter().map(|copy| copy.outcome(&hostname, &message)).collect();
    file::blocking(write).await.unwrap_or_else(|interrupted| vec![interrupted; count])
}

/// What one mailbox gets.
struct Copy {
    maildir: PathBuf,
    /// The fields on top, with LF.
    trace: String,
}

impl Copy {
    fn new(root: &Path, pattern: &Pattern, job: &Job<'_>, target: &Target<'_>) -> Self {
        let path = &target.recipient.path;
        let domain = match path {
            ForwardPath::Mailbox(mailbox) => mailbox.domain_key(),
            ForwardPath::Postmaster(_) => domain::key(job.hostname.as_str()),
        };
        Self {
            maildir: pattern.expand(root, &domain, target.user),
            trace: format!("Return-Path: {}\nDelivered-To: {}\n", job.envelope.sender, path.as_str()),
        }
    }

    fn outcome(&self, hostname: &str, message: &Message) -> Outcome {
        match self.write(hostname, message) {
            Ok(path) => Outcome::Delivered(Details::ours(DELIVERED, path.display().to_string())),
            Err(fault) => fault.outcome(),
        }
    }

    /// Tries as if the Maildir were there; if it is not, makes it and tries once more.
    fn write(&self, hostname: &str, message: &Message) -> Result<PathBuf, LocalFault> {
        match self.try_to_write(hostname, message) {
            Err(fault) if fault.is_not_found() => {
                // tmp comes last: who finds it can rely on the others.
                file::make_directories(&["cur", "new", "tmp"].map(|name| self.maildir.join(name)))?;
                self.try_to_write(hostname, message)
            }
            done => done,
        }
    }

    fn try_to_write(&self, hostname: &str, message: &Message) -> Result<PathBuf, LocalFault> {
        let name = file::unique_name(hostname);
        let place = self.maildir.join("new").join(&name);
        file::write(&self.maildir.join("tmp").join(&name), &place, 0o600, |out| {
            out.write_all(self.trace.as_bytes())?;
            let mut lines = UnixLines::default();
            message.content().for_each_chunk(|chunk| lines.write(chunk, out))?;
            lines.finish(out)
        })?;
        Ok(place)
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
