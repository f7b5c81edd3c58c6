//! Writing down what came of a pass, in one commit, before anything is done on the strength of it.

use super::division::Part;
use super::dossier::Dossier;
use super::queue;
use crate::intake::Brood;
use crate::spool::{Patch, Record, Try};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait before recording is tried again, first and longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

impl Dossier {
    /// Makes a change durable, together with the messages that come of it, and applies it. While the store is sick this waits:
    /// what was delivered must be recorded before the message may be touched again. False if the server stops first.
    pub(super) async fn record(
        &mut self,
        patch: Option<Patch>,
        attempt: Try,
        brood: Brood,
        stopping: &CancellationToken,
    ) -> bool {
        if patch.is_none() && attempt.recipients.is_empty() && brood.is_empty() && self.parts.is_empty() {
            return true;
        }
        let id = self.entry().id;
        // What is not recorded has not happened: the entry changes when the record is durable.
        let mut after = self.entry().clone();
        let mut batch = Vec::new();
        if let Some(patch) = patch {
            after.amend(patch.clone());
            batch.push(Record::Amend(id, Box::new(patch)));
        }
        if !attempt.recipients.is_empty() {
            after.attempt(attempt.clone());
            batch.push(Record::Attempt(id, attempt));
        }
        if after.is_done() {
            batch = vec![Record::End(id)];
        }
        let parts = std::mem::take(&mut self.parts);
        batch.extend(parts.iter().map(Part::record).chain(brood.records()));
        if !self.commit(&batch, stopping).await {
            return false;
        }
        self.was_said();
        self.taken.entry = Arc::new(after);
        let queue = self.queue.clone();
        brood.enter(&queue.history, &self.snapshot, |entry, content| queue.put(entry, content));
        parts.into_iter().for_each(|part| self.set_free(part));
        // One that is done is told of when it leaves the queue.
        if !self.entry().is_done() {
            self.queue.history.announce(|| queue::account(&self.taken.entry));
        }
        true
    }

    async fn commit(&self, batch: &[Record], stopping: &CancellationToken) -> bool {
        let mut pause = PAUSE.0;
        loop {
            match self.queue.spool.commit(self.queue.fence, batch.to_vec()).await {
                Ok(()) => return true,
                Err(fault) => {
                    let id = self.entry().id;
                    tracing::error!(%id, %fault, "what came of a pass could not be recorded; trying again in {} ms", pause.as_millis());
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
