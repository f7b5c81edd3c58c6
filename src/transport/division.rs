//! Dividing a message of which a sink has split recipients off: each part becomes a message of its own, in the commit that records what
//! the message has come to by then.
//!
//! A part has its own id and all else of what it was part of: content, origin, the time at which it came in, properties, what was said
//! of it, and how far its recipients have come. Its next pass goes on at the sink that has split it off. Of what is left, the pass goes
//! on behind that sink. Who has come to an end already, is parked, or could not be resolved yet stays with what is left.

use super::align::align;
use super::dossier::Dossier;
use super::end::End;
use super::outcome::Outcome;
use super::sorting::{Course, EVENTS, Key, is_before_routes, key};
use crate::event::{Ledger, Letter, Place, Split};
use crate::intake::track::{self, Stage};
use crate::intake::{Account, State, Step};
use crate::mail::{Content, Envelope, Message, Recipient};
use crate::spool::{Entry, Json, RcptState, Record};
use std::collections::HashSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A part, which is a message once it is committed.
pub(super) struct Part {
    entry: Entry,
    content: Content,
}

impl Part {
    pub(super) fn record(&self) -> Record {
        Record::Accept(Box::new(self.entry.clone()), self.content.clone())
    }
}

/// A recipient with how far it has come.
type Pair = (Recipient, RcptState);

impl Dossier {
    /// Raises `transport.post-categorize` until nobody splits any more, and commits what has come of it. Each split is a commit, and what
    /// is left goes on from there.
    pub(super) async fn post_categorize(
        &mut self,
        mut place: Option<Place>,
        mut accepted: Arc<Entry>,
        mut ends: Vec<(Key, End)>,
        stopping: &CancellationToken,
    ) -> Course {
        loop {
            if let Some(course) = self.whole(EVENTS[2], place.as_ref(), &accepted, ends.clone(), stopping).await {
                return course;
            }
            let Some(split) = self.transaction.as_mut().and_then(|transaction| transaction.split.take()) else {
                self.pass_places();
                return self.close(ends, None, stopping).await;
            };
            place = Some(split.for_rest());
            if let Err(outcome) = self.divide(split, &ends).await {
                return self.start_over(&accepted, &End::Tried(outcome), stopping).await;
            }
            if !self.commit_stage(std::mem::take(&mut ends), None, stopping).await || self.entry().is_done() {
                return Course::Back;
            }
            accepted = self.taken.entry.clone();
        }
    }

    /// Nobody has to come by a place in this stage any more but those who are not through it.
    fn pass_places(&mut self) {
        let (envelope, mut states) = self.aligned();
        let through = |state: &&mut RcptState| !state.unresolved && state.held.is_none() && is_before_routes(state);
        let mut passed = false;
        for state in states.iter_mut().filter(through) {
            (state.place, passed) = (None, true);
        }
        if passed {
            self.take_over(envelope.recipients, states);
        }
    }

    /// Takes what has been split off out of the message. The parts are made durable with the next commit; of what is left, those who are
    /// open go on behind the sink. `ends` is what recipients have come to in this pass. The error says why the message can't be read.
    async fn divide(&mut self, split: Split, ends: &[(Key, End)]) -> Result<(), Outcome> {
        let message = self.message().await?;
        let ended: HashSet<&Key> = ends.iter().map(|(key, _)| key).collect();
        let stays = |(recipient, state): &Pair| {
            state.done || state.held.is_some() || state.unresolved || ended.contains(&key(recipient))
        };
        let (for_part, for_rest) = (split.for_part(), split.for_rest());
        let (mut left, parts) = self.dealt(split.parts);
        for (letter, pairs) in parts {
            let (stay, go): (Vec<Pair>, Vec<Pair>) = pairs.into_iter().partition(stays);
            left.extend(stay);
            if !go.is_empty() {
                let part = self.part(letter, go, &for_part, &message);
                self.parts.push(part);
            }
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.ledger.parts.extend(self.parts.iter().map(|part| part.entry.id));
        }
        let open: Vec<bool> = left.iter().map(|pair| !stays(pair)).collect();
        let (recipients, mut states): (Vec<Recipient>, Vec<RcptState>) = left.into_iter().unzip();
        states.iter_mut().zip(open).filter(|(_, open)| *open).for_each(|(state, _)| set_place(state, &for_rest));
        self.take_over(recipients, states);
        Ok(())
    }

