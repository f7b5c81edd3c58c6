//! Letting a held message go on: behind the binding that held it, under the snapshot now in force.

use super::queue::Queue;
use crate::event::{Decision, Event, Ledger, Place, Stage, Transaction};
use crate::mail::{ForwardPath, Message, Recipient};
use crate::spool::{Entry, Hold, HoldChange, Json, Patch, RcptState, Record, StoredContent};

impl Queue {
    /// Runs the sinks that have not yet heard the message, and lets it go unless one of them objects.
    pub(super) async fn release(&self, entry: &mut Entry, rerun: bool) -> Result<(), String> {
        let mut patch = match &entry.hold {
            Some(hold) => {
                // An operator's hold has no place: every sink has heard the message already.
                let place = hold.place.parse::<Place>().ok().filter(|_| !hold.place.is_null());
                match (rerun, place) {
                    (false, None) => Patch::default(),
                    (rerun, place) => self.submit_again(entry, place.filter(|_| !rerun)).await?,
                }
            }
            None if rerun => self.submit_again(entry, None).await?,
            None => Patch::default(),
        };
        let now = self.clock.now();
        let mut states = states(entry, &patch);
        for state in states.iter_mut().filter(|s| !s.done) {
            state.held = None;
            state.next = now;
        }
        patch.recipients = Some(states);
        patch.hold.get_or_insert(HoldChange::Release);
        if entry.recipients.iter().all(|s| s.done) {
            return self.commit(Record::End(entry.id)).await;
        }
        self.amend(entry, patch).await
    }

    /// `transport.submit` for a message that is in the spool.
    async fn submit_again(&self, entry: &mut Entry, behind: Option<Place>) -> Result<Patch, String> {
        let snapshot = self.current.pin();
        let content = self.spool.open(&entry.content).map_err(|e| e.to_string())?;
        let message = Message::split(&content, entry.header_len).map_err(|e| e.to_string())?;
        let ledger = entry.ledger.parse::<Ledger>().unwrap_or_default();
        let mut transaction = Transaction::new(entry.id, entry.received, entry.envelope.clone(), ledger);
        transaction.letter.properties = entry.properties.clone();
        transaction.letter.message = Some(message);
        let mut stage = Stage::new(&entry.origin);
        stage.transaction = Some(&mut transaction);
        let decision = match &behind {
            Some(place) if place.event == Some(Event::TransportSubmit) => {
                snapshot.dispatcher.resume(Event::TransportSubmit, place, &mut stage).await
            }
            _ => snapshot.dispatcher.raise(Event::TransportSubmit, &mut stage).await,
        };
        let hold = match decision {
            Decision::Proceed | Decision::Answer(_) => HoldChange::Release,
            Decision::Hold { reason, place } => {
                let by = place.sink.to_string();
                HoldChange::Hold(Hold { reason, by, place: Json::of(&place).unwrap_or_default() })
            }
            Decision::Reject(reply) | Decision::Defer(reply, _) | Decision::Disconnect(reply) => {
                return Err(format!("a sink refuses it now: {reply}; it stays held"));
            }
            Decision::Discard => {
                entry.recipients.iter_mut().for_each(|s| s.done = true);
                return Ok(Patch::default());
            }
        };
        patch(entry, transaction, hold)
    }
}

/// The recipients' states, also where sinks have added or removed some.
fn states(entry: &Entry, patch: &Patch) -> Vec<RcptState> {
    let Some(envelope) = &patch.envelope else { return entry.recipients.clone() };
    let known = |path: &ForwardPath| entry.envelope.recipients.iter().position(|r| r.path == *path);
    let state = |r: &Recipient| known(&r.path).and_then(|i| entry.recipients.get(i)).cloned().unwrap_or_default();
    envelope.recipients.iter().map(state).collect()
}

/// What the sinks have changed.
fn patch(entry: &Entry, transaction: Transaction, hold: HoldChange) -> Result<Patch, String> {
    let letter = transaction.letter;
    let mut patch = Patch {
        envelope: Some(letter.envelope),
        properties: Some(letter.properties),
        ledger: Json::of(&transaction.ledger).ok(),
        hold: Some(hold),
        ..Patch::default()
    };
    if let Some(message) = letter.message {
        patch.header_len = Some(message.header_len());
        patch.content = Some(StoredContent::keep(entry.id, &message.content()).map_err(|e| e.to_string())?);
    }
    Ok(patch)
}
