//! The first stage of a pass: `transport.pre-categorize`, each recipient resolved, `transport.post-categorize`, and all that came of
//! it in one commit.
//!
//! A message goes through it once: what was resolved is kept with it. If nobody listens and no recipient stands for others, nothing is
//! kept and nothing is written, and the directory is asked at each pass.

use super::align::align;
use super::categorize::{Sorted, sort, successors};
use super::dossier::Dossier;
use super::end::End;
use super::outcome::{Details, Outcome};
use super::settle::Settled;
use crate::event::{Answer, Candidate, Decision, Event, Focus, Place, Resolution};
use crate::intake::hold_at;
use crate::intake::track::Stage;
use crate::mail::{Envelope, Fate, ForwardPath, Message, Recipient, Reply, Standing, Timestamp};
use crate::spool::{Entry, Hold, HoldChange, Patch, RcptState, StoredContent, Try};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(super) const EVENTS: [Event; 3] =
    [Event::TransportPreCategorize, Event::TransportCategorize, Event::TransportPostCategorize];

/// How the pass goes on.
pub(super) enum Course {
    /// To the routes.
    On,
    /// Not at all: the message goes back into the queue, or is at its end.
    Back,
    /// It was dropped.
    Gone,
}

/// The recipients as they will be, and those that have come to an end.
#[derive(Default)]
struct Roll {
    recipients: Vec<Recipient>,
    states: Vec<RcptState>,
    ends: Vec<(Key, End)>,
    /// Those that are open.
    open: HashSet<Key>,
}

/// By which a recipient is known while others come and go: where it goes, and the owner of the list that it came from.
pub(super) type Key = (ForwardPath, Option<String>, Option<PathBuf>);

impl Roll {
    fn keep(&mut self, recipient: Recipient, state: RcptState) {
        if !state.done {
            self.open.insert(key(&recipient));
        }
        self.recipients.push(recipient);
        self.states.push(state);
    }

    fn end(&mut self, recipient: Recipient, state: RcptState, end: End) {
        self.ends.push((key(&recipient), end));
        self.recipients.push(recipient);
        self.states.push(state);
    }

    /// Adds one that is due now, unless it is there already.
    fn add(&mut self, recipient: Recipient, now: Timestamp) {
        if !self.open.contains(&key(&recipient)) {
            self.keep(recipient, RcptState { next: now, ..RcptState::default() });
        }
    }
}

pub(super) fn key(recipient: &Recipient) -> Key {
    let sender = recipient.sender.as_ref().map(ToString::to_string);
    (recipient.path.clone(), sender, recipient.folder.clone())
}

/// Where it goes on with a recipient that was released, or split off.
fn place_of(state: &RcptState) -> Option<Place> {
    state.place.as_ref()?.parse().ok()
}

/// Whether a recipient has still to come by a place in this stage.
pub(super) fn is_before_routes(state: &RcptState) -> bool {
    place_of(state).and_then(|place| place.event).is_some_and(|event| EVENTS.contains(&event))
}

/// What sinks have decided about a recipient beside their verdict.
fn fate(recipient: &Recipient) -> Result<Option<Resolution>, End> {
    let said = |reply: &Reply| Details::ours(reply.clone(), "a sink has decided so");
    match &recipient.fate {
        Fate::Accepted => Ok(None),
        Fate::Rejected(reply) => Err(End::Ruled(Outcome::Failed(said(reply)), None)),
        Fate::Deferred(reply) => Err(End::Ruled(Outcome::Deferred(said(reply)), None)),
        Fate::Discarded => Err(End::Dropped),
        Fate::Held(reason) => Err(End::Held { reason: reason.clone(), place: None }),
    }
}

/// Whether nothing is left to do for a recipient that has come to this.
fn is_final(end: &End) -> bool {
    match end {
        End::Tried(outcome) | End::Ruled(outcome, _) => !matches!(outcome, Outcome::Deferred(_)),
        End::Dropped | End::Expanded { .. } => true,
        End::Faulted { .. } | End::Held { .. } | End::Late(_) => false,
    }
}

