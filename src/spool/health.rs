//! Whether the store can be trusted with new mail, and how much it holds: what status tells.

use super::fault::StoreFault;
use crate::mail::Timestamp;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether the store takes records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Ok,
    /// It refuses them all: turn new mail away, and don't deliver what could not be recorded. It tries by itself to recover.
    Sick {
        /// Since when.
        since: Timestamp,
        /// The operation that failed.
        why: String,
        /// For want of room, and not because the disk failed.
        full: bool,
    },
}

/// How much the store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Messages.
    pub messages: u64,
    /// Octets of their content.
    pub bytes: u64,
    /// Octets of the log's files on the disk, prepared and not yet returned ones included.
    pub disk: u64,
    /// Files of the log.
    pub segments: u64,
    /// What was there at the start is still being read, and not counted yet.
    pub recovering: bool,
}

/// The present health, shared by the committer, which sets it, and everybody, who ask.
#[derive(Default)]
pub(super) struct Pulse(Mutex<Option<(Timestamp, StoreFault)>>);

impl Pulse {
    /// From now on every commit is refused with `fault`. The time of the first fault stays.
    pub(super) fn fail(&self, fault: StoreFault) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = state.as_ref().map_or_else(now, |(since, _)| *since);
        *state = Some((since, fault));
    }

    /// Records are taken again.
    pub(super) fn recover(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The fault with which commits are refused, if they are.
    pub(super) fn check(&self) -> Result<(), StoreFault> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((_, fault)) => Err(fault.clone()),
            None => Ok(()),
        }
    }

    pub(super) fn health(&self) -> Health {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((since, fault)) => {
                let full = matches!(fault, StoreFault::Full(_));
                Health::Sick { since: *since, why: fault.to_string(), full }
            }
            None => Health::Ok,
        }
    }
}

fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}
