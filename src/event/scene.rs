//! The view that a sink gets of an event. Read-only, borrowed, cheap to copy.

use super::catalogue::Event;
use super::command::Further;
use super::leg::{Leg, Question};
use super::login::Credentials;
use super::plan::Plan;
use super::rule::Rule;
use super::transaction::{Candidate, SessionState, Transaction};
use crate::mail::{Envelope, Fate, Header, Id, Message, Origin, Recipient, Reply, ReversePath, Standing};
use serde_json::Value;
use std::sync::Arc;

/// What is in focus, as a sink sees it.
#[derive(Clone, Copy, Debug, Default)]
pub enum View<'a> {
    /// Nothing beside session and transaction.
    #[default]
    None,
    /// A command.
    Verb {
        /// In upper case.
        verb: &'a str,
        /// What follows it.
        argument: &'a str,
        /// What has come since, if a sink has asked for more.
        further: Option<&'a Further<'a>>,
    },
    /// What a client has presented to log in.
    Credentials(&'a Credentials),
    /// The recipient of a RCPT, or one to resolve.
    Recipient(&'a Candidate),
    /// A reply about to be written.
    Reply(&'a Reply),
    /// A size over the limit.
    Oversize {
        /// Octets.
        size: u64,
        /// Whether SIZE said so.
        declared: bool,
    },
    /// A leg of the message's way.
    Leg(&'a Leg),
    /// A leg, and what our client is about to do on it.
    Client(&'a Leg, &'a Plan),
    /// A question of the DNS.
    Question(Question<'a>),
    /// A step in the message's life, as the log of messages has it.
    Step(&'a Value),
}

/// Everything known at an event.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The event.
    pub event: Event,
    /// Where session or message come from.
    pub origin: &'a Origin,
    /// The session, while there is one.
    pub session: Option<&'a SessionState>,
    /// The transaction, from MAIL on.
    pub transaction: Option<&'a Transaction>,
    /// What the event is about beside these.
    pub view: View<'a>,
    /// The rule that held, if the binding has one.
    pub(super) rule: Option<&'a Rule>,
}

impl<'a> Scene<'a> {
    /// The id to log by: the transaction's, else the session's.
    pub fn id(&self) -> Option<Id> {
        self.transaction.map(|t| t.id).or_else(|| self.session.map(|s| s.id))
    }

    /// The envelope, from MAIL on.
    pub fn envelope(&self) -> Option<&'a Envelope> {
        self.transaction.map(|t| &t.letter.envelope)
    }

    /// The reverse-path, from MAIL on.
    pub fn sender(&self) -> Option<&'a ReversePath> {
        self.envelope().map(|e| &e.sender)
    }

    /// The reverse-path as rules and lists see it: `local@domain`, or `<>` for the null path, which so differs from one
    /// that is not known yet.
    pub fn sender_text(&self) -> Option<&'a str> {
        self.sender().map(|path| path.mailbox().map_or("<>", |m| m.as_str()))
    }

    /// The recipient at hand, at `in.rcpt` and `transport.categorize`.
    pub fn recipient(&self) -> Option<&'a Recipient> {
        match self.view {
            View::Recipient(candidate) => Some(&candidate.recipient),
            _ => None,
        }
    }

    /// The recipient at hand, those of the leg, or all that are to be delivered, with their index in the envelope.
    pub fn recipients(&self) -> impl Iterator<Item = (usize, &'a Recipient)> + use<'a> {
        let at_hand = self.recipient();
        let all = self.envelope().filter(|_| at_hand.is_none()).map_or(&[][..], |e| &e.recipients[..]);
        let leg = self.leg();
        let meant = move |index| leg.is_none_or(|leg| leg.recipients.contains(&index));
        let alive = all.iter().enumerate().filter(move |(index, r)| r.fate == Fate::Accepted && meant(*index));
        at_hand.map(|r| (0, r)).into_iter().chain(alive)
    }

    /// The leg of the message's way that the event is about, from `transport.route` on.
    pub fn leg(&self) -> Option<&'a Leg> {
        match self.view {
            View::Leg(leg) | View::Client(leg, _) => Some(leg),
            _ => None,
        }
    }

    /// What our client is about to do, at the `out.*` events.
    pub fn plan(&self) -> Option<&'a Plan> {
        if let View::Client(_, plan) = self.view { Some(plan) } else { None }
    }

    /// The verb of the command that the event is about, in upper case.
    pub fn verb(&self) -> Option<&'a str> {
        match self.view {
            View::Verb { verb, .. } => Some(verb),
            View::Client(_, plan) => plan.verb.as_deref(),
            _ => None,
        }
    }

    /// What a client has presented, at `in.auth`.
    pub fn credentials(&self) -> Option<&'a Credentials> {
        match self.view {
            View::Credentials(credentials) => Some(credentials),
            _ => None,
        }
    }

    /// The recipients for which the binding's rule holds, where it names recipients or standings; else all.
    pub fn matched_recipients(&self) -> Vec<usize> {
        let matches = |r: &Recipient| self.rule.is_none_or(|rule| rule.holds_for(self, r));
        self.recipients().filter(|(_, r)| matches(r)).map(|(i, _)| i).collect()
    }

    /// Whether the binding has a rule.
    pub fn has_rule(&self) -> bool {
        self.rule.is_some()
    }

    /// Header and body, as far as they are known.
    pub fn message(&self) -> Option<&'a Message> {
        self.transaction.and_then(|t| t.letter.message.as_ref())
    }

    /// The header, from `in.headers` on.
    pub fn header(&self) -> Option<&'a Header> {
        self.message().map(|m| &m.header)
    }

    /// Octets: declared until the message is there, then real.
    pub fn size(&self) -> Option<u64> {
        match self.view {
            View::Oversize { size, .. } => Some(size),
            _ => self.transaction.and_then(Transaction::size),
        }
    }

    /// A property by its full name, `sink.key`: the recipient's at hand, the message's, or the session's.
    pub fn property(&self, name: &str) -> Option<&'a Value> {
        self.recipient()
            .and_then(|r| r.properties.lookup(name))
            .or_else(|| self.transaction.and_then(|t| t.letter.properties.lookup(name)))
            .or_else(|| self.session.and_then(|s| s.facts.properties.lookup(name)))
    }

    /// How the directory sees the recipient at hand.
    pub fn standing(&self) -> Option<Standing> {
        self.recipient().map(|r| r.standing)
    }

    /// What the ledger calls the thing in focus.
    pub(super) fn about(&self) -> Option<Arc<str>> {
        match self.view {
            View::Recipient(candidate) => Some(candidate.recipient.path.shared().clone()),
            View::Verb { verb, .. } => Some(verb.into()),
            View::Reply(reply) => Some(reply.code().to_string().into()),
            View::Leg(leg) => Some(leg.domain.clone()),
            View::Client(leg, plan) => Some(about_client(leg, plan).into()),
            View::Question(question) => Some(question.name.into()),
            View::Credentials(credentials) => Some(credentials.mechanism.as_str().into()),
            View::None | View::Oversize { .. } | View::Step(_) => None,
        }
    }
}

/// The host, the command, and the reply's code, as far as they are known.
fn about_client(leg: &Leg, plan: &Plan) -> String {
    let host = leg.host.as_deref().unwrap_or(&leg.domain);
    let verb = plan.verb.as_deref().map(|verb| format!(" {verb}")).unwrap_or_default();
    let code = leg.reply.as_ref().map(|reply| format!(" {}", reply.code())).unwrap_or_default();
    format!("{host}{verb}{code}")
}
