//! Why the spool did not do what it was asked.
//!
//! Two texts: [`StoreFault`]'s own is the operator's and names files; [`StoreFault::reply`] is the client's and does not.

use crate::mail::{EnhancedCode, Id, Reply};
use std::fmt;
use std::io;

/// A refusal of the store. Nothing of the batch was done, unless [`super::Spool::commit`] says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The disk or the quota is full.
    Full(String),
    /// A read, write or sync failed, or the store has stopped.
    Sick(String),
    /// The octets on the disk are not those that were written.
    Damaged(Id, String),
    /// Another claim has been made since this fence was given.
    Fenced,
    /// The caller asked for what can't be, such as a change of a message that is not there.
    Misuse(String),
}

impl StoreFault {
    /// An operation on a file failed. `what` names both: `write spool/log/…`.
    pub(super) fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        let text = format!("can't {what}: {error}");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(text),
            _ => Self::Sick(text),
        }
    }

    pub(super) fn not_there(id: Id) -> Self {
        Self::Misuse(format!("message {id} is not there"))
    }

    pub(super) fn stopped() -> Self {
        Self::Sick("the spool has stopped".into())
    }

    /// What a client is told: 452 if there is no room, else 451 (RFC 5321 4.2.2, RFC 3463 3.4).
    pub fn reply(&self) -> Reply {
        match self {
            Self::Full(_) => Reply::new(452, EnhancedCode(4, 3, 1), "Insufficient system storage"),
            _ => Reply::new(451, EnhancedCode(4, 3, 0), "Local error in processing"),
        }
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(why) => write!(f, "the spool has no room: {why}"),
            Self::Sick(why) => write!(f, "the spool is sick: {why}"),
            Self::Damaged(id, why) => write!(f, "the spool's copy of message {id} is damaged: {why}"),
            Self::Fenced => f.write_str("the spool was claimed by another owner since"),
            Self::Misuse(why) => write!(f, "the spool was asked for what can't be: {why}"),
        }
    }
}

impl std::error::Error for StoreFault {}
