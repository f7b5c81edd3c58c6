//! Letting a held message go on: behind the binding that held it, under the snapshot now in force.
//!
//! A message that was held before its content was judged is heard by all who judge content. What sinks say then counts as
//! it does at the door, but that there is nobody to refuse it to: it stays held. One that was held in the transport goes on
//! behind that binding at its next pass.

use super::align::align;
use super::queue::Queue;
use crate::event::{Decision, Event, Ledger, Place, Stage, Transaction};
use crate::intake::{Brood, hold_at, settle};
use crate::mail::{Envelope, Fate, Message, Timestamp};
use crate::spool::{Entry, HoldChange, Json, Patch, RcptState, Record, StoredContent};
use std::sync::Arc;

/// Where sinks hear of a message that is no longer at its door, in order. The session, its commands and the recipients
/// that were refused are gone.
const JUDGED: [Event; 4] = [Event::InData, Event::InHeaders, Event::InMessage, Event::TransportSubmit];
const SUBMIT_ONLY: &[Event] = JUDGED.split_at(3).1;

/// What is left to be heard: at the first of these events only behind the place, if there is one.
type Course = (Option<Place>, &'static [Event]);

impl Queue {
    /// Runs the sinks that have not yet heard the message, and lets it go unless one of them objects.
    pub(super) async fn release(&self, entry: &mut Entry, rerun: bool) -> Result<(), String> {
        let (freed, later) = (freed(entry, rerun), held_later(entry).filter(|_| !rerun));
        let (patch, brood) = match course(entry, rerun).filter(|_| later.is_none()) {
            None => (Some(Patch { envelope: Some(freed), ..Patch::default() }), Brood::default()),
            Some(course) => self.judge(entry, freed, course).await?,
        };
        let Some(mut patch) = patch else {
            // Discarded.
            self.commit_with(Record::End(entry.id), brood).await?;
            entry.recipients.iter_mut().for_each(|s| s.done = true);
            return Ok(());
        };
        let states = patch.envelope.as_ref().map(|envelope| self.states(entry, envelope)).unwrap_or_default();
        if states.iter().all(|s| s.done) {
            self.commit_with(Record::End(entry.id), brood).await?;
            entry.recipients = states;
            return Ok(());
        }
        patch.recipients = Some(states.into_iter().map(|state| placed(state, later.as_ref(), rerun)).collect());
        patch.categorized = rerun.then_some(false);
        let now = self.clock.now();
        patch.expires_from = Some(not_before(entry, entry.hold.is_some()).map_or(now, |time| time.max(now)));
        let again = match patch.hold.get_or_insert(HoldChange::Release) {
            HoldChange::Hold(hold) => Some(format!("held again by {}: {}", hold.by, hold.reason)),
            HoldChange::Release => None,
        };
        self.amend_with(entry, patch, brood).await?;
        again.map_or(Ok(()), Err)
    }

    /// Raises the events for a message that is in the spool. The changes, or none if a sink discards it; and what sinks have
    /// made of it now.
    async fn judge(
        &self,
        entry: &Entry,
        envelope: Envelope,
        (mut behind, events): Course,
    ) -> Result<(Option<Patch>, Brood), String> {
        let snapshot = self.current.pin();
        let content = self.spool.open(&entry.content).map_err(|e| e.to_string())?;
        let message = Message::split(&content, entry.header_len).map_err(|e| e.to_string())?;
        let ledger = entry.ledger.parse::<Ledger>().unwrap_or_default();
        let mut transaction = Transaction::new(entry.id, entry.received, envelope, ledger);
        transaction.letter_mut().properties = entry.properties.clone();
        transaction.letter_mut().message = Some(message);
        let (mut hold, mut discarded) = (HoldChange::Release, false);
        for &event in events {
            let mut stage = Stage::new(&entry.origin);
            stage.transaction = Some(&mut transaction);
            let decision = match behind.take() {
                Some(place) => snapshot.dispatcher.resume(event, &place, &mut stage).await,
                None => snapshot.dispatcher.raise(event, &mut stage).await,
            };
            match decision {
                Decision::Proceed | Decision::Answer(_) => {}
                Decision::Hold { reason, place } => {
                    hold = HoldChange::Hold(hold_at(reason, &place));
                    break;
                }
                Decision::Reject(reply) | Decision::Defer(reply, _) | Decision::Disconnect(reply) => {
                    return Err(format!("a sink refuses it now: {reply}; it stays held"));
                }
                Decision::Discard => {
                    discarded = true;
                    break;
                }
            }
        }
        let nursery = self.nursery(&snapshot);
        let brood = nursery.raise(&mut transaction, &entry.origin).await;
        let patch = if discarded { None } else { Some(patch(entry, transaction, hold)?) };
        Ok((patch, brood))
    }

    /// The recipients' states: as they were, also where sinks have added or removed some, but due now and no longer held,
    /// unless sinks have just decided otherwise.
    fn states(&self, entry: &Entry, envelope: &Envelope) -> Vec<RcptState> {
        let now = self.clock.now();
        let mut states = align(entry, &envelope.recipients, &RcptState::default());
        for (recipient, state) in envelope.recipients.iter().zip(&mut states).filter(|(_, state)| !state.done) {
            let parked = entry.hold.is_some() || state.held.is_some();
            (state.held, state.next) = (None, not_before(entry, parked).map_or(now, |time| time.max(now)));
            settle(&recipient.fate, state, false);
        }
        states
    }
}

/// The time until which its sender has it held (RFC 4865), if what is released is another hold: to release it once more releases it from
/// that, too.
fn not_before(entry: &Entry, parked: bool) -> Option<Timestamp> {
    entry.envelope.hold.filter(|_| parked)
}

/// Where the next pass goes on, if the message was held when it was in the transport already.
fn held_later(entry: &Entry) -> Option<Json> {
    let place = &entry.hold.as_ref()?.place;
    let event = place.parse::<Place>().ok()?.event?;
    (event > Event::TransportSubmit).then(|| place.clone())
}

/// A recipient's state with the place behind which its release goes on.
fn placed(mut state: RcptState, place: Option<&Json>, rerun: bool) -> RcptState {
    if rerun {
        state.place = None;
    } else if let Some(place) = place.filter(|_| !state.done) {
        state.place = Some(place.clone());
    }
    state
}

/// Who has to hear it yet; nobody, if an operator holds it, or only some of its recipients are held: then all have.
fn course(entry: &Entry, rerun: bool) -> Option<Course> {
    let place = entry.hold.as_ref().filter(|hold| !hold.place.is_null());
    let place = place.and_then(|hold| hold.place.parse::<Place>().ok());
    let Some(place) = place else { return rerun.then_some((None, SUBMIT_ONLY)) };
    match JUDGED.iter().position(|event| Some(*event) == place.event) {
        Some(3) if rerun => Some((None, SUBMIT_ONLY)),
        Some(at) if !rerun => Some((Some(place), JUDGED.split_at(at).1)),
        _ => Some((None, &JUDGED)),
    }
}

/// The envelope, with what was decided about single recipients lifted where it is not yet carried out. A hold of the whole
/// message is lifted alone: whom a sink has refused beside it stays refused.
fn freed(entry: &Entry, rerun: bool) -> Envelope {
    let mut envelope = entry.envelope.clone();
    if entry.hold.is_some() && !rerun {
        return envelope;
    }
    for (recipient, state) in envelope.recipients.iter_mut().zip(&entry.recipients) {
        if !state.done {
            recipient.fate = Fate::Accepted;
        }
    }
    envelope
}

/// What the sinks have changed.
fn patch(entry: &Entry, transaction: Transaction, hold: HoldChange) -> Result<Patch, String> {
    let letter = Arc::unwrap_or_clone(transaction.letter);
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