    /// Everybody with their state: those who are left, and those of each part. Dealt at once, so that of two with the same path each
    /// has a state of its own.
    fn dealt(&self, letters: Vec<Letter>) -> (Vec<Pair>, Vec<(Letter, Vec<Pair>)>) {
        let (envelope, _) = self.aligned();
        let in_parts = letters.iter().flat_map(|letter| &letter.envelope.recipients);
        let all: Vec<Recipient> = envelope.recipients.iter().chain(in_parts).cloned().collect();
        let new = RcptState { next: self.queue.clock.now(), ..RcptState::default() };
        let mut states = align(self.entry(), &all, &new);
        for (recipient, state) in all.iter().zip(&mut states).filter(|(_, state)| !state.done) {
            crate::intake::settle(&recipient.fate, state, false);
        }
        let mut pairs = all.into_iter().zip(states);
        let left = pairs.by_ref().take(envelope.recipients.len()).collect();
        let parts = letters.into_iter().map(|letter| {
            let count = letter.envelope.recipients.len();
            (letter, pairs.by_ref().take(count).collect())
        });
        (left, parts.collect())
    }

    fn part(&self, letter: Letter, pairs: Vec<Pair>, place: &Place, message: &Arc<Message>) -> Part {
        let (whole, id) = (self.entry(), self.queue.ids.next(self.queue.clock.now().0));
        let message = letter.message.as_ref().unwrap_or(message);
        let (recipients, mut states): (Vec<Recipient>, Vec<RcptState>) = pairs.into_iter().unzip();
        states.iter_mut().for_each(|state| set_place(state, place));
        let envelope = Envelope { recipients, ..letter.envelope };
        let (header_len, len) = (message.header_len(), message.len());
        let mut entry = Entry::new(id, whole.received, whole.origin.clone(), envelope, header_len, len);
        (entry.recipients, entry.properties) = (states, letter.properties);
        // What came of the whole did not come of the part.
        let said = self.said().map(|said| Ledger { generated: Vec::new(), parts: Vec::new(), ..said.clone() });
        entry.ledger = said.and_then(|ledger| Json::of(&ledger).ok()).unwrap_or_default();
        (entry.expires_from, entry.faults, entry.categorized) = (whole.expires_from, whole.faults.clone(), true);
        Part { entry, content: message.content() }
    }

    /// A part is durable, and goes its own way.
    pub(super) fn set_free(&self, part: Part) {
        let Part { entry, content } = part;
        let (whole, now) = (self.entry().id, self.queue.clock.now());
        tracing::info!(id = %entry.id, %whole, recipients = entry.recipients.len(), "split off");
        for recipient in &entry.envelope.recipients {
            self.track(Stage::Split, |step| {
                (step.recipient, step.other) = (Some(recipient.path.as_str().into()), Some(entry.id));
            });
        }
        let mut step = Step::new(now, entry.id, Stage::Submitted);
        (step.other, step.sender) = (Some(whole), Some(entry.envelope.sender.as_str().into()));
        step.recipients = Some(entry.envelope.recipients.len());
        track::note(&self.queue.history, &self.snapshot.dispatcher, &entry.origin, step);
        self.queue.history.announce(|| Account::of_entry(&entry, State::Queued));
        self.queue.put(entry, content);
    }
}

fn set_place(state: &mut RcptState, place: &Place) {
    state.place = Json::of(place).ok();
}
