//! Settling: what came of a try is heard by sinks, made the recipients' states, and recorded in one commit with the reports that
//! it owes, before anything is done on the strength of it.

use super::dossier::Dossier;
use super::end::End;
use super::outcome::{Details, Outcome, Reach};
use super::report::Action;
use super::reporting::News;
use super::retry;
use super::sorting::is_before_routes;
use super::traffic::Lane;
use super::wishes;
use crate::config::queue::Schedule;
use crate::event::{Event, Focus, Leg};
use crate::intake::track::{self, Stage};
use crate::intake::{Brood, Step};
use crate::mail::{EnhancedCode, Reply, Timestamp};
use crate::spool::{Json, Patch, RcptId, RcptState, Try};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A sink that has failed so often over one message is not asked again: an operator has to look.
const FAULTS_MAX: u8 = 3;
/// What a sink keeps past its time is tried again after this time, if the sink names none.
const LATE_PAUSE: Duration = Duration::from_secs(3600);
/// A message whose sink failed is tried again after this time, doubled for each fault before.
const FAULT_PAUSE: Duration = Duration::from_secs(60);

/// Who has failed while neither a report nor badmail could be made of it is tried again after this time.
const UNTOLD_PAUSE: Duration = Duration::from_secs(300);

pub(super) const EXPIRED: Reply = Reply::new(554, EnhancedCode(5, 4, 7), "The message could not be delivered in time");

/// Who it is about, and what a pass made of it.
pub(super) struct Settled {
    pub(super) index: usize,
    pub(super) end: End,
    /// The way that was tried, if one was.
    pub(super) domain: Arc<str>,
    pub(super) host: Option<Arc<str>>,
    pub(super) site: Option<Arc<str>>,
    /// Its end came while it was resolved; should that not hold, it is resolved again.
    pub(super) unresolved: bool,
}

impl Settled {
    /// Without a way.
    pub(super) fn new(index: usize, end: End) -> Self {
        Self { index, end, domain: Arc::default(), host: None, site: None, unresolved: false }
    }

    /// At this site.
    pub(super) fn at(self, site: Option<Arc<str>>) -> Self {
        Self { site, ..self }
    }
}

/// An outcome as it is kept: with the generation of the snapshot that the pass was pinned to.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    generation: u64,
}

/// What is to be committed.
#[derive(Default)]
struct Change {
    states: Vec<(RcptId, RcptState)>,
    news: News,
    faults: BTreeMap<String, u8>,
    /// How long the message has waited for a sink that failed: that does not count towards expiry.
    lost: Duration,
    /// What is told once it is recorded.
    steps: Vec<Step>,
}

impl Dossier {
    /// Records what came of a pass. False if the server stops before that could be done; then the last try may be repeated at the
    /// next start.
    pub(super) async fn settle(&mut self, settled: Vec<Settled>, stopping: &CancellationToken) -> bool {
        let now = self.queue.clock.now();
        let mut change = Change { faults: self.entry().faults.clone(), ..Change::default() };
        let unresolved: Vec<usize> = settled.iter().filter(|one| one.unresolved).map(|one| one.index).collect();
        for one in settled {
            self.settle_one(one, now, &mut change).await;
        }
        let mut brood = self.brood().await;
        for index in self.report(std::mem::take(&mut change.news), &mut brood).await {
            self.put_off(index, unresolved.contains(&index), now, &mut change);
        }
        let patch = self.patch(&change);
        let recorded = self.record(patch, Try { recipients: change.states }, brood, stopping).await;
        if recorded {
            for step in change.steps {
                track::note(&self.queue.history, &self.snapshot.dispatcher, &self.entry().origin, step);
            }
        }
        recorded
    }

