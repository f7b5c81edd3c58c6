//! What our client is about to do on a connection, as sinks see and change it at the `out.*` events.

use super::catalogue::EditKind;
use super::fault::{Fault, FaultKind};
use crate::mail::Domain;
use crate::smtp::client::{
    Change, Choices, CommandLine, Credentials, Decision, Next, Offered, Parameter, Terms, TlsPolicy, WrongLine,
};
use bytes::Bytes;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Parameters that may be added to one command.
const PARAMETERS_MAX: usize = 32;
/// Commands that may be put in before one command.
const COMMANDS_MAX: usize = 8;

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The command that is about to be sent, or that was answered: a verb in upper case, or `.` for the end of data; none before
    /// there is a connection, and for the greeting.
    pub verb: Option<String>,
    /// On what terms the connection is opened, at `out.connect`.
    pub terms: Terms,
    /// What is said otherwise.
    pub change: Change,
    /// What may be decided about the reply, at `out.reply`.
    pub choices: Choices,
    /// What the server offers, once it has said so.
    pub offered: Offered,
}

impl Plan {
    /// A plan to send this command, or to do what has none.
    pub fn new(verb: Option<String>) -> Self {
        Self {
            verb,
            terms: Terms::default(),
            change: Change::default(),
            choices: Choices::NONE,
            offered: Offered::default(),
        }
    }

    /// A plan for a reply to this command.
    pub fn for_reply(verb: Option<String>, choices: Choices) -> Self {
        Self { choices, ..Self::new(verb) }
    }

    pub(super) fn apply(&mut self, edit: PlanEdit) -> Result<(), Fault> {
        match edit {
            PlanEdit::Source(address) => self.terms.source = Some(address),
            PlanEdit::Helo(name) => self.terms.helo = Some(name),
            PlanEdit::Tls(policy) => self.terms.tls = Some(policy),
            PlanEdit::Credentials(credentials) => self.terms.credentials = Some((*credentials).clone()),
            PlanEdit::Parameter(text) => {
                let one = Parameter::parse(&text).map_err(|e| wrong(&e))?;
                one_more(&mut self.change.parameters, one, PARAMETERS_MAX, "parameters of one command")?;
            }
            PlanEdit::Insert(text) => {
                let one = CommandLine::to_insert(&text).map_err(|e| wrong(&e))?;
                one_more(&mut self.change.insert, one, COMMANDS_MAX, "commands put in before one")?;
            }
            PlanEdit::InsertWith(text, octets) => {
                let one =
                    CommandLine::to_insert(&text).and_then(|one| one.with_octets(octets)).map_err(|e| wrong(&e))?;
                one_more(&mut self.change.insert, one, COMMANDS_MAX, "commands put in before one")?;
            }
            PlanEdit::Replace(text) => {
                let verb = self.verb.as_deref().unwrap_or_default();
                if matches!(verb, "DATA" | "BDAT") {
                    let text = format!("{verb} can't be replaced: how the content goes hangs on it");
                    return Err(Fault::new(FaultKind::Illegal, text));
                }
                self.change.replace = Some(CommandLine::to_replace(&text, verb).map_err(|e| wrong(&e))?);
            }
        }
        Ok(())
    }

    /// Why the session can't go on like this after the reply; none if it can.
    pub(super) fn forbids(&self, next: Next) -> Option<String> {
        if self.choices.allow(&Decision::Go(next)) {
            return None;
        }
        let legal: Vec<&str> = self.choices.next.iter().map(|next| next.as_str()).collect();
        Some(format!(
            "the session can't go on with `{next}` after the reply to {}, only with: {}",
            self.to(),
            legal.join(", ")
        ))
    }

    /// Why the reply can't be taken for a refusal; none if it can.
    pub(super) fn forbids_refusal(&self) -> Option<String> {
        let text = || format!("the reply to {} can't be taken for a refusal: the server has taken it on", self.to());
        (!self.choices.refuse).then(text)
    }

    fn to(&self) -> &str {
        self.verb.as_deref().unwrap_or("the connection")
    }
}

fn one_more<T>(list: &mut Vec<T>, one: T, most: usize, what: &str) -> Result<(), Fault> {
    if list.len() >= most {
        return Err(Fault::new(FaultKind::Limit, format!("over {most} {what}")));
    }
    list.push(one);
    Ok(())
}

fn wrong(wrong: &WrongLine) -> Fault {
    Fault::new(FaultKind::Illegal, wrong.to_string())
}

/// A change to a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanEdit {
    /// Connect from this address of ours.
    Source(IpAddr),
    /// Our name, for EHLO, HELO or LHLO.
    Helo(Domain),
    /// How secure the connection has to be.
    Tls(TlsPolicy),
    /// Who we are, for AUTH.
    Credentials(Arc<Credentials>),
    /// A parameter of the command: `KEYWORD` or `KEYWORD=value`.
    Parameter(String),
    /// A command to send before, and whose reply to hear at `out.reply`.
    Insert(String),
    /// A command to send before, and octets that follow it if the server says 354.
    InsertWith(String, Bytes),
    /// Another command in the place of our own.
    Replace(String),
}

impl PlanEdit {
    pub(super) fn kind(&self) -> EditKind {
        match self {
            Self::Source(_) => EditKind::SourceAddress,
            Self::Helo(_) => EditKind::HeloName,
            Self::Tls(_) => EditKind::TlsPolicy,
            Self::Credentials(_) => EditKind::Credentials,
            Self::Parameter(_) => EditKind::Parameter,
            Self::Insert(_) | Self::InsertWith(..) | Self::Replace(_) => EditKind::Command,
        }
    }
}

/// As the ledger tells it.
impl fmt::Display for PlanEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(address) => write!(f, "connect from {address}"),
            Self::Helo(name) => write!(f, "say hello as {}", name.as_str()),
            Self::Tls(policy) => write!(f, "TLS policy {policy}"),
            Self::Credentials(of) => write!(f, "authenticate as {}", of.user),
            Self::Parameter(text) => write!(f, "parameter {text}"),
            Self::Insert(text) => write!(f, "say first: {text}"),
            Self::InsertWith(text, octets) => write!(f, "say first: {text}, and {} octets", octets.len()),
            Self::Replace(text) => write!(f, "say instead: {text}"),
        }
    }
}
