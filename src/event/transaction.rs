//! What an event is about: the session, the transaction, and the one thing in focus.
//!
//! The core owns these and lends them to the dispatcher as a [`Stage`](super::Stage); sinks see them through a
//! [`Scene`](super::Scene).

use super::command::Further;
use super::companions::Companions;
use super::generated::Generated;
use super::ledger::Ledger;
use super::leg::{Leg, Question};
use super::login::Credentials;
use super::plan::Plan;
use super::split::Split;
use crate::mail::{Envelope, ForwardPath, Id, Message, Properties, Recipient, Reply, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// What sinks may change of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFacts {
    /// Properties that end with the session.
    pub properties: Properties,
    /// Another size limit, in octets, within `limits.message-size-max`.
    pub message_size: Option<u64>,
    /// Another limit on recipients per message.
    pub recipients: Option<usize>,
    /// Another text for the greeting.
    pub greeting: Option<String>,
    /// EHLO keywords to add, with their arguments.
    pub keywords: Vec<String>,
    /// EHLO keywords to leave out.
    pub without: Vec<String>,
}

/// One session, as events see it.
#[derive(Clone, Debug)]
pub struct SessionState {
    /// Its id, from the connection on.
    pub id: Id,
    /// What sinks may change. Shared with calls that outlive a borrow; it is copied when it changes under them.
    pub facts: Arc<SessionFacts>,
    /// The dispatches outside of any transaction.
    pub ledger: Ledger,
}

impl SessionState {
    /// A session that has just begun.
    pub fn new(id: Id) -> Self {
        Self { id, facts: Arc::default(), ledger: Ledger::default() }
    }

    /// The facts, to be changed.
    pub fn facts_mut(&mut self) -> &mut SessionFacts {
        Arc::make_mut(&mut self.facts)
    }
}

/// What sinks may change of a message: envelope, content and properties.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Sender and recipients.
    pub envelope: Envelope,
    /// Header from `in.headers` on, body from `in.message` on.
    pub message: Option<Message>,
    /// Properties that are kept with the message.
    pub properties: Properties,
    /// Messages that sinks have made, which enter when this one is accepted.
    pub generated: Vec<Generated>,
}

/// One transaction: from MAIL, or from another door's beginning, to its end.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The transaction's id, which becomes the message's.
    pub id: Id,
    /// When it began.
    pub started: Timestamp,
    /// What sinks may change. Shared with calls that outlive a borrow; it is copied when it changes under them.
    pub letter: Arc<Letter>,
    /// The dispatches so far.
    pub ledger: Ledger,
    /// What sinks keep until it ends.
    pub companions: Companions,
    /// What a sink has split off. Whoever raises an event at which that is allowed takes it, and raises the event again for what
    /// remains: see [`super::split`].
    pub split: Option<Split>,
}

impl Transaction {
    /// A transaction without content. `ledger` carries over what the session's sinks said.
    pub fn new(id: Id, started: Timestamp, envelope: Envelope, ledger: Ledger) -> Self {
        let (properties, generated) = (Properties::default(), Vec::new());
        let letter = Letter { envelope, message: None, properties, generated };
        Self { id, started, letter: Arc::new(letter), ledger, companions: Companions::default(), split: None }
    }

    /// The letter, to be changed.
    pub fn letter_mut(&mut self) -> &mut Letter {
        Arc::make_mut(&mut self.letter)
    }

    /// Its size in octets: real once the content is there, before that as declared.
    pub fn size(&self) -> Option<u64> {
        match &self.letter.message {
            Some(message) if !message.is_empty() => Some(message.len()),
            _ => self.letter.envelope.size,
        }
    }
}

/// The recipient of a RCPT, not yet in the envelope; or one to resolve, and what stands in its place.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As it will be.
    pub recipient: Recipient,
    /// Recipients that sinks add beside it.
    pub added: Vec<ForwardPath>,
    /// Whether a sink vouched for it.
    pub vouched: bool,
}

/// The one thing that an event is about, beside session and transaction.
#[derive(Debug, Default)]
pub enum Focus<'a> {
    /// Nothing else.
    #[default]
    None,
    /// A command.
    Verb {
        /// In upper case.
        verb: &'a str,
        /// What follows it.
        argument: &'a str,
        /// What has come since, for the sink that has asked for more, which alone hears of it.
        further: Option<&'a Further<'a>>,
    },
    /// What a client has presented to log in.
    Credentials(&'a Credentials),
    /// The recipient of a RCPT, or one to resolve.
    Recipient(&'a mut Candidate),
    /// A reply about to be written.
    Reply(&'a mut Reply),
    /// A size over the limit.
    Oversize {
        /// Octets, declared or counted so far.
        size: u64,
        /// Whether SIZE said so.
        declared: bool,
    },
    /// A leg of the message's way.
    Leg(&'a Leg),
    /// A leg of the message's way, and what our client is about to do on it.
    Client {
        /// The leg.
        leg: &'a Leg,
        /// What is to be done.
        plan: &'a mut Plan,
    },
    /// Recipients that are due at a sink, which alone hears of it.
    Delivery {
        /// The sink.
        sink: &'a str,
        /// Who is due.
        leg: &'a Leg,
    },
    /// A question of the DNS.
    Question(Question<'a>),
    /// A step in the message's life, as the log of messages has it.
    Step(&'a Value),
}
