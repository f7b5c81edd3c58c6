//! What the committer does when the disk fails it.
//!
//! A failed write or sync is final for its segment, which is never written to again. Those who waited for it are refused,
//! and what was refused must not come back: some of it may be on the disk. So a new segment begins with a record that
//! declares it void. Only when that is durable are commits taken again; until then the store is sick, refuses at once,
//! and tries again by itself with growing waits.

use super::committer::Committer;
use super::fault::StoreFault;
use super::segment::{Active, Group, capacity_for, discard};
use super::unit::{Abort, Batch};
use std::time::{Duration, Instant};

/// A sick store's next attempt to recover.
pub(super) struct Trouble {
    next: Instant,
    pause: Duration,
}

impl Trouble {
    /// The time until then.
    pub(super) fn wait(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }
}

impl Committer {
    /// The active segment has failed. Goes on in another one if it can.
    pub(super) fn fail(&mut self, fault: &StoreFault) {
        let Some(failed) = self.active.take() else { return };
        tracing::error!(%fault, "the spool gives up a segment; what waited for it is refused");
        self.aborts.push(Abort { segment: failed.name.number, seq: failed.next_seq() });
        self.shared.index().close_segment(failed.name.number, None);
        if let Err(fault) = self.revive() {
            self.sicken(&fault);
        }
    }

    /// From now on commits are refused.
    pub(super) fn sicken(&mut self, fault: &StoreFault) {
        match self.trouble {
            None => tracing::error!(%fault, "the spool is sick: new mail is turned away and nothing is delivered"),
            Some(_) => tracing::debug!(%fault, "the spool is still sick"),
        }
        self.shared.pulse.fail(fault.clone());
        let (first, longest) = self.probe;
        let pause = self.trouble.as_ref().map_or(first, |trouble| longest.min(trouble.pause * 2));
        self.trouble = Some(Trouble { next: Instant::now() + pause, pause });
    }

    /// Tries to recover if it is time.
    pub(super) fn probe_if_due(&mut self) {
        if self.trouble.as_ref().is_none_or(|trouble| !trouble.wait().is_zero()) {
            return;
        }
        match self.revive() {
            Ok(()) => {
                tracing::info!("the spool has recovered");
                self.trouble = None;
                self.shared.pulse.recover();
            }
            Err(fault) => self.sicken(&fault),
        }
    }

    /// A new segment, in which what was refused is declared void.
    fn revive(&mut self) -> Result<(), StoreFault> {
        let void = Batch::abort(&self.aborts)?;
        let mut active = self.keeper.next(capacity_for(void.size()))?;
        if let Err(fault) = declare(&mut active, void) {
            // It holds nothing but the declaration, which is made again elsewhere.
            discard(&*self.shared.files, &active.path);
            return Err(fault);
        }
        self.aborts.clear();
        self.adopt(active);
        Ok(())
    }
}

/// Writes the batch; a probe that has nothing to declare syncs all the same.
fn declare(active: &mut Active, void: Batch) -> Result<(), StoreFault> {
    let mut group = Group::default();
    if !void.units.is_empty() {
        active.place(&mut group, void);
    }
    active.write(&mut group)
}