impl Dossier {
    /// Resolves the recipients, if that has not been done. All that comes of it is one commit, and nothing if the pass ends before.
    pub(super) async fn categorize(&mut self, stopping: &CancellationToken) -> Course {
        let place = self.hold_place();
        let held_behind = place.as_ref().is_some_and(|place| place.event == Some(EVENTS[2]));
        if self.entry().categorized && !held_behind {
            return self.catch_up(stopping).await;
        }
        let accepted = self.taken.entry.clone();
        let mut ends = Vec::new();
        if !accepted.categorized {
            if !EVENTS.iter().any(|event| self.hears(*event)) && !self.stands_for_others() {
                return Course::On;
            }
            if let Some(course) = self.whole(EVENTS[0], place.as_ref(), &accepted, Vec::new(), stopping).await {
                return course;
            }
            let roll = self.roll().await;
            ends = roll.ends;
            self.take_over(roll.recipients, roll.states);
        }
        self.post_categorize(place, accepted, ends, stopping).await
    }

    /// Resolves those for whom it could not be done before; the message as a whole has gone through this stage.
    async fn catch_up(&mut self, stopping: &CancellationToken) -> Course {
        let now = self.queue.clock.now();
        let open = |state: &RcptState| state.unresolved && !state.done && state.held.is_none() && state.next <= now;
        if !self.entry().recipients.iter().any(open) {
            return Course::On;
        }
        let roll = self.roll().await;
        self.take_over(roll.recipients, roll.states);
        self.close(roll.ends, None, stopping).await
    }

    /// Commits what categorization has made of the message, and says how it goes on.
    pub(super) async fn close(
        &mut self,
        ends: Vec<(Key, End)>,
        hold: Option<Hold>,
        stopping: &CancellationToken,
    ) -> Course {
        let held = hold.is_some();
        if !self.commit_stage(ends, hold, stopping).await || held || self.entry().is_done() {
            return Course::Back;
        }
        let open = self.entry().recipients.iter().filter(|state| !state.done).count();
        self.track(Stage::Categorized, |step| step.recipients = Some(open));
        Course::On
    }

    /// The commit. False if the server stops first.
    pub(super) async fn commit_stage(
        &mut self,
        ends: Vec<(Key, End)>,
        hold: Option<Hold>,
        stopping: &CancellationToken,
    ) -> bool {
        let (envelope, mut states) = self.aligned();
        let again: HashSet<&Key> = ends.iter().filter(|(_, end)| !is_final(end)).map(|(key, _)| key).collect();
        for (recipient, state) in envelope.recipients.iter().zip(&mut states) {
            // Others wait for their own time.
            state.unresolved = !state.done && (state.unresolved || again.contains(&key(recipient)));
        }
        self.take_over(envelope.recipients, states);
        self.pend(Patch { categorized: Some(true), hold: hold.map(HoldChange::Hold), ..Patch::default() });
        let entry = self.entry();
        let index = |wanted: &Key| {
            let all = entry.envelope.recipients.iter().zip(&entry.recipients);
            all.into_iter().position(|(recipient, state)| !state.done && key(recipient) == *wanted)
        };
        let settled = ends
            .into_iter()
            .filter_map(|(key, end)| Some(Settled { unresolved: true, ..Settled::new(index(&key)?, end) }))
            .collect();
        self.settle(settled, stopping).await
    }

    fn stands_for_others(&self) -> bool {
        let (entry, directory) = (self.entry(), &self.snapshot.directory);
        let open = entry.envelope.recipients.iter().zip(&entry.recipients).filter(|(_, state)| !state.done);
        open.into_iter().any(|(recipient, _)| directory.expand(&recipient.path).is_some())
    }

    /// Where it goes on with the message as a whole.
    fn hold_place(&self) -> Option<Place> {
        let event = if self.entry().categorized { EVENTS[2] } else { EVENTS[0] };
        let open = self.entry().recipients.iter().filter(|state| !state.done);
        open.filter_map(place_of).find(|place| place.event == Some(event))
    }

