//! The sinks that hear a connection to a server, on behalf of one message: what the client machine asks becomes an `out.*` event,
//! and what sinks decide becomes what the machine does.
//!
//! Raised under the snapshot of the message's pass. A message for which nobody hears any of them has no ears, and its connection
//! asks nobody. What a sink refuses is no try of the server: it ends as at the other events, with the time that the sink names, or
//! as that sink's fault.

use super::dossier::Dossier;
use super::end::End;
use super::link::Link;
use super::outcome::{Details, Outcome};
use crate::event::verdict::standard;
use crate::event::{Answer, Decision, Event, Focus, Leg, Plan, SessionState};
use crate::mail::{Class, Message, Reply};
use crate::smtp::client::{self, Offered, Point, Said, Terms};

/// The events of a connection.
const EVENTS: [Event; 9] = [
    Event::OutConnect,
    Event::OutHelo,
    Event::OutMessage,
    Event::OutMail,
    Event::OutRcpt,
    Event::OutData,
    Event::OutReply,
    Event::OutQuit,
    Event::OutDisconnect,
];

/// What sinks hear of one message's try at one hop.
pub(super) struct Ears<'a> {
    dossier: &'a mut Dossier,
    leg: Leg,
    /// The session of a connection that is to be opened.
    session: Option<SessionState>,
    vetoes: Vec<Veto>,
}

/// Somebody has refused.
struct Veto {
    /// The place in the envelope of whom it is about; else it is about all who have no outcome yet.
    recipient: Option<usize>,
    reply: Reply,
    end: End,
}

impl<'a> Ears<'a> {
    /// Ears for a leg; none if nobody hears.
    pub(super) fn of(dossier: &'a mut Dossier, leg: impl FnOnce() -> Leg) -> Option<Self> {
        let heard = EVENTS.into_iter().any(|event| dossier.hears(event));
        let mut leg = heard.then(leg)?;
        leg.attempt = leg.recipients.first().map_or(1, |first| dossier.attempt(*first));
        Some(Self { dossier, leg, session: None, vetoes: Vec::new() })
    }

    /// Whether somebody may decide about replies.
    pub(super) fn mind_replies(&self) -> bool {
        self.dossier.hears(Event::OutReply)
    }

    /// On what terms there is to be a connection. The error is what a sink refuses it with.
    pub(super) async fn connect(&mut self) -> Result<Terms, Reply> {
        let (mut plan, leg) = (Plan::new(None), self.leg.clone());
        let mut session = self.session();
        let decision = self.raise(Event::OutConnect, &leg, &mut plan, Some(&mut session)).await;
        self.session = Some(session);
        match self.decided(decision, None, &mut plan) {
            client::Decision::Refuse(reply) => Err(reply),
            client::Decision::Change(_) | client::Decision::Proceed | client::Decision::Go(_) => Ok(plan.terms),
        }
    }

    /// The link of a connection over which the message is about to go: of a new one, or of one that others have used.
    pub(super) fn link(&mut self, remote: &str, link: &mut Option<Link>) {
        self.leg.host = Some(remote.into());
        let (snapshot, origin) = (self.dossier.snapshot.clone(), self.dossier.entry().origin.clone());
        match link {
            Some(link) => link.pass_on(snapshot, origin, self.leg.clone()),
            None => {
                let session = self.session.take().unwrap_or_else(|| self.session());
                *link = Some(Link::new(snapshot, origin, self.leg.clone(), session));
            }
        }
    }

    /// What is to be done at a point.
    pub(super) async fn ask(&mut self, point: &Point, link: Option<&mut Link>, offered: &Offered) -> client::Decision {
        let (event, verb, rcpt) = match point {
            Point::Helo(verb) => (Event::OutHelo, Some((*verb).to_owned()), None),
            Point::Mail => (Event::OutMail, Some("MAIL".to_owned()), None),
            Point::Rcpt(index) => (Event::OutRcpt, Some("RCPT".to_owned()), Some(*index)),
            Point::Data => (Event::OutData, Some("DATA".to_owned()), None),
            Point::Quit => (Event::OutQuit, Some("QUIT".to_owned()), None),
            Point::Reply(said) => (Event::OutReply, said.verb.as_deref().map(str::to_owned), said.rcpt),
        };
        if !self.dossier.hears(event) {
            return client::Decision::Proceed;
        }
        let recipient = rcpt.and_then(|index| self.leg.recipients.get(index).copied());
        let mut leg = self.leg.clone();
        if let Some(recipient) = recipient {
            leg.recipients = vec![recipient];
        }
        let mut plan = Plan { offered: offered.clone(), ..Plan::new(verb) };
        if let Point::Reply(Said { reply, choices, .. }) = point {
            (leg.reply, plan.choices) = (Some(reply.clone()), *choices);
        }
        let decision = self.raise(event, &leg, &mut plan, link.map(|link| &mut link.session)).await;
        let decision = decision.map(|decision| in_their_words(decision, leg.reply.as_ref()));
        self.decided(decision, recipient, &mut plan)
    }

