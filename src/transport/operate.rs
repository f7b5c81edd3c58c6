//! What an operator does to messages in the queue. Each change is durable before it is in force.

use super::dossier::Dossier;
use super::end::End;
use super::outcome::{Details, Outcome};
use super::queue::Queue;
use super::settle::Settled;
use super::taken::Taken;
use crate::intake::track::{self, Stage};
use crate::intake::{Brood, State, Step};
use crate::mail::{EnhancedCode, Id, Reply};
use crate::spool::{Entry, Hold, HoldChange, Json, Patch, Record};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const BOUNCED: Reply =
    Reply::new(554, EnhancedCode(5, 0, 0), "The message was returned by the operator of this server");

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Try at once.
    Retry,
    /// Park, for this reason.
    Hold(String),
    /// Let go on behind where it was held, or from the start.
    Release {
        /// Run all sinks of `transport.submit` again.
        rerun: bool,
    },
    /// Drop for good.
    Remove,
    /// Give up: every open recipient fails, and its sender is told, in these words.
    Bounce(String),
}

impl Queue {
    /// Applies an operation to each message and says what came of it. The text is for the operator.
    pub async fn operate(self: &Arc<Self>, ids: &[Id], operation: &Operation) -> Vec<(Id, Result<(), String>)> {
        let mut results = Vec::with_capacity(ids.len());
        for &id in ids {
            results.push((id, self.operate_one(id, operation).await));
        }
        results
    }

    async fn operate_one(self: &Arc<Self>, id: Id, operation: &Operation) -> Result<(), String> {
        let ticket = self.take(id).ok_or_else(|| self.why_not(id))?;
        let mut taken = ticket.load().await.map_err(|(_, fault)| fault.to_string())?;
        if let Operation::Bounce(text) = operation {
            return self.bounce(taken, text).await;
        }
        // Changed only by what is durable already, whether or not the operation goes well.
        let entry = Arc::make_mut(&mut taken.entry);
        let result = match operation {
            Operation::Retry => self.retry(entry).await,
            Operation::Hold(reason) => self.hold(entry, reason).await,
            Operation::Release { rerun } => self.release(entry, *rerun).await,
            Operation::Bounce(_) => Ok(()),
            Operation::Remove => {
                let removed = self.commit(Record::End(id)).await;
                if removed.is_ok() {
                    tracing::info!(%id, "removed by an operator");
                    self.track(entry, Stage::Removed, None);
                    taken.end(State::Removed);
                    return Ok(());
                }
                removed
            }
        };
        let told = match operation {
            Operation::Hold(reason) => Some((Stage::Held, Some(reason.clone()))),
            Operation::Release { .. } => Some((Stage::Released, None)),
            Operation::Retry | Operation::Remove | Operation::Bounce(_) => None,
        };
        if let (Ok(()), Some((stage, why))) = (&result, told) {
            self.track(entry, stage, why);
        }
        if result.is_ok() && entry.is_done() {
            self.track(entry, Stage::Dropped, None);
            taken.end(State::Discarded);
        }
        result
    }

    /// Lets every recipient that is open fail, parked ones included.
    async fn bounce(self: &Arc<Self>, taken: Taken, text: &str) -> Result<(), String> {
        let mut dossier = Dossier::new(self.clone(), self.current.pin(), taken);
        let reply = BOUNCED.with_text(text);
        let details = Details::ours(if text.is_empty() { BOUNCED } else { reply }, "an operator has given it up");
        let open = dossier.entry().recipients.iter().enumerate().filter(|(_, state)| !state.done);
        let ends = open.map(|(index, _)| Settled::new(index, End::Ruled(Outcome::Failed(details.clone()), None)));
        let ends = ends.collect();
        // What can't be recorded now is not done: an operator is there to ask again.
        let stopping = CancellationToken::new();
        stopping.cancel();
        if !dossier.settle(ends, &stopping).await {
            return Err("it could not be recorded: the spool is sick".to_owned());
        }
        if !dossier.entry().is_done() {
            return Err("a sink at transport.failed has kept it; `mailsluice why` tells which".to_owned());
        }
        let state = dossier.final_state();
        dossier.taken.end(state);
        Ok(())
    }

    /// Notes what an operator did, for each recipient that leaves by it.
    fn track(&self, entry: &Entry, stage: Stage, why: Option<String>) {
        let now = self.clock.now();
        let mut step = Step::new(now, entry.id, stage);
        (step.by, step.reply) = (Some("operator".to_owned()), why);
        let snapshot = self.current.pin();
        let note = |step| track::note(&self.history, &snapshot.dispatcher, &entry.origin, step);
        if !stage.is_end() {
            return note(step);
        }
        let all = entry.envelope.recipients.iter().zip(&entry.recipients);
        for (recipient, _) in all.filter(|(_, state)| !state.done || stage == Stage::Dropped) {
            note(Step { recipient: Some(recipient.path.as_str().into()), ..step.clone() });
        }
    }

    fn why_not(&self, id: Id) -> String {
        match self.has(id) {
            true => format!("{id} is being delivered at this moment; try again"),
            false => format!("{id} is not in the queue"),
        }
    }

    async fn retry(&self, entry: &mut Entry) -> Result<(), String> {
        if entry.hold.is_some() {
            return Err(format!("{} is held; release it", entry.id));
        }
        if entry.due().is_none() {
            return Err(format!("nobody is left to try {} for but recipients that are held; release it", entry.id));
        }
        let now = self.clock.now();
        let mut states = entry.recipients.clone();
        states.iter_mut().filter(|s| !s.done).for_each(|s| s.next = now);
        self.hurry(entry.id);
        self.amend(entry, Patch { recipients: Some(states), ..Patch::default() }).await
    }

    async fn hold(&self, entry: &mut Entry, reason: &str) -> Result<(), String> {
        // To hold it once more would forget at whose place a release has to go on.
        if let Some(hold) = &entry.hold {
            return Err(format!("{} is held already, by {}: {}", entry.id, hold.by, hold.reason));
        }
        let hold = Hold { reason: reason.to_owned(), by: "operator".to_owned(), place: Json::default() };
        self.amend(entry, Patch { hold: Some(HoldChange::Hold(hold)), ..Patch::default() }).await
    }

    pub(super) async fn amend(&self, entry: &mut Entry, patch: Patch) -> Result<(), String> {
        self.amend_with(entry, patch, Brood::default()).await
    }

    /// The same, together with messages that sinks have made of it.
    pub(super) async fn amend_with(&self, entry: &mut Entry, patch: Patch, brood: Brood) -> Result<(), String> {
        self.commit_with(Record::Amend(entry.id, Box::new(patch.clone())), brood).await?;
        entry.amend(patch);
        Ok(())
    }

    async fn commit(&self, record: Record) -> Result<(), String> {
        self.commit_with(record, Brood::default()).await
    }

    /// All or none.
    pub(super) async fn commit_with(&self, record: Record, brood: Brood) -> Result<(), String> {
        let batch = std::iter::once(record).chain(brood.records()).collect();
        self.spool.commit(self.fence, batch).await.map_err(|fault| fault.to_string())?;
        brood.enter(&self.history, &self.current.pin(), |entry, content| self.put(entry, content));
        Ok(())
    }
}