    /// Where a release of this recipient goes on.
    pub(super) fn place(&self, index: usize) -> Option<Place> {
        place_of(self.entry().recipients.get(index)?)
    }

    /// An event about the whole message. None: it goes on.
    pub(super) async fn whole(
        &mut self,
        event: Event,
        place: Option<&Place>,
        accepted: &Arc<Entry>,
        ends: Vec<(Key, End)>,
        stopping: &CancellationToken,
    ) -> Option<Course> {
        match self.judge(event, place, Focus::None).await? {
            End::Dropped => {
                let ended = self.end_with_edits(stopping).await;
                Some(if ended { Course::Gone } else { Course::Back })
            }
            End::Held { reason, place: Some(place) } if event == EVENTS[2] => {
                Some(self.close(ends, Some(hold_at(reason, &place)), stopping).await)
            }
            End::Held { reason, place: Some(place) } => {
                let (envelope, states) = self.aligned();
                self.take_over(envelope.recipients, states);
                let hold = HoldChange::Hold(hold_at(reason, &place));
                self.pend(Patch { hold: Some(hold), ..Patch::default() });
                self.settle(Vec::new(), stopping).await;
                Some(Course::Back)
            }
            end => Some(self.start_over(accepted, &end, stopping).await),
        }
    }

    /// A pass is a transaction: it ends here, and what it has changed with it.
    pub(super) async fn start_over(
        &mut self,
        accepted: &Arc<Entry>,
        end: &End,
        stopping: &CancellationToken,
    ) -> Course {
        self.drop_edits();
        self.pending();
        self.taken.entry = accepted.clone();
        let now = self.queue.clock.now();
        let due = |state: &RcptState| !state.done && state.held.is_none() && state.next <= now;
        let all = accepted.recipients.iter().enumerate().filter(|(_, state)| due(state));
        let ends = all.map(|(index, _)| Settled::new(index, end.clone())).collect();
        self.settle(ends, stopping).await;
        Course::Back
    }

    /// Resolves each recipient that is open.
    async fn roll(&mut self) -> Roll {
        let now = self.queue.clock.now();
        let (envelope, states) = self.aligned();
        let null = envelope.sender.mailbox().is_none();
        let mut roll = Roll::default();
        let mut after = Vec::new();
        for (recipient, mut state) in envelope.recipients.into_iter().zip(states) {
            let refused = matches!(recipient.fate, Fate::Rejected(_) | Fate::Deferred(_));
            let passed = self.entry().categorized && (!state.unresolved || state.next > now);
            if state.done || state.held.is_some() || refused || passed {
                roll.keep(recipient, state);
                continue;
            }
            state.unresolved = false;
            let (candidate, said) = self.hear_of(recipient, &state).await;
            let Candidate { mut recipient, added, .. } = candidate;
            // It is an end of this pass, and no mark on the recipient.
            recipient.fate = Fate::Accepted;
            after.extend(added.into_iter().map(|path| Recipient::new(path, Standing::Relay)));
            let sorted = match said {
                Ok(answer) => sort(&self.snapshot.directory, &recipient, answer),
                Err(end) => Sorted::Ends(end),
            };
            match sorted {
                Sorted::Stays(standing) => {
                    let found = || self.snapshot.directory.standing(&recipient.path, None, true);
                    // Somebody vouched for one who is unknown; what is to be handed on needs nobody's word any more.
                    recipient.standing = match (standing, recipient.standing, found()) {
                        (Some(standing), _, _) => standing,
                        (None, Standing::Unknown, Standing::Unknown) => Standing::Local,
                        (None, _, found) => found,
                    };
                    roll.keep(recipient, state);
                }
                Sorted::Ends(end) => roll.end(recipient, state, end),
                Sorted::Becomes(members) => {
                    let list = members.iter().any(|member| member.sender.is_some());
                    let note = format!("stands for {}", members.len());
                    let single = members.len() == 1 && !list;
                    after.extend(successors(&self.snapshot.directory, null, &recipient, members));
                    if !single {
                        roll.end(recipient, state, End::Expanded { list, note });
                    }
                }
            }
        }
        after.into_iter().for_each(|recipient| roll.add(recipient, now));
        roll
    }

