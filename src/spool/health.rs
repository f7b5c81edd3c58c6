//! Whether the store can be trusted with new mail, and how much it holds: what status tells.

use super::fault::StoreFault;
use crate::mail::Timestamp;
use arc_swap::ArcSwapOption;
use std::sync::Arc;
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

/// The present health, shared by the committer, which sets it, and everybody, who ask at each MAIL and wait for nobody.
#[derive(Default)]
pub(super) struct Pulse(ArcSwapOption<(Timestamp, StoreFault)>);

impl Pulse {
    /// From now on every commit is refused with `fault`. The time of the first fault stays.
    pub(super) fn fail(&self, fault: StoreFault) {
        let now = now();
        self.0.rcu(|before| {
            let since = before.as_ref().map_or(now, |before| before.0);
            Some(Arc::new((since, fault.clone())))
        });
    }

    /// Records are taken again.
    pub(super) fn recover(&self) {
        self.0.store(None);
    }

    /// The fault with which commits are refused, if they are.
    pub(super) fn check(&self) -> Result<(), StoreFault> {
        self.0.load().as_ref().map_or(Ok(()), |sick| Err(sick.1.clone()))
    }

    pub(super) fn health(&self) -> Health {
        match &*self.0.load() {
            Some(sick) => {
                let (since, fault) = &**sick;
                Health::Sick { since: *since, why: fault.to_string(), full: matches!(fault, StoreFault::Full(_)) }
            }
            None => Health::Ok,
        }
    }
}

fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}
