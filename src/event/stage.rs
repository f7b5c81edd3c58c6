//! What the core lends to the dispatcher for one event. Edits are applied to a `copy` of it first.

use super::binding::{Place, Registered};
use super::catalogue::Event;
use super::copy::Copy;
use super::edit::{EDITS_MAX, Edits};
use super::fault::{Fault, FaultKind};
use super::ledger::Ledger;
use super::rule::Rule;
use super::scene::{Scene, View};
use super::split::{self, Split};
use super::transaction::{Focus, SessionState, Transaction};
use super::verdict::{Answer, Verdict};
use crate::mail::{Origin, Standing};
use std::sync::Arc;
use std::time::Duration;

/// The session, the transaction and the thing in focus, lent for one event.
#[derive(Debug)]
pub struct Stage<'a> {
    /// Where it all comes from.
    pub origin: &'a Origin,
    /// The session, if there is one.
    pub session: Option<&'a mut SessionState>,
    /// The transaction, if there is one.
    pub transaction: Option<&'a mut Transaction>,
    /// What the event is about beside these.
    pub focus: Focus<'a>,
    /// How long sinks asked to wait before the reply.
    pub delay: Duration,
    /// The sink that has answered a command.
    pub answered: Option<Arc<str>>,
}

impl<'a> Stage<'a> {
    /// A stage on which there is only an origin.
    pub fn new(origin: &'a Origin) -> Self {
        Self { origin, session: None, transaction: None, focus: Focus::None, delay: Duration::ZERO, answered: None }
    }

    /// What a sink sees of it.
    pub fn scene<'b>(&'b self, event: Event, rule: Option<&'b Rule>) -> Scene<'b> {
        let view = match &self.focus {
            Focus::None => View::None,
            Focus::Verb { verb, argument, further } => View::Verb { verb, argument, further: *further },
            Focus::Credentials(credentials) => View::Credentials(credentials),
            Focus::Recipient(candidate) => View::Recipient(candidate),
            Focus::Reply(reply) => View::Reply(reply),
            Focus::Oversize { size, declared } => View::Oversize { size: *size, declared: *declared },
            Focus::Client { leg, plan } => View::Client(leg, plan),
            Focus::Leg(leg) | Focus::Delivery { leg, .. } => View::Leg(leg),
            Focus::Question(question) => View::Question(*question),
            Focus::Step(step) => View::Step(step),
        };
        Scene {
            event,
            origin: self.origin,
            session: self.session.as_deref(),
            transaction: self.transaction.as_deref(),
            view,
            rule,
        }
    }

    /// What the last call has split off.
    pub(super) fn split(&mut self) -> Option<&mut Split> {
        self.transaction.as_mut()?.split.as_mut().filter(|split| split.at.event.is_none())
    }

    /// The standing of the recipient at hand, for the guards' sake.
    pub(super) fn standing(&self) -> Option<Standing> {
        match &self.focus {
            Focus::Recipient(candidate) => Some(candidate.recipient.standing),
            _ => None,
        }
    }

    /// Where dispatches are written down.
    pub(super) fn ledger(&mut self) -> Option<&mut Ledger> {
        match (&mut self.transaction, &mut self.session) {
            (Some(t), _) => Some(&mut t.ledger),
            (None, Some(s)) => Some(&mut s.ledger),
            (None, None) => None,
        }
    }

    /// Why the verdict can't be had here, though the catalogue knows it; none if it can. A session with a server goes on in few
    /// ways only, and which, its last reply says.
    pub(super) fn forbids(&self, event: Event, verdict: &Verdict) -> Option<String> {
        let Focus::Client { plan, .. } = &self.focus else { return None };
        match verdict {
            Verdict::Answer(Answer::Step(next)) => plan.forbids(*next),
            Verdict::Reject(_) | Verdict::Defer(..) if event == Event::OutReply => plan.forbids_refusal(),
            _ => None,
        }
    }

    /// Applies all edits of one call, or none and says why.
    pub(super) fn apply(&mut self, event: Event, sink: &Registered, edits: Edits) -> Result<(), Fault> {
        if edits.len() > EDITS_MAX {
            return Err(Fault::new(
                FaultKind::Limit,
                format!("{} edits in one call; {EDITS_MAX} are allowed", edits.len()),
            ));
        }
        let allowed = event.spec().edits;
        if let Some(edit) = edits.iter().find(|e| !allowed.contains(&e.kind())) {
            return Err(Fault::new(FaultKind::Illegal, format!("the edit `{edit}` is not allowed at {event}")));
        }
        let there = self.transaction.as_ref().map_or(0, |t| t.letter.envelope.recipients.len());
        let wanted = split::wanted(&edits, there)?;
        let found = self.transaction.as_ref().filter(|_| !wanted.is_empty()).map(|t| t.letter.clone());
        let mut copy = Copy::of(self, sink);
        copy.make(edits)?;
        copy.put_back(self);
        if let (Some(transaction), Some(found)) = (&mut self.transaction, found) {
            let parts = split::parts(&found, &wanted);
            transaction.split = Some(Split { parts, at: Place::default() });
        }
        Ok(())
    }
}