    async fn settle_one(&mut self, one: Settled, now: Timestamp, change: &mut Change) {
        let Some(before) = self.entry().recipients.get(one.index).cloned() else { return };
        let Ok(id) = RcptId::try_from(one.index) else { return };
        let end = self.hear(&one, now).await;
        let (stage, reply, by) = told(&end);
        let state = self.state(&one, before, end, now, change);
        let mut step = Step::new(now, self.entry().id, stage);
        step.recipient = self.entry().envelope.recipients.get(one.index).map(|r| r.path.as_str().into());
        (step.domain, step.host) = (Some(one.domain).filter(|domain| !domain.is_empty()), one.host);
        step.attempt = Some(state.attempts).filter(|attempts| *attempts > 0);
        step.next = Some(state.next).filter(|_| stage == Stage::Deferred);
        (step.reply, step.by) = (reply, by);
        change.steps.push(step);
        if state.held.is_some() && stage != Stage::Held {
            let held = Step {
                recipient: change.steps.last().and_then(|step| step.recipient.clone()),
                ..Step::new(now, self.entry().id, Stage::Held)
            };
            change.steps.push(Step { reply: state.held.clone(), ..held });
        }
        change.states.push((id, state));
    }

    /// Who has failed, and of whom nobody could be told, has not failed yet.
    fn put_off(&self, index: usize, unresolved: bool, now: Timestamp, change: &mut Change) {
        let next = now.plus(UNTOLD_PAUSE);
        for (_, state) in change.states.iter_mut().filter(|(id, _)| RcptId::try_from(index) == Ok(*id)) {
            (state.done, state.next, state.unresolved) = (false, next, unresolved);
        }
        let path = self.entry().envelope.recipients.get(index).map(|recipient| recipient.path.as_str());
        for step in change.steps.iter_mut().filter(|step| step.step.is_end() && step.recipient.as_deref() == path) {
            (step.step, step.next) = (Stage::Deferred, Some(next));
            step.by = Some("neither a report nor badmail could be made of its failure".to_owned());
        }
    }

    /// Lets sinks hear how it ended, and says what they made of it.
    async fn hear(&mut self, one: &Settled, now: Timestamp) -> End {
        let mut end = self.hear_once(one, one.end.clone()).await;
        if let End::Tried(Outcome::Deferred(details)) | End::Ruled(Outcome::Deferred(details), _) = &end
            && self.is_expired(one.index, &one.domain, one.site.as_deref(), now)
        {
            let note = format!("the last reply was {}; {}", details.reply, details.note);
            let late = Details { reply: EXPIRED, note, ..details.clone() };
            end = self.hear_once(one, End::Tried(Outcome::Failed(late))).await;
        }
        end
    }

    async fn hear_once(&mut self, one: &Settled, end: End) -> End {
        let (End::Tried(outcome) | End::Ruled(outcome, _)) = &end else { return end };
        let event = match outcome {
            Outcome::Delivered(_) => Event::TransportDelivered,
            Outcome::Deferred(_) => Event::TransportDeferred,
            Outcome::Failed(_) => Event::TransportFailed,
        };
        if !self.hears(event) {
            return end;
        }
        let leg = Leg {
            domain: one.domain.clone(),
            host: one.host.clone(),
            attempt: self.attempt(one.index),
            reply: Some(outcome.details().reply.clone()),
            recipients: vec![one.index],
        };
        if event == Event::TransportDelivered {
            self.tell(event, Focus::Leg(&leg)).await;
            return end;
        }
        let place = self.place(one.index);
        match self.raise(event, place.as_ref(), Focus::Leg(&leg)).await {
            // A message that can't be read now can't be told of, and that changes nothing of how it ended.
            Err(_) => end,
            Ok(decision) => self.ended(decision).unwrap_or(end),
        }
    }

    /// Whether a recipient's time is up.
    pub(super) fn is_expired(&self, index: usize, domain: &str, site: Option<&str>, now: Timestamp) -> bool {
        let entry = self.entry();
        if wishes::is_over(entry, now) {
            return true;
        }
        retry::next(self.schedule(index, domain, site), entry.waits_since(), now, self.attempt(index)).is_none()
    }

