//! One pass over one message, under one snapshot: its recipients are resolved, routed and tried, and what came of it is recorded.
//!
//! * `plan` sorts those who are due into groups that share a route and a reverse-path.
//! * `called` is a pass for a receiver who is here.
//! * `attempt` tries the hops of a group in turn. `stop` is a hop with the hosts behind it.

mod attempt;
mod called;
mod plan;
mod stop;

pub(super) use stop::{SMTP, Stop, hosts};

use super::deliver::NextHop;
use super::dossier::Dossier;
use super::pipeline::Pipeline;
use super::sorting::Course;
use super::traffic::Lane;
use super::wishes;
use crate::event::host::Scope;
use crate::intake::State;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A message that waits for a turn is looked at again after this time, should nobody wake it: its time may be up.
const TURN_PAUSE: Duration = Duration::from_secs(3600);

/// One pass.
pub(super) struct Pass<'a> {
    pipeline: &'a Pipeline,
    dossier: Dossier,
    /// Given up for a turn, so that hosts which hang keep nobody from working.
    permit: Option<OwnedSemaphorePermit>,
    /// The hops that had deferred it before it waited for a turn.
    tried: Vec<NextHop>,
    /// Those that need not be tried again when it has waited once more.
    behind: Vec<NextHop>,
    /// Where it had no turn.
    waits: Vec<Lane>,
    /// An operator wants it tried whatever the traffic says.
    urgent: bool,
    /// The receiver that is here, if one is.
    caller: &'a [Scope],
    /// Somebody waits to be called for.
    parked: bool,
    /// Somebody is due who was not tried.
    left: bool,
}

impl<'a> Pass<'a> {
    pub(super) fn new(pipeline: &'a Pipeline, dossier: Dossier, permit: OwnedSemaphorePermit) -> Self {
        Self::with_permit(pipeline, dossier, Some(permit))
    }

    fn with_permit(pipeline: &'a Pipeline, dossier: Dossier, permit: Option<OwnedSemaphorePermit>) -> Self {
        let id = dossier.entry().id;
        let tried = pipeline.tried.lock().unwrap_or_else(PoisonError::into_inner).remove(&id).unwrap_or_default();
        let urgent = pipeline.queue.is_urgent(id);
        let (behind, waits, caller) = Default::default();
        Self { pipeline, dossier, permit, tried, behind, waits, urgent, caller, parked: false, left: false }
    }

    pub(super) async fn run(mut self) {
        match self.dossier.categorize(&self.pipeline.stopping).await {
            Course::On => {}
            Course::Back => return self.finish(),
            Course::Gone => return self.dossier.taken.end(State::Discarded),
        }
        if !self.dossier.tell_if_late(&self.pipeline.stopping).await {
            return;
        }
        let (groups, settled) = self.plan().await;
        if !settled.is_empty() && !self.dossier.settle(settled, &self.pipeline.stopping).await {
            return;
        }
        for group in groups {
            if self.pipeline.stopping.is_cancelled() {
                return;
            }
            let outcomes = self.attempt(&group).await;
            if !outcomes.is_empty() && !self.dossier.settle(outcomes, &self.pipeline.stopping).await {
                return;
            }
        }
        self.finish();
    }

    /// Ends the message if it is done, else puts it back, to be woken if a host had no turn.
    fn finish(self) {
        let Self { pipeline, dossier, behind, waits, parked, left, .. } = self;
        let (state, id, now) = (dossier.final_state(), dossier.entry().id, pipeline.queue.clock.now());
        pipeline.governor.over(id, now);
        let priority = dossier.priority();
        let Dossier { mut taken, snapshot, .. } = dossier;
        if taken.entry.is_done() {
            return taken.end(state);
        }
        if left || (waits.is_empty() && !parked) {
            return;
        }
        if !behind.is_empty() {
            pipeline.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(id, behind);
        }
        // Others of its recipients may be due before it is woken.
        let open = taken.entry.recipients.iter().filter(|state| !state.done && state.held.is_none());
        let soonest =
            open.map(|state| state.next).filter(|next| *next > now).chain(wishes::end(&taken.entry, now)).min();
        taken.not_before(soonest.map_or(now.plus(TURN_PAUSE), |next| next.min(now.plus(TURN_PAUSE))));
        // Only what is back in the queue can be woken.
        drop(taken);
        for lane in &waits {
            pipeline.governor.wait(id, lane, &snapshot.settings.traffic, now, priority);
        }
    }
}
