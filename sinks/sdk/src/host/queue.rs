//! The queue. Needs `allow.queue`.
//!
//! Domains: `example.com`, or `@example.com` for that domain and those below it.

use crate::seam::{Here, World};
use crate::wit::queue;
use std::fmt;

/// Why the queue could not be steered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// What was given is no domain, nor one with an `@` in front.
    Invalid(String),
    /// Somebody else's question is being answered.
    Busy,
    /// There is no queue now: the server starts or stops, or the spool can't be read.
    Unavailable(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) | Self::Unavailable(why) => write!(f, "queue: {why}"),
            Self::Busy => f.write_str("queue: it is being looked through for somebody else"),
        }
    }
}

impl std::error::Error for Error {}

impl From<queue::Error> for Error {
    fn from(error: queue::Error) -> Self {
        match error {
            queue::Error::Invalid(why) => Self::Invalid(why),
            queue::Error::Busy => Self::Busy,
            queue::Error::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

fn owned(domains: &[&str]) -> Vec<String> {
    domains.iter().map(|domain| (*domain).to_owned()).collect()
}

/// Has everything tried at once that waits for one of these domains, and says how many messages that are. Parked ones stay parked.
pub fn start(domains: &[&str]) -> Result<u64, Error> {
    Ok(Here::queue_start(&owned(domains))?)
}

/// How many messages wait to be called for by the receiver of one of these domains.
pub fn waiting(domains: &[&str]) -> Result<u64, Error> {
    Ok(Here::queue_waiting(&owned(domains))?)
}
