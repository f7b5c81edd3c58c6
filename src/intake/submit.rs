//! The one way in: `transport.submit`, the verdicts on single recipients, the commit.

use super::account::{Account, State};
use super::generate::{Brood, Nursery};
use super::history::History;
use super::received::Trace;
use super::track::{self, Step};
use super::wishes;
use crate::event::host::Clock;
use crate::event::{Decision, Event, Place, SessionState, Stage, Transaction};
use crate::mail::{Content, EnhancedCode, Fate, Id, IdSource, Message, Origin, Reply, Timestamp};
use crate::snapshot::Snapshot;
use crate::spool::{Entry, Fence, Hold, Json, RcptState, Record, Spool};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a sink decided about the whole transaction before its content came.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Accept and drop.
    Discard,
    /// Accept and park.
    Hold {
        /// Why.
        reason: String,
        /// The binding that held.
        place: Place,
    },
}

/// What a door hands over.
pub struct Submission<'a> {
    /// The snapshot that the transaction is pinned to.
    pub snapshot: &'a Snapshot,
    /// Where it comes from.
    pub origin: &'a Origin,
    /// The session, if it came over one.
    pub session: Option<&'a mut SessionState>,
    /// Envelope and message.
    pub transaction: &'a mut Transaction,
    /// Whether the client said EHLO or LHLO.
    pub extended: bool,
    /// What was decided before.
    pub mark: Option<Mark>,
    /// Whether the door can refuse single recipients after the content, as LMTP can.
    pub each: bool,
}

/// What the door may say.
#[derive(Clone, Debug, PartialEq)]
pub enum Receipt {
    /// The message is ours, durably, or was dropped on a sink's word. At a door that can refuse single recipients each has
    /// its own fate, and all of them may be refused.
    Accepted,
    /// It is not; this is why. 4xx or 5xx.
    Refused(Reply),
}

const NO_MESSAGE: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "Local error in processing, please try again later");

/// Takes messages from all doors.
pub struct Intake {
    /// The store.
    pub spool: Arc<dyn Spool>,
    /// The right to write to it.
    pub fence: Fence,
    /// What became of transactions.
    pub history: Arc<History>,
    /// Ids of sessions, transactions and messages.
    pub ids: Arc<IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where accepted messages go on, with their octets as they were made durable. Called before its id is told, so that whoever
    /// asks for it finds it.
    pub queue: Box<dyn Fn(Entry, Content) + Send + Sync>,
    /// Set when the server begins to stop: delays end.
    pub stopping: CancellationToken,
}

impl Intake {
    /// A fresh id.
    pub fn next_id(&self) -> Id {
        self.ids.next(self.clock.now().0)
    }

    /// Runs a message through `transport.submit` and makes it durable, with the messages that sinks have made of it. The message
    /// must be on the transaction.
    ///
    /// A delay that sinks ask for is waited out before the commit: between that and the 250 every moment counts.
    pub async fn accept(&self, mut submission: Submission<'_>) -> Receipt {
        let Submission { snapshot, origin, extended, .. } = submission;
        trace(snapshot, origin, extended, submission.transaction, self.clock.now());
        let mark = match submission.mark.take() {
            Some(mark) => Some(mark),
            None => match self.ask(&mut submission).await {
                Ok(mark) => mark,
                Err(reply) => return Receipt::Refused(reply),
            },
        };
        self.keep(submission, mark).await
    }

    async fn ask(&self, submission: &mut Submission<'_>) -> Result<Option<Mark>, Reply> {
        let mut stage = Stage::new(submission.origin);
        stage.session = submission.session.as_deref_mut();
        stage.transaction = Some(submission.transaction);
        let decision = submission.snapshot.dispatcher.raise(Event::TransportSubmit, &mut stage).await;
        // Over a session, only strangers are slowed down: whoever submits from here is none.
        if !stage.delay.is_zero() && stage.session.is_some() {
            tokio::select! {
                () = tokio::time::sleep(stage.delay) => {}
                () = self.stopping.cancelled() => {}
            }
        }
        decided(decision)
    }