    /// When a recipient is tried again, and for how long. Without a domain that was routed, its own counts.
    pub(super) fn schedule(&self, index: usize, domain: &str, site: Option<&str>) -> Schedule<'_> {
        let entry = self.entry();
        let lane = Lane::of(Arc::default(), Arc::default(), &entry.properties);
        let own = || entry.envelope.recipients.get(index)?.path.mailbox().map(|mailbox| mailbox.domain_key());
        let traffic = &self.snapshot.settings.traffic;
        match domain.is_empty() {
            true => traffic.schedule(&own().unwrap_or_default(), site, lane.props()),
            false => traffic.schedule(domain, site, lane.props()),
        }
    }

    /// What an end makes of a recipient's state, and of what is to be told.
    fn state(&self, one: &Settled, before: RcptState, end: End, now: Timestamp, change: &mut Change) -> RcptState {
        let index = one.index;
        self.log(index, &end);
        let mut state = before;
        match end {
            End::Tried(outcome) => {
                state.attempts += 1;
                self.outcome(one, &mut state, outcome, None, now, change);
            }
            End::Ruled(outcome, after) => self.outcome(one, &mut state, outcome, after, now, change),
            End::Faulted { sink, outcome } => {
                let count = sink.as_ref().map_or(1, |sink| count(&mut change.faults, sink));
                let pause = FAULT_PAUSE * (1 << (count - 1).min(4));
                state.last = self.kept(&outcome);
                (state.next, change.lost) = (now.plus(pause), change.lost.max(pause));
                if let Some(sink) = sink.filter(|_| count >= FAULTS_MAX) {
                    state.held = Some(format!("sink `{sink}` failed {count} times over this message"));
                    change.faults.remove(&*sink);
                }
            }
            End::Late(outcome) => {
                (state.late, state.warned) = (true, true);
                change.news.add(self.entry(), index, Action::Delayed, Some(outcome), now);
            }
            End::Dropped => state.done = true,
            End::Expanded { list, .. } => {
                state.done = true;
                let action = if list { Action::Delivered } else { Action::Expanded };
                change.news.add(self.entry(), index, action, None, now);
            }
            End::Held { reason, place } => {
                state.held = Some(reason);
                state.place = place.as_ref().and_then(|place| Json::of(place).ok());
            }
        }
        state
    }

    fn outcome(
        &self,
        one: &Settled,
        state: &mut RcptState,
        outcome: Outcome,
        after: Option<Duration>,
        now: Timestamp,
        change: &mut Change,
    ) {
        let (entry, index) = (self.entry(), one.index);
        let schedule = self.schedule(index, &one.domain, one.site.as_deref());
        state.last = self.kept(&outcome);
        // What is put off before it is through with the sinks of categorization comes by them again.
        if !(matches!(outcome, Outcome::Deferred(_)) && is_before_routes(state)) {
            state.place = None;
        }
        match &outcome {
            Outcome::Delivered(details) => {
                state.done = true;
                match details.reach {
                    Reach::Mailbox => change.news.add(entry, index, Action::Delivered, Some(outcome), now),
                    Reach::Relayed | Reach::Promised if details.tells => {
                        change.news.add_relayed(entry, index, outcome, now);
                    }
                    Reach::Relayed => change.news.add(entry, index, Action::Relayed, Some(outcome), now),
                    Reach::Promised => {}
                }
            }
            Outcome::Failed(_) => {
                state.done = true;
                change.news.add(entry, index, Action::Failed, Some(outcome), now);
            }
            Outcome::Deferred(_) => {
                let since = entry.waits_since();
                let next = retry::next(schedule, since, now, state.attempts.max(1));
                // Past its time it has failed before it comes here, unless a sink has kept it.
                let next = next.unwrap_or_else(|| now.plus(LATE_PAUSE));
                let next = after.map_or(next, |after| now.plus(after));
                // Then it fails, or its sender is told.
                state.next = wishes::end(entry, now).map_or(next, |end| next.min(end));
                if !state.warned && now.since(since) >= schedule.warn_after {
                    state.warned = true;
                    change.news.add(entry, index, Action::Delayed, Some(outcome), now);
                }
            }
        }
    }

    fn kept(&self, outcome: &Outcome) -> Option<Json> {
        Json::of(&Kept { outcome, generation: self.snapshot.generation }).ok()
    }

    fn log(&self, index: usize, end: &End) {
        let entry = self.entry();
        let recipient = entry.envelope.recipients.get(index).map(|r| tracing::field::display(&r.path));
        match end {
            End::Tried(outcome @ Outcome::Delivered(_)) | End::Ruled(outcome @ Outcome::Delivered(_), _) => {
                tracing::info!(id = %entry.id, recipient, "{outcome}");
            }
            End::Tried(outcome) | End::Ruled(outcome, _) | End::Faulted { outcome, .. } => {
                tracing::warn!(id = %entry.id, recipient, "{outcome}");
            }
            End::Late(_) => tracing::info!(id = %entry.id, recipient, "late: the time that its sender has set is over"),
            End::Dropped => tracing::info!(id = %entry.id, recipient, "dropped"),
            End::Expanded { note, .. } => tracing::info!(id = %entry.id, recipient, "expanded: {note}"),
            End::Held { reason, .. } => tracing::warn!(id = %entry.id, recipient, "held: {reason}"),
        }
    }

    /// What sinks have made of it since the last commit.
    pub(super) async fn brood(&mut self) -> Brood {
        let entry = self.taken.entry.clone();
        let Some(transaction) = self.transaction.as_deref_mut().filter(|t| !t.letter.generated.is_empty()) else {
            return Brood::default();
        };
        self.queue.nursery(&self.snapshot).raise(transaction, &entry.origin).await
    }

    /// What has changed beside the recipients' states.
    fn patch(&mut self, change: &Change) -> Option<Patch> {
        let mut patch = self.pending();
        let entry = self.entry();
        if change.faults != entry.faults {
            patch.faults = Some(change.faults.clone());
        }
        if !change.lost.is_zero() {
            patch.expires_from = Some(entry.waits_since().plus(change.lost));
        }
        // Not again with every group of recipients.
        patch.ledger = self.said().and_then(|ledger| Json::of(ledger).ok()).filter(|said| *said != entry.ledger);
        if let Some(transaction) = &self.transaction {
            let letter = &transaction.letter;
            patch.properties = (letter.properties != entry.properties).then(|| letter.properties.clone());
            if letter.envelope != entry.envelope {
                patch.envelope = Some(letter.envelope.clone());
            }
        }
        (patch != Patch::default()).then_some(patch)
    }
}