    /// The message as this hop is to get it, with what sinks put on top. The error is what one refuses it with.
    pub(super) async fn message(&mut self, message: Message, link: Option<&mut Link>) -> Result<Message, Reply> {
        if !self.dossier.hears(Event::OutMessage) {
            return Ok(message);
        }
        let (mut plan, leg) = (Plan::new(None), self.leg.clone());
        let decision = match self.dossier.show(Event::OutMessage, Some(message)).await {
            Err(outcome) => Err(outcome),
            Ok(ours) => {
                let session = link.map(|link| &mut link.session);
                let decision = self.raise(Event::OutMessage, &leg, &mut plan, session).await;
                self.dossier.show(Event::OutMessage, ours).await.and_then(|shown| Ok((decision?, shown)))
            }
        };
        let (decision, message) = match decision {
            Ok((decision, message)) => (Ok(decision), message),
            Err(outcome) => (Err(outcome), None),
        };
        match (self.decided(decision, None, &mut plan), message) {
            (client::Decision::Refuse(reply), _) => Err(reply),
            (_, Some(message)) => Ok(message),
            (_, None) => Err(standard(Class::Transient, Event::OutMessage)),
        }
    }

    /// What has become of these recipients, by their place in the envelope: what sinks have decided, or what the try has come to.
    pub(super) fn ends(self, recipients: &[usize], outcomes: Vec<Outcome>) -> Vec<End> {
        let end = |(recipient, outcome): (&usize, Outcome)| {
            let details = outcome.details();
            let of = |veto: &&Veto| {
                details.remote.is_none()
                    && details.reply == veto.reply
                    && veto.recipient.is_none_or(|only| only == *recipient)
            };
            self.vetoes.iter().find(of).map_or(End::Tried(outcome.clone()), |veto| veto.end.clone())
        };
        recipients.iter().zip(outcomes).map(end).collect()
    }

    async fn raise(
        &mut self,
        event: Event,
        leg: &Leg,
        plan: &mut Plan,
        session: Option<&mut SessionState>,
    ) -> Result<Decision, Outcome> {
        self.dossier.raise_within(event, None, session, Focus::Client { leg, plan }).await
    }

    /// What a decision has the machine do. A refusal is kept, for it is more than a reply.
    fn decided(
        &mut self,
        decision: Result<Decision, Outcome>,
        recipient: Option<usize>,
        plan: &mut Plan,
    ) -> client::Decision {
        let (reply, end) = match decision {
            Ok(Decision::Proceed) if plan.change == client::Change::default() => return client::Decision::Proceed,
            Ok(Decision::Proceed) => return client::Decision::Change(std::mem::take(&mut plan.change)),
            Ok(Decision::Answer(Answer::Step(next))) => return client::Decision::Go(next),
            Ok(decision) => {
                let reply = match &decision {
                    Decision::Reject(reply) | Decision::Defer(reply, _) => reply.clone(),
                    // The catalogue has no others.
                    _ => standard(Class::Transient, Event::OutConnect),
                };
                let end = self.dossier.ended(decision);
                (reply.clone(), end.unwrap_or_else(|| End::Tried(Outcome::Deferred(Details::ours(reply, "")))))
            }
            Err(outcome) => (outcome.details().reply.clone(), End::Tried(outcome)),
        };
        self.vetoes.push(Veto { recipient, reply: reply.clone(), end });
        client::Decision::Refuse(reply)
    }

    fn session(&self) -> SessionState {
        SessionState::new(self.dossier.entry().id)
    }
}

/// A sink that takes a reply for another one, and has no words of its own for it, leaves the server its words.
fn in_their_words(decision: Decision, theirs: Option<&Reply>) -> Decision {
    let Some(theirs) = theirs else { return decision };
    let ours = |reply: &Reply| *reply == standard(reply.class(), Event::OutReply);
    if !matches!(theirs.class(), Class::Transient | Class::Permanent) {
        return decision;
    }
    match decision {
        Decision::Defer(reply, after) if ours(&reply) => Decision::Defer(theirs.in_class(Class::Transient), after),
        Decision::Reject(reply) if ours(&reply) => Decision::Reject(theirs.in_class(Class::Permanent)),
        decision => decision,
    }
}