    async fn keep(&self, submission: Submission<'_>, mark: Option<Mark>) -> Receipt {
        let Submission { snapshot, origin, transaction, each, .. } = submission;
        let refused = refused_by_all(transaction);
        if let Some(reply) = refused.as_ref().filter(|_| !each) {
            return Receipt::Refused(reply.clone());
        }
        let Some(message) = transaction.letter.message.clone() else {
            tracing::error!(id = %transaction.id, "a door handed over a transaction without a message");
            return Receipt::Refused(NO_MESSAGE);
        };
        let brood = match refused {
            // Of what is refused nothing is made.
            Some(_) => Brood::default(),
            None => self.nursery(snapshot).raise(transaction, origin).await,
        };
        let entry = entry(transaction, &message, origin, self.clock.now(), mark, each);
        let content = message.content();
        let accept = |entry: &Entry| Record::Accept(Box::new(entry.clone()), content.clone());
        let batch: Vec<Record> = entry.iter().map(accept).chain(brood.records()).collect();
        if !batch.is_empty()
            && let Err(fault) = self.spool.commit(self.fence, batch).await
        {
            tracing::error!(id = %transaction.id, %fault, "not accepted: the spool could not keep it");
            return Receipt::Refused(fault.reply());
        }
        match entry {
            Some(entry) => {
                accepted(&self.history, snapshot, &entry);
                (self.queue)(entry, content);
            }
            None => self.ended(transaction, origin, refused),
        }
        brood.enter(&self.history, snapshot, &self.queue);
        Receipt::Accepted
    }

    fn nursery<'a>(&'a self, snapshot: &'a Snapshot) -> Nursery<'a> {
        Nursery { snapshot, spool: &*self.spool, ids: &self.ids, clock: &*self.clock }
    }

    /// Nobody is left to deliver to.
    fn ended(&self, transaction: &Transaction, origin: &Origin, refused: Option<Reply>) {
        let state = if refused.is_some() { State::Refused } else { State::Discarded };
        tracing::info!(id = %transaction.id, sender = %transaction.letter.envelope.sender, "{}", state.as_str());
        let reply = refused.map(|reply| reply.to_string());
        self.history.note(Account::of_transaction(transaction, origin, state, reply));
    }
}

/// Adds the trace field to the message.
pub(super) fn trace(
    snapshot: &Snapshot,
    origin: &Origin,
    extended: bool,
    transaction: &mut Transaction,
    time: Timestamp,
) {
    let id = transaction.id;
    let trace = Trace { hostname: snapshot.settings.hostname.as_str(), origin, extended, id, time };
    let value = trace.value(&transaction.letter.envelope);
    if let Some(message) = &mut transaction.letter_mut().message
        && let Err(error) = message.header.prepend("Received", &value)
    {
        tracing::error!(%id, %error, "the trace field could not be added");
    }
}

/// What is to become of a message by what sinks said of the whole of it. The error is a refusal.
pub(super) fn decided(decision: Decision) -> Result<Option<Mark>, Reply> {
    match decision {
        Decision::Proceed | Decision::Answer(_) => Ok(None),
        Decision::Reject(reply) | Decision::Defer(reply, _) | Decision::Disconnect(reply) => Err(reply),
        Decision::Discard => Ok(Some(Mark::Discard)),
        Decision::Hold { reason, place } => Ok(Some(Mark::Hold { reason, place })),
    }
}

