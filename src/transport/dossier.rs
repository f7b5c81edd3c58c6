//! A message that somebody works on, with everything known of it under one snapshot: what passes and operators share.
//!
//! It raises the events of the transport. Sinks see the message as it stands; what they change counts from the next commit on,
//! and is dropped if that never comes: a pass is a transaction.

use super::division::Part;
use super::end::{End, ended};
use super::outcome::{Details, Outcome};
use super::queue::Queue;
use super::taken::Taken;
use crate::event::{Decision, Event, Focus, Ledger, Place, SessionState, Stage, Transaction};
use crate::intake::State;
use crate::intake::track::{self, Step};
use crate::mail::{Content, EnhancedCode, Message, Reply};
use crate::snapshot::Snapshot;
use crate::spool::{Entry, Patch, RcptState, StoreFault};
use std::sync::Arc;

const UNREADABLE: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "The message can't be read at present");
const DAMAGED: Reply = Reply::new(554, EnhancedCode(5, 3, 0), "The message was damaged in our store");

/// A message and what is known of it.
pub(super) struct Dossier {
    pub(super) queue: Arc<Queue>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) taken: Taken,
    /// Read when it is first needed.
    message: Option<Arc<Message>>,
    /// As sinks see it; made when the first of them hears.
    pub(super) transaction: Option<Box<Transaction>>,
    /// What sinks said before their edits were dropped.
    ledger: Option<Ledger>,
    /// What the entry says already, and the store does not.
    pending: Patch,
    /// What was split off, to be committed with it.
    pub(super) parts: Vec<Part>,
}

impl Dossier {
    pub(super) fn new(queue: Arc<Queue>, snapshot: Arc<Snapshot>, taken: Taken) -> Self {
        let (message, transaction, ledger, pending, parts) = Default::default();
        Self { queue, snapshot, taken, message, transaction, ledger, pending, parts }
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.taken.entry
    }

    /// The message: as it came in if that is at hand, else read and checked off the event loop; after a restart that is all of it.
    pub(super) async fn message(&mut self) -> Result<Arc<Message>, Outcome> {
        if let Some(message) = &self.message {
            return Ok(message.clone());
        }
        let (queue, entry) = (self.queue.clone(), self.taken.entry.clone());
        let message = match self.taken.content.take() {
            Some(content) => split(&content, &entry),
            None => {
                let loaded = tokio::task::spawn_blocking(move || load(&queue, &entry)).await;
                loaded.unwrap_or_else(|error| Err(unreadable(error.to_string())))
            }
        };
        let message = Arc::new(message?);
        self.message = Some(message.clone());
        Ok(message)
    }

    /// The message, if it has been read.
    pub(super) fn read_message(&self) -> Option<&Message> {
        self.message.as_deref()
    }

    /// The entry is like this from the next commit on, and for this pass from now on.
    pub(super) fn pend(&mut self, patch: Patch) {
        Arc::make_mut(&mut self.taken.entry).amend(patch.clone());
        self.pending.and_then(patch);
    }

    /// What is to be written with the next commit.
    pub(super) fn pending(&mut self) -> Patch {
        std::mem::take(&mut self.pending)
    }

    /// The message is this from now on.
    pub(super) fn set_message(&mut self, message: Message) {
        self.message = Some(Arc::new(message));
        self.taken.content = None;
    }

    pub(super) fn hears(&self, event: Event) -> bool {
        self.snapshot.dispatcher.hears(event)
    }

    /// Before whom it goes: the core property `queue.priority`, from -9 to 9; 0 if none is set.
    pub(super) fn priority(&self) -> i8 {
        let set = self.entry().properties.get("queue", "priority").and_then(serde_json::Value::as_i64);
        set.and_then(|priority| i8::try_from(priority.clamp(-9, 9)).ok()).unwrap_or_default()
    }

    /// The number of the next attempt for a recipient, from 1.
    pub(super) fn attempt(&self, index: usize) -> u32 {
        self.entry().recipients.get(index).map_or(1, |state| state.attempts + 1)
    }

    /// What a decision makes of those it is about; none if nobody objects.
    pub(super) fn ended(&self, decision: Decision) -> Option<End> {
        ended(decision, self.transaction.as_ref().map(|t| &t.ledger))
    }

    /// What the message is called when it leaves.
    pub(super) fn final_state(&self) -> State {
        let entry = self.entry();
        let said = |state: &RcptState| state.last.as_ref().and_then(|last| last.parse::<Outcome>().ok());
        let failed = entry.recipients.iter().filter_map(said).any(|last| matches!(last, Outcome::Failed(_)));
        let delivered = entry.recipients.iter().any(|state| state.last.is_some());
        match (failed, delivered) {
            (true, _) => State::Failed,
            (false, true) => State::Delivered,
            (false, false) if self.is_divided() => State::Split,
            (false, false) => State::Discarded,
        }
    }

    fn is_divided(&self) -> bool {
        self.entry().ledger.parse::<Ledger>().is_ok_and(|ledger| !ledger.parts.is_empty())
    }

