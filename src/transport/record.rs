//! Writing down what came of a try, before anything is done on the strength of it.

use super::outcome::Outcome;
use super::queue::Queue;
use super::retry;
use crate::mail::Timestamp;
use crate::snapshot::Snapshot;
use crate::spool::{Entry, Json, RcptId, RcptState, Record, Try};
use serde::Serialize;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait before recording is tried again, first and longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// An outcome as it is kept: with the generation of the snapshot that the pass was pinned to.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    generation: u64,
}

/// What outcomes make of the recipients they are about.
pub(super) fn tried_states(
    snapshot: &Snapshot,
    entry: &Entry,
    outcomes: &[(usize, Outcome)],
    now: Timestamp,
) -> Vec<(RcptId, RcptState)> {
    let (queue, since) = (&snapshot.settings.queue, entry.expires_from.unwrap_or(entry.received));
    let state = |(index, outcome): &(usize, Outcome)| {
        let before = entry.recipients.get(*index)?;
        let last = Json::of(&Kept { outcome, generation: snapshot.generation }).ok();
        let mut state = RcptState { attempts: before.attempts + 1, last, ..before.clone() };
        match outcome {
            Outcome::Delivered(_) => state.done = true,
            Outcome::Failed(_) => state.held = Some(format!("failed for good; {outcome}")),
            Outcome::Deferred(_) => match retry::next(queue, since, now, state.attempts) {
                Some(next) => state.next = next,
                None => state.held = Some(format!("not delivered in time; {outcome}")),
            },
        }
        Some((RcptId::try_from(*index).ok()?, state))
    };
    outcomes.iter().filter_map(state).collect()
}

impl Queue {
    /// Makes a change durable and applies it. While the store is sick this waits: what was delivered must be recorded before
    /// the message may be touched again. False if the server stops first; then the last try may be repeated at the next start.
    pub(super) async fn record(
        &self,
        entry: &mut Entry,
        states: Vec<(RcptId, RcptState)>,
        stopping: &CancellationToken,
    ) -> bool {
        let attempt = Try { recipients: states };
        // What is not recorded has not happened: the entry changes when the record is durable.
        let mut after = entry.clone();
        after.attempt(attempt.clone());
        let record = if after.is_done() { Record::End(entry.id) } else { Record::Attempt(entry.id, attempt) };
        let mut pause = PAUSE.0;
        loop {
            match self.spool.commit(self.fence, vec![record.clone()]).await {
                Ok(()) => {
                    *entry = after;
                    return true;
                }
                Err(fault) => {
                    tracing::error!(id = %entry.id, %fault, "an attempt could not be recorded; trying again in {} ms", pause.as_millis())
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopping.cancelled() => return false,
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}
