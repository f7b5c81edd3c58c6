//! What an operator does to messages in the queue. Each change is durable before it is in force.

use super::queue::Queue;
use crate::intake::{Brood, State};
use crate::mail::Id;
use crate::spool::{Entry, Hold, HoldChange, Json, Patch, Record};
use std::sync::Arc;

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
        // Changed only by what is durable already, whether or not the operation goes well.
        let entry = Arc::make_mut(&mut taken.entry);
        let result = match operation {
            Operation::Retry => self.retry(entry).await,
            Operation::Hold(reason) => self.hold(entry, reason).await,
            Operation::Release { rerun } => self.release(entry, *rerun).await,
            Operation::Remove => {
                let removed = self.commit(Record::End(id)).await;
                if removed.is_ok() {
                    tracing::info!(%id, "removed by an operator");
                    taken.end(State::Removed);
                    return Ok(());
                }
                removed
            }
        };
        if result.is_ok() && entry.is_done() {
            taken.end(State::Discarded);
        }
        result
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
        brood.enter(&self.history, |entry, content| self.put(entry, content));
        Ok(())
    }
}
