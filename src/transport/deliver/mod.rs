//! One try at one next hop.
//!
//! [`deliver`] ends with one outcome per recipient, in their order, and never panics or hangs: every wait has a
//! limit, and trouble of our own (a full disk, a wrong path) is a deferral, never a failure. A message can arrive
//! twice if the machine stops between the delivery and its record; it is never lost.
//!
//! Not here: which hop it is (`route`), when to try again (`queue`).
//!
//! * `maildir`, `drop`: files, written by `file` so that they survive a power cut; `path` names them.
//! * `smtp`: SMTP and LMTP, over a `connection` that drives the machine of [`crate::smtp::client`].

pub mod connection;
mod drop;
mod file;
mod maildir;
pub mod path;
pub mod smtp;

#[cfg(test)]
mod tests;

use super::outcome::Outcome;
use crate::mail::{Domain, Envelope, Id, Message, Recipient};
pub use path::{Pattern, PatternError};
use std::path::PathBuf;

/// One host or place, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// A Maildir per mailbox.
    Maildir {
        /// What relative patterns are relative to.
        root: PathBuf,
        /// Where each Maildir lies.
        pattern: Pattern,
    },
    /// A drop directory: a file per message, for another program to take.
    Drop(PathBuf),
    /// `host:port`, by SMTP.
    Smtp(String),
    /// `host:port`, by LMTP.
    Lmtp(String),
}

/// What is to be delivered.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The message's id.
    pub id: Id,
    /// Our own name, for HELO and the names of files.
    pub hostname: &'a Domain,
    /// Sender and parameters. Recipients are taken from `targets` alone.
    pub envelope: &'a Envelope,
    /// Header and body.
    pub message: &'a Message,
    /// To whom.
    pub targets: &'a [Target<'a>],
}

/// One recipient of a job.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its place in the envelope.
    pub index: usize,
    /// The recipient.
    pub recipient: &'a Recipient,
    /// The name of its mailbox, without tag and quotes, in the case that the directory keeps. Only Maildirs look.
    pub user: &'a str,
}

/// Tries one next hop and gives one outcome per target, in their order.
pub async fn deliver(hop: &NextHop, job: &Job<'_>) -> Vec<Outcome> {
    if job.targets.is_empty() {
        return Vec::new();
    }
    match hop {
        NextHop::Maildir { root, pattern } => maildir::deliver(root, pattern, job).await,
        NextHop::Drop(directory) => drop::deliver(directory, job).await,
        NextHop::Smtp(address) => smtp::deliver(address, false, job).await,
        NextHop::Lmtp(address) => smtp::deliver(address, true, job).await,
    }
}