    /// Raises an event; behind `behind`, if somebody held there and has been released. The error says why the message can't be read.
    pub(super) async fn raise(
        &mut self,
        event: Event,
        behind: Option<&Place>,
        focus: Focus<'_>,
    ) -> Result<Decision, Outcome> {
        self.raise_within(event, behind, None, focus).await
    }

    /// The same within a session with a server.
    pub(super) async fn raise_within(
        &mut self,
        event: Event,
        behind: Option<&Place>,
        session: Option<&mut SessionState>,
        focus: Focus<'_>,
    ) -> Result<Decision, Outcome> {
        if !self.hears(event) {
            return Ok(Decision::Proceed);
        }
        self.set_the_stage(event).await?;
        let (entry, snapshot) = (self.taken.entry.clone(), self.snapshot.clone());
        let mut stage = Stage::new(&entry.origin);
        (stage.session, stage.transaction, stage.focus) = (session, self.transaction.as_deref_mut(), focus);
        Ok(match behind.filter(|place| place.event == Some(event)) {
            Some(place) => snapshot.dispatcher.resume(event, place, &mut stage).await,
            None => snapshot.dispatcher.raise(event, &mut stage).await,
        })
    }

    /// The same, as an end for recipients; none if nobody objects. An answer is none.
    pub(super) async fn judge(&mut self, event: Event, behind: Option<&Place>, focus: Focus<'_>) -> Option<End> {
        match self.raise(event, behind, focus).await {
            Ok(decision) => self.ended(decision),
            Err(outcome) => Some(End::Tried(outcome)),
        }
    }

    /// Has sinks see this message from now on, as one hop gets it, and gives the one that they saw before.
    pub(super) async fn show(&mut self, event: Event, message: Option<Message>) -> Result<Option<Message>, Outcome> {
        self.set_the_stage(event).await?;
        let shown = self.transaction.as_mut().map(|t| &mut t.letter_mut().message);
        Ok(shown.and_then(|shown| std::mem::replace(shown, message)))
    }

    /// Tells a notify event.
    pub(super) async fn tell(&mut self, event: Event, focus: Focus<'_>) {
        if !self.hears(event) || self.set_the_stage(event).await.is_err() {
            return;
        }
        let mut stage = Stage::new(&self.taken.entry.origin);
        (stage.transaction, stage.focus) = (self.transaction.as_deref_mut(), focus);
        self.snapshot.dispatcher.tell(event, &stage);
    }

    /// Notes a step in the message's life.
    pub(super) fn track(&self, stage: track::Stage, with: impl FnOnce(&mut Step)) {
        let mut step = Step::new(self.queue.clock.now(), self.entry().id, stage);
        with(&mut step);
        track::note(&self.queue.history, &self.snapshot.dispatcher, &self.entry().origin, step);
    }

    /// Makes what sinks see, with the message if one of them needs it.
    async fn set_the_stage(&mut self, event: Event) -> Result<(), Outcome> {
        let needs = self.snapshot.dispatcher.needs(event);
        let message = match needs.header || needs.body {
            true => Some(self.message().await?),
            false => None,
        };
        let entry = &self.taken.entry;
        let transaction = self.transaction.get_or_insert_with(|| {
            let ledger = self.ledger.take().or_else(|| entry.ledger.parse().ok()).unwrap_or_default();
            let mut transaction = Transaction::new(entry.id, entry.received, entry.envelope.clone(), ledger);
            transaction.letter_mut().properties = entry.properties.clone();
            Box::new(transaction)
        });
        transaction.ledger.generation = self.snapshot.generation;
        if transaction.letter.message.is_none()
            && let Some(message) = message
        {
            transaction.letter_mut().message = Some((*message).clone());
        }
        Ok(())
    }

    /// Drops what sinks have changed and made since the last commit. What they said stays told.
    pub(super) fn drop_edits(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            self.ledger = Some(transaction.ledger);
        }
    }

    /// What sinks have said that is not committed yet.
    pub(super) fn said(&self) -> Option<&Ledger> {
        self.transaction.as_ref().map(|t| &t.ledger).or(self.ledger.as_ref())
    }

    /// What sinks have said is committed.
    pub(super) fn was_said(&mut self) {
        self.ledger = None;
    }
}

fn load(queue: &Queue, entry: &Entry) -> Result<Message, Outcome> {
    let content = queue.spool.open(&entry.content).map_err(|fault| match fault {
        // It will not mend itself: its sender is told, and an operator finds it in the log.
        StoreFault::Damaged(..) => Outcome::Failed(Details::ours(DAMAGED, fault.to_string())),
        fault => unreadable(fault.to_string()),
    })?;
    split(&content, entry)
}

fn split(content: &Content, entry: &Entry) -> Result<Message, Outcome> {
    Message::split(content, entry.header_len).map_err(|error| unreadable(error.to_string()))
}

fn unreadable(note: String) -> Outcome {
    Outcome::Deferred(Details::ours(UNREADABLE, note))
}