    /// Raises `transport.categorize` for one recipient: the recipient as sinks leave it, and an answer or an end.
    async fn hear_of(
        &mut self,
        recipient: Recipient,
        state: &RcptState,
    ) -> (Candidate, Result<Option<Resolution>, End>) {
        let mut candidate = Candidate { recipient, added: Vec::new(), vouched: false };
        if !self.hears(EVENTS[1]) {
            return (candidate, Ok(None));
        }
        let decision = self.raise(EVENTS[1], place_of(state).as_ref(), Focus::Recipient(&mut candidate)).await;
        let said = match decision {
            Ok(Decision::Answer(Answer::Resolution(resolution))) => Ok(Some(resolution)),
            Ok(decision) => match self.ended(decision) {
                Some(end) => Err(end),
                None => fate(&candidate.recipient),
            },
            Err(outcome) => Err(End::Tried(outcome)),
        };
        (candidate, said)
    }

    /// The envelope as sinks have left it, and the recipients' states: as they were, also where sinks have added or removed some.
    pub(super) fn aligned(&self) -> (Envelope, Vec<RcptState>) {
        let entry = self.entry();
        let Some(transaction) = &self.transaction else { return (entry.envelope.clone(), entry.recipients.clone()) };
        let envelope = transaction.letter.envelope.clone();
        let new = RcptState { next: self.queue.clock.now(), ..RcptState::default() };
        let mut states = align(entry, &envelope.recipients, &new);
        for (recipient, state) in envelope.recipients.iter().zip(&mut states).filter(|(_, state)| !state.done) {
            crate::intake::settle(&recipient.fate, state, false);
        }
        (envelope, states)
    }

    /// Makes these the message's recipients, with everything else that sinks have changed; it is written with the next commit.
    pub(super) fn take_over(&mut self, recipients: Vec<Recipient>, states: Vec<RcptState>) {
        let mut envelope = match &mut self.transaction {
            Some(transaction) => {
                transaction.letter_mut().envelope.recipients.clone_from(&recipients);
                transaction.letter.envelope.clone()
            }
            None => self.entry().envelope.clone(),
        };
        envelope.recipients = recipients;
        let mut patch = Patch { envelope: Some(envelope), recipients: Some(states), ..Patch::default() };
        if let Some(message) = self.edited() {
            patch.header_len = Some(message.header_len());
            match StoredContent::keep(self.entry().id, &message.content()) {
                Ok(content) => patch.content = Some(content),
                // It was read a moment ago.
                Err(error) => tracing::error!(id = %self.entry().id, %error, "what sinks have changed can't be read"),
            }
            self.set_message(message);
        }
        self.pend(patch);
    }

    /// The message, if sinks have changed it.
    fn edited(&self) -> Option<Message> {
        let after = self.transaction.as_ref()?.letter.message.as_ref()?;
        let before = self.read_message()?;
        let same_body =
            Arc::ptr_eq(after.body.blob(), before.body.blob()) && after.body.pieces() == before.body.pieces();
        let same = after.header.raw() == before.header.raw() && after.separated == before.separated && same_body;
        (!same).then(|| after.clone())
    }

    /// Ends the message, with what sinks have made of it until then.
    async fn end_with_edits(&mut self, stopping: &CancellationToken) -> bool {
        let brood = self.brood().await;
        let states =
            self.entry().recipients.iter().enumerate().filter_map(|(index, state)| {
                Some((u32::try_from(index).ok()?, RcptState { done: true, ..state.clone() }))
            });
        let attempt = Try { recipients: states.collect() };
        let entry = self.taken.entry.clone();
        let ended = self.record(None, attempt, brood, stopping).await;
        let open = entry.envelope.recipients.iter().zip(&entry.recipients).filter(|(_, state)| ended && !state.done);
        for (recipient, _) in open {
            self.track(Stage::Dropped, |step| {
                step.recipient = Some(recipient.path.as_str().into());
                step.by = Some("sink".to_owned());
            });
        }
        ended
    }
}