/// The step that an end is, what was said of it, and who has decided so if nobody's reply has.
fn told(end: &End) -> (Stage, Option<String>, Option<String>) {
    let of_outcome = |outcome: &Outcome| match outcome {
        Outcome::Delivered(_) => Stage::Delivered,
        Outcome::Deferred(_) => Stage::Deferred,
        Outcome::Failed(details) if details.reply == EXPIRED => Stage::Expired,
        Outcome::Failed(_) => Stage::Failed,
    };
    match end {
        End::Tried(outcome) | End::Late(outcome) => {
            (of_outcome(outcome), Some(outcome.details().reply.to_string()), None)
        }
        End::Ruled(outcome, _) => {
            let details = outcome.details();
            (of_outcome(outcome), Some(details.reply.to_string()), Some(details.note.clone()))
        }
        End::Faulted { sink, outcome } => {
            let by = sink.as_ref().map(|sink| format!("sink {sink}"));
            (Stage::Deferred, Some(outcome.details().reply.to_string()), by)
        }
        End::Dropped => (Stage::Dropped, None, Some("sink".to_owned())),
        End::Expanded { note, .. } => (Stage::Expanded, Some(note.clone()), None),
        End::Held { reason, place } => {
            (Stage::Held, Some(reason.clone()), place.as_ref().map(|place| format!("sink {}", place.sink)))
        }
    }
}

fn count(faults: &mut BTreeMap<String, u8>, sink: &str) -> u8 {
    let count = faults.entry(sink.to_owned()).or_default();
    *count = count.saturating_add(1);
    *count
}
