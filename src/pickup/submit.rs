//! One file through intake.

use super::file::{Source, Stamp, Trouble};
use super::head::{self, Head};
use crate::config::Settings;
use crate::intake::compose::Missing;
use crate::intake::letter::Letter;
use crate::intake::{Intake, Visit};
use crate::mail::{Class, Door, Header, HeaderError};
use crate::snapshot::Snapshot;
use nix::errno::Errno;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// Octets that a recipient's line on top of a file may take, beside the header.
const LINE: u64 = 300;

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The message is durable: the file is to be removed.
    Accepted,
    /// It will never be accepted, for this reason.
    Bad(String),
    /// Not now, for this reason.
    Later(String),
    /// The file has gone, or was written to meanwhile: nothing was done.
    Changed,
}

/// Submits the file that had this stamp.
pub(super) async fn submit(intake: &Intake, snapshot: &Snapshot, path: PathBuf, stamp: Stamp) -> Ended {
    match attempt(intake, snapshot, path, stamp).await {
        Ok(ended) | Err(ended) => ended,
    }
}

async fn attempt(intake: &Intake, snapshot: &Snapshot, path: PathBuf, stamp: Stamp) -> Result<Ended, Ended> {
    let settings = snapshot.settings.clone();
    let (mut source, head) = blocking(move || begin(&path, stamp, &settings)).await?;
    let Head { sender, recipients, mut header, top } = head;
    let octets = stamp.len.saturating_sub(top);
    let now = intake.clock.now();
    let mut visit = Visit::new(intake, snapshot, Door::Pickup, (sender.clone(), recipients), octets);
    let missing = Missing::new(&sender, None, now, &format!("{}.mailsluice", visit.id()), &snapshot.settings);
    missing.complete(&mut header).map_err(|e: HeaderError| Ended::Bad(e.to_string()))?;
    let refusal = match visit.guards(octets) {
        Some(reply) => Some(reply),
        None => {
            let (mut letter, max) = (visit.letter(), snapshot.settings.limits.message_size);
            let letter = blocking(move || write(&mut source, &header, &mut letter, max).map(|()| letter)).await?;
            visit.finish(letter)
        }
    };
    match visit.end(refusal).await {
        Ok(_) => Ok(Ended::Accepted),
        Err(reply) if reply.class() == Class::Permanent => Err(Ended::Bad(reply.to_string())),
        Err(reply) => Err(Ended::Later(reply.to_string())),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Ended> + Send + 'static) -> Result<T, Ended> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Ended::Later(format!("a bug was met: {error}"))))
}

fn begin(path: &std::path::Path, stamp: Stamp, settings: &Settings) -> Result<(Source, Head), Ended> {
    let mut source = Source::open(path).map_err(unopened)?;
    if source.stamp() != stamp {
        return Err(Ended::Changed);
    }
    let lines = (settings.limits.recipients as u64).saturating_add(1).saturating_mul(LINE);
    let raw = source.header(settings.limits.header_size.saturating_add(lines)).map_err(ended)?;
    let head = head::read(raw, settings).map_err(Ended::Bad)?;
    Ok((source, head))
}

fn write(source: &mut Source, header: &Header, letter: &mut Letter, max: u64) -> Result<(), Ended> {
    let written = [&header.raw()[..], b"\r\n"].iter().try_for_each(|part| letter.write(part)).map_err(Trouble::Draft);
    written.and_then(|()| source.copy(letter, max)).map_err(ended)?;
    match source.unchanged() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Ended::Changed),
        Err(error) => Err(ended(error.into())),
    }
}

fn unopened(error: io::Error) -> Ended {
    let other = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput);
    match other || error.raw_os_error() == Some(Errno::ELOOP as i32) {
        // Nothing, or something else, has its name now: the next look at the directory tells.
        true => Ended::Changed,
        false => Ended::Later(format!("the file can't be opened: {error}")),
    }
}

fn ended(trouble: Trouble) -> Ended {
    match trouble {
        Trouble::File(error) => Ended::Later(format!("the file can't be read: {error}")),
        Trouble::Draft(fault) => Ended::Later(fault.to_string()),
        Trouble::Header => Ended::Bad("the header is too large, or has no end".to_owned()),
    }
}