/// Tells of a message that is durable now.
pub(super) fn accepted(history: &History, snapshot: &Snapshot, entry: &Entry) {
    let Origin { door, client, made, .. } = &entry.origin;
    tracing::info!(
        id = %entry.id, %door, client = client.map(tracing::field::display), parent = made.as_ref().map(|m| tracing::field::display(m.parent)),
        sender = %entry.envelope.sender, recipients = entry.envelope.recipients.len(), size = entry.content.len(),
        held = entry.hold.is_some(), require_tls = entry.envelope.require_tls.then_some(true), "accepted"
    );
    for step in [track::Stage::Received, track::Stage::Submitted] {
        let mut step = Step::new(entry.received, entry.id, step);
        step.sender = Some(entry.envelope.sender.as_str().into());
        if step.step == track::Stage::Received {
            (step.door, step.client, step.size) = (Some(*door), *client, Some(entry.content.len()));
            step.other = made.as_ref().map(|made| made.parent);
        } else {
            step.recipients = Some(entry.envelope.recipients.len());
        }
        track::note(history, &snapshot.dispatcher, &entry.origin, step);
    }
    if let Some(hold) = &entry.hold {
        let mut step = Step::new(entry.received, entry.id, track::Stage::Held);
        (step.by, step.reply) = (Some(hold.by.clone()), Some(hold.reason.clone()));
        track::note(history, &snapshot.dispatcher, &entry.origin, step);
    }
    if let Some(until) = entry.envelope.hold.filter(|until| *until > entry.received) {
        let mut step = Step::new(entry.received, entry.id, track::Stage::Held);
        (step.by, step.next) = (Some("sender".to_owned()), Some(until));
        track::note(history, &snapshot.dispatcher, &entry.origin, step);
    }
    history.announce(|| Account::of_entry(entry, if entry.hold.is_some() { State::Held } else { State::Queued }));
}

/// If every recipient was refused: one reply, 4xx if any of theirs is.
pub(super) fn refused_by_all(transaction: &Transaction) -> Option<Reply> {
    let mut rejected = None;
    let mut deferred = None;
    for recipient in &transaction.letter.envelope.recipients {
        match &recipient.fate {
            Fate::Deferred(reply) => deferred = deferred.or(Some(reply)),
            Fate::Rejected(reply) => rejected = rejected.or(Some(reply)),
            Fate::Accepted | Fate::Discarded | Fate::Held(_) => return None,
        }
    }
    deferred.or(rejected).cloned()
}

/// What a fate makes of a recipient's state. `each`: the client hears of it.
pub(crate) fn settle(fate: &Fate, state: &mut RcptState, each: bool) {
    match fate {
        Fate::Accepted => {}
        Fate::Held(reason) => state.held = Some(reason.clone()),
        Fate::Discarded => state.done = true,
        // Over LMTP the client is told. Elsewhere it was too late to say no to this one alone: the first pass lets it fail, and
        // its sender is told then.
        Fate::Rejected(_) | Fate::Deferred(_) => state.done = each,
    }
}

/// A hold by a sink, with the place behind which a release goes on.
pub(crate) fn hold_at(reason: String, place: &Place) -> Hold {
    Hold { reason, by: place.sink.to_string(), place: Json::of(place).unwrap_or_default() }
}

/// The entry to keep, or nothing if nobody is left to deliver to.
pub(super) fn entry(
    transaction: &Transaction,
    message: &Message,
    origin: &Origin,
    now: Timestamp,
    mark: Option<Mark>,
    each: bool,
) -> Option<Entry> {
    let letter = &transaction.letter;
    let mut entry =
        Entry::new(transaction.id, now, origin.clone(), letter.envelope.clone(), message.header_len(), message.len());
    for (recipient, state) in letter.envelope.recipients.iter().zip(&mut entry.recipients) {
        state.next = now;
        settle(&recipient.fate, state, each);
    }
    match mark {
        Some(Mark::Discard) => return None,
        Some(Mark::Hold { reason, place }) => {
            entry.hold = Some(hold_at(reason, &place));
        }
        None => {}
    }
    wishes::hold(&mut entry, now);
    entry.properties = letter.properties.clone();
    entry.ledger = Json::of(&transaction.ledger).unwrap_or_default();
    (!entry.is_done()).then_some(entry)
}
