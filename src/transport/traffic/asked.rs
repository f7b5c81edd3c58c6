//! The answers to who asks for a turn, and what he tells of it afterwards.

use super::governor::Turn;
use crate::config::traffic::Kind;
use crate::mail::Timestamp;
use std::fmt;

/// The answer to [`Governor::ask`](super::Governor::ask).
#[derive(Debug)]
pub enum Asked {
    /// Go; the turn is given back when it is dropped.
    Turn(Turn),
    /// Not now.
    Wait(Wait),
}

/// Why there is no turn now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Not before this time; if none, nobody can say: it is woken.
    pub until: Option<Timestamp>,
    /// What is in the way, for operators.
    pub why: Why,
}

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// All connections of this kind of name are in use.
    Connections(Kind),
    /// Its messages of this period are sent.
    Rate(Kind),
    /// The site has asked for less, or can't be reached.
    BackOff,
    /// An operator has stopped it, for this reason.
    Suspended(String),
    /// All connections that the server may have are in use.
    Total,
}

/// For operators, as in "waits: …".
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connections(kind) => write!(f, "all connections of its {} are in use", kind.as_str()),
            Self::Rate(kind) => write!(f, "its {} has sent its messages of this period", kind.as_str()),
            Self::BackOff => f.write_str("the site wants less mail or can't be reached, and is left alone"),
            Self::Suspended(reason) => write!(f, "suspended: {reason}"),
            Self::Total => f.write_str("all outbound connections are in use"),
        }
    }
}

/// What was heard from a site during a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It wants less: 421, or a status of 4.7.x.
    Slow,
    /// None of its hosts took a connection.
    Refused,
    /// It took a message, or answered in another way that is no complaint about the pace.
    Good,
}
