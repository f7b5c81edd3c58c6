//! One try at one next hop.
//!
//! [`Means::deliver`] ends with one outcome per recipient, in their order, and never panics or hangs: every wait has a
//! limit, and trouble of our own (a full disk, a wrong path) is a deferral, never a failure. A message can arrive
//! twice if the machine stops between the delivery and its record; it is never lost.
//!
//! Not here: which hop it is (`route`), when to try again (`queue`).
//!
//! * `maildir`, `drop`: files, left at a `depot` so that they survive a power cut; `path` names them.
//! * `smtp`: SMTP and LMTP, over a `connection` that drives the machine of [`crate::smtp::client`]; `pool` keeps those that are open.

pub mod connection;
mod depot;
mod drop;
mod file;
mod maildir;
pub mod path;
mod pool;
pub mod smtp;

#[cfg(test)]
mod tests;

use super::outcome::Outcome;
use crate::disk::Files;
use crate::mail::{Domain, Envelope, Id, Message, Recipient};
use depot::Depot;
pub use path::{Pattern, PatternError};
use pool::Pool;
use std::path::PathBuf;
use std::sync::Arc;

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

/// What tries share: the depot of files, and connections that are open still.
#[derive(Clone)]
pub struct Means {
    depot: Depot,
    pool: Pool,
}

impl Means {
    /// Local deliveries go to these files.
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { depot: Depot::new(files), pool: Pool::default() }
    }

    /// Tries one next hop and gives one outcome per target, in their order.
    pub async fn deliver(&self, hop: &NextHop, job: &Job<'_>) -> Vec<Outcome> {
        if job.targets.is_empty() {
            return Vec::new();
        }
        match hop {
            NextHop::Maildir { root, pattern } => maildir::deliver(&self.depot, root, pattern, job).await,
            NextHop::Drop(directory) => drop::deliver(&self.depot, directory, job).await,
            NextHop::Smtp(address) => smtp::deliver(&self.pool, address, false, job).await,
            NextHop::Lmtp(address) => smtp::deliver(&self.pool, address, true, job).await,
        }
    }
}
