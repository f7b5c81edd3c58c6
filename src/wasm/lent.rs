//! What is lent to a guest for one call: the event's things, shared and not copied where they are large.

use crate::event::host::RecordKind;
use crate::event::{Candidate, Credentials, Event, Leg, Letter, Plan, Scene, SessionFacts, View};
use crate::mail::{Header, Id, Message, Origin, Recipient, Reply, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// The scene of one call, owned.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) event: Event,
    pub(super) origin: Origin,
    pub(super) session: Option<(Id, Arc<SessionFacts>)>,
    pub(super) transaction: Option<(Id, Timestamp, Arc<Letter>)>,
    pub(super) focus: Focus,
    /// The recipients for which the rule holds; without a rule, all.
    pub(super) matched: Option<Vec<usize>>,
    pub(super) size: Option<u64>,
}

/// What the event is about beside session and transaction.
#[derive(Debug)]
pub(super) enum Focus {
    None,
    Command { verb: String, argument: String, further: Option<(u32, Vec<u8>)> },
    Credentials(Box<Credentials>),
    Recipient(Box<Candidate>),
    Reply(Reply),
    Excess { size: u64, declared: bool },
    Leg(Leg),
    Outbound(Leg, Box<Plan>),
    Question { name: String, kind: RecordKind },
    Step(Value),
}

impl Lent {
    pub(super) fn of(scene: &Scene<'_>) -> Self {
        Self {
            event: scene.event,
            origin: scene.origin.clone(),
            session: scene.session.map(|s| (s.id, s.facts.clone())),
            transaction: scene.transaction.map(|t| (t.id, t.started, t.letter.clone())),
            focus: match scene.view {
                View::None => Focus::None,
                View::Verb { verb, argument, further } => Focus::Command {
                    verb: verb.to_owned(),
                    argument: argument.to_owned(),
                    further: further.map(|further| (further.step, further.octets.to_vec())),
                },
                View::Credentials(credentials) => Focus::Credentials(Box::new(credentials.clone())),
                View::Recipient(candidate) => Focus::Recipient(Box::new(candidate.clone())),
                View::Reply(reply) => Focus::Reply(reply.clone()),
                View::Oversize { size, declared } => Focus::Excess { size, declared },
                View::Leg(leg) => Focus::Leg(leg.clone()),
                View::Client(leg, plan) => Focus::Outbound(leg.clone(), Box::new(plan.clone())),
                View::Question(question) => Focus::Question { name: question.name.to_owned(), kind: question.kind },
                View::Step(step) => Focus::Step(step.clone()),
            },
            matched: scene.has_rule().then(|| scene.matched_recipients()),
            size: scene.size(),
        }
    }

    pub(super) fn letter(&self) -> Option<&Arc<Letter>> {
        self.transaction.as_ref().map(|(_, _, letter)| letter)
    }

    pub(super) fn message(&self) -> Option<&Message> {
        self.letter()?.message.as_ref()
    }

    pub(super) fn header(&self) -> Option<&Header> {
        self.message().map(|m| &m.header)
    }

    pub(super) fn at_hand(&self) -> Option<&Candidate> {
        match &self.focus {
            Focus::Recipient(candidate) => Some(candidate),
            _ => None,
        }
    }

    /// The leg of the message's way that the event is about.
    pub(super) fn leg(&self) -> Option<&Leg> {
        match &self.focus {
            Focus::Leg(leg) | Focus::Outbound(leg, _) => Some(leg),
            _ => None,
        }
    }

    pub(super) fn recipients(&self) -> &[Recipient] {
        self.letter().map_or(&[], |letter| &letter.envelope.recipients)
    }

    /// The id to log by: the transaction's, else the session's.
    pub(super) fn id(&self) -> Option<Id> {
        self.transaction.as_ref().map(|(id, ..)| *id).or(self.session.as_ref().map(|(id, _)| *id))
    }

    /// When the transaction began, or else the session.
    pub(super) fn began(&self) -> Option<Timestamp> {
        let session = self.session.as_ref().map(|(id, _)| Timestamp(id.unix_millis()));
        self.transaction.as_ref().map(|(_, began, _)| *began).or(session)
    }

    pub(super) fn property_of_message(&self, name: &str) -> Option<&Value> {
        self.letter()?.properties.lookup(name)
    }

    pub(super) fn property_of_session(&self, name: &str) -> Option<&Value> {
        self.session.as_ref()?.1.properties.lookup(name)
    }
}
