//! What an event is about, made of the options of a command: a session, a transaction, a message.

use super::way;
use crate::cli::out::{Failure, note};
use crate::cli::time;
use crate::event::catalogue::CATALOGUE;
use crate::event::host::RecordKind;
use crate::event::{
    Candidate, Event, Focus, Ledger, LedgerEntry, Leg, Plan, Question, SessionState, Stage, Transaction,
};
use crate::mail::{
    Door, Envelope, ForwardPath, IdSource, Message, Origin, Recipient, Reply, ReversePath, Role, Standing,
};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Read};
use std::net::IpAddr;
use std::time::Duration;

/// What the event is about.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "What the event is about")]
pub(in crate::cli::sink) struct Props {
    /// The reverse-path; <> is the null path
    #[arg(long, value_name = "ADDRESS", default_value = "sender@example.org")]
    sender: String,
    /// A forward-path; may be given again. At in.rcpt and transport.categorize the last one is at hand [default: recipient@example.com]
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<String>,
    /// How the directory sees the recipients
    #[arg(long, value_name = "STANDING", value_enum, default_value = "local")]
    standing: StandingName,
    /// The client's address
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    client: IpAddr,
    /// What the client said after EHLO
    #[arg(long, value_name = "NAME", default_value = "client.example.org")]
    helo: String,
    /// The authenticated user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The command at in.command, such as 'VRFY alice' [default: NOOP]; at out.reply, the verb that was answered [default: RCPT]
    #[arg(long, value_name = "COMMAND")]
    verb: Option<String>,
    /// The reply at in.reply and out.reply, or that with which an attempt ended [default: one that suits the event]
    #[arg(long, value_name = "REPLY")]
    reply: Option<String>,
    /// The number of the attempt, at the events of a leg
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    attempt: u32,
    /// The declared size, in octets
    #[arg(long, value_name = "OCTETS")]
    size: Option<u64>,
}

/// The standings by the names that rules have for them.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum StandingName {
    Local,
    Relay,
    Unknown,
    Denied,
}

/// The things, owned.
#[derive(Clone, Debug)]
pub(in crate::cli::sink) struct Scenery {
    pub(super) event: Event,
    pub(super) origin: Origin,
    pub(super) session: SessionState,
    pub(super) transaction: Option<Transaction>,
    pub(super) thing: Thing,
    pub(super) delay: Duration,
}

/// What is in focus.
#[derive(Clone, Debug)]
pub(super) enum Thing {
    None,
    Verb(String, String),
    Recipient(Box<Candidate>),
    Reply(Reply),
    Oversize(u64, bool),
    Leg(Leg),
    Client(Leg, Box<Plan>),
    Question(String, RecordKind),
    Step(serde_json::Value),
}

/// How much of a message there is at an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    None,
    Header,
    Whole,
}

/// The event of that name.
pub(in crate::cli::sink) fn event(name: &str) -> Result<Event, Failure> {
    Event::by_name(name).ok_or_else(|| {
        let names = CATALOGUE.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
        Failure::Usage(format!("`{name}` is no event; there are: {names}"))
    })
}

impl Props {
    /// The scenery of an event. `message` is asked for the message's octets if the event has one.
    pub(in crate::cli::sink) fn scenery(
        &self,
        event: Event,
        message: impl FnOnce() -> Result<Vec<u8>, Failure>,
    ) -> Result<Scenery, Failure> {
        let now = time::now();
        let ids = IdSource::default();
        let id = ids.next(now.0);
        let mut origin = Origin::door(Door::Smtp);
        origin.session = Some(id);
        (origin.listener, origin.role) = (Some("127.0.0.1:25".into()), Some(Role::Mx));
        (origin.client, origin.auth) = (Some(self.client), self.user.as_deref().map(Into::into));
        if event != Event::InConnect {
            origin.helo = Some(self.helo.as_str().into());
        }
        let content = content(event);
        let octets = (content != Content::None).then(message).transpose()?;
        let message = octets.map(|octets| of_octets(&octets, content));
        let thing = self.thing(event, message.as_ref())?;
        let transaction = has_transaction(event).then(|| {
            let mut envelope = Envelope::new(self.sender()?);
            envelope.size = self.size;
            envelope.recipients = match event {
                Event::InMail => Vec::new(),
                Event::InRcpt | Event::TransportCategorize => {
                    self.recipients()?.split_last().map(|(_, before)| before.to_vec()).unwrap_or_default()
                }
                _ => self.recipients()?,
            };
            let mut transaction = Transaction::new(ids.next(now.0), now, envelope, Ledger::default());
            transaction.letter_mut().message = message;
            Ok::<_, Failure>(transaction)
        });
        let session = SessionState::new(id);
        Ok(Scenery { event, origin, session, transaction: transaction.transpose()?, thing, delay: Duration::ZERO })
    }

    fn thing(&self, event: Event, message: Option<&Message>) -> Result<Thing, Failure> {
        Ok(match event {
            Event::InHelo => Thing::Verb("EHLO".to_owned(), self.helo.clone()),
            Event::InCommand => {
                let command = self.verb.as_deref().unwrap_or("NOOP");
                let (verb, argument) = command.split_once(' ').unwrap_or((command, ""));
                Thing::Verb(verb.to_ascii_uppercase(), argument.to_owned())
            }
            Event::InRcpt | Event::TransportCategorize => {
                let recipient = self.recipients()?.pop();
                let recipient = recipient.ok_or_else(|| Failure::Usage("there is no recipient".to_owned()))?;
                Thing::Recipient(Box::new(Candidate { recipient, added: Vec::new(), vouched: false }))
            }
            Event::InReply => Thing::Reply(reply(self.reply.as_deref().unwrap_or("250 2.0.0 Ok"))?),
            Event::TransportOversize => {
                Thing::Oversize(self.size.or(message.map(Message::len)).unwrap_or(11 << 20), self.size.is_some())
            }
            _ if has_leg(event) => {
                let ended = self.reply.as_deref().map(reply).transpose()?;
                Thing::Leg(way::leg(event, &self.recipients()?, self.attempt, ended))
            }
            _ if is_clients(event) => {
                let said = self.reply.as_deref().map(reply).transpose()?;
                let verb = self.verb.as_deref().map(str::to_ascii_uppercase);
                let leg = way::leg(event, &self.recipients()?, self.attempt, said);
                let plan = way::plan(event, verb, leg.reply.as_ref());
                Thing::Client(leg, Box::new(plan))
            }
            Event::DnsResolve => {
                let (name, kind) = way::question(&self.recipients()?);
                Thing::Question(name, kind)
            }
            Event::Track => Thing::Step(way::step(&self.recipients()?)),
            _ => Thing::None,
        })
    }

    fn sender(&self) -> Result<ReversePath, Failure> {
        let text = if self.sender == "<>" { "" } else { &self.sender };
        ReversePath::parse(text).map_err(|e| Failure::Usage(format!("`--sender {text}`: {e}")))
    }

    fn recipients(&self) -> Result<Vec<Recipient>, Failure> {
        let standing = match self.standing {
            StandingName::Local => Standing::Local,
            StandingName::Relay => Standing::Relay,
            StandingName::Unknown => Standing::Unknown,
            StandingName::Denied => Standing::Denied,
        };
        let one = |text: &str| {
            let path = ForwardPath::parse(text).map_err(|e| Failure::Usage(format!("`--rcpt {text}`: {e}")))?;
            Ok(Recipient::new(path, standing))
        };
        if self.rcpt.is_empty() {
            return Ok(vec![one("recipient@example.com")?]);
        }
        self.rcpt.iter().map(|text| one(text)).collect()
    }
}

impl Scenery {
    /// The event.
    pub(in crate::cli::sink) fn event(&self) -> Event {
        self.event
    }

    /// What the ledger says of the last call.
    pub(super) fn last(&self) -> Option<&LedgerEntry> {
        let of_transaction = self.transaction.as_ref().map(|transaction| &transaction.ledger);
        of_transaction.unwrap_or(&self.session.ledger).entries.last()
    }

    /// Why the last call failed, if it did.
    pub(in crate::cli::sink) fn last_fault(&self) -> Option<&str> {
        self.last()?.fault.as_deref()
    }

    /// Lends it all for one event.
    pub(in crate::cli::sink) fn stage(&mut self) -> Stage<'_> {
        let mut stage = Stage::new(&self.origin);
        stage.session = Some(&mut self.session);
        stage.transaction = self.transaction.as_mut();
        stage.focus = match &mut self.thing {
            Thing::None => Focus::None,
            Thing::Verb(verb, argument) => Focus::Verb { verb, argument, further: None },
            Thing::Recipient(candidate) => Focus::Recipient(candidate),
            Thing::Reply(reply) => Focus::Reply(reply),
            Thing::Oversize(size, declared) => Focus::Oversize { size: *size, declared: *declared },
            Thing::Leg(leg) => Focus::Leg(leg),
            Thing::Client(leg, plan) => Focus::Client { leg, plan },
            Thing::Question(name, kind) => Focus::Question(Question { name, kind: *kind }),
            Thing::Step(step) => Focus::Step(step),
        };
        stage
    }
}

fn has_transaction(event: Event) -> bool {
    content(event) != Content::None || matches!(event, Event::InMail | Event::InRcpt | Event::InData)
}

fn has_leg(event: Event) -> bool {
    matches!(
        event,
        Event::TransportRoute
            | Event::TransportDeliver
            | Event::TransportDelivered
            | Event::TransportDeferred
            | Event::TransportFailed
            | Event::OutDisconnect
    )
}

/// Whether our client is about to do something there.
fn is_clients(event: Event) -> bool {
    event.name().starts_with("out.") && !has_leg(event)
}

fn content(event: Event) -> Content {
    match event {
        Event::InHeaders => Content::Header,
        Event::InMessage
        | Event::TransportSubmit
        | Event::TransportPreCategorize
        | Event::TransportCategorize
        | Event::TransportPostCategorize
        | Event::TransportDsn => Content::Whole,
        Event::OutQuit | Event::OutDisconnect => Content::None,
        _ if has_leg(event) || is_clients(event) => Content::Whole,
        _ => Content::None,
    }
}

/// What stands on standard input.
pub(in crate::cli::sink) fn from_stdin() -> Result<Vec<u8>, Failure> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        note("reading a message from standard input; end it with Ctrl-D");
    }
    let mut octets = Vec::new();
    input.read_to_end(&mut octets)?;
    Ok(octets)
}

/// The message of these octets. Lines that end in LF alone get the CR that a client would send.
fn of_octets(octets: &[u8], content: Content) -> Message {
    let message = Message::from_bytes(with_crlf(octets).into());
    match content {
        Content::Whole => message,
        _ => Message { body: Message::from_bytes(Bytes::new()).body, ..message },
    }
}

fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    for octet in octets {
        if *octet == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}

fn reply(text: &str) -> Result<Reply, Failure> {
    let parsed = text.split_once(' ').and_then(|(code, rest)| {
        let code = code.parse().ok()?;
        let status = rest.split_once(' ').and_then(|(status, rest)| Some((status.parse().ok()?, rest)));
        let (status, rest) = status.map_or((None, rest), |(status, rest)| (Some(status), rest));
        Some(Reply::foreign(code, status, rest))
    });
    parsed.ok_or_else(|| Failure::Usage(format!("`--reply {text}`: write one such as '250 2.1.5 Ok'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_those_of_mail() {
        assert_eq!(with_crlf(b"a\nb\r\n\n"), b"a\r\nb\r\n\r\n");
        assert_eq!(reply("550 5.1.1 No").ok().map(|r| r.to_string()).as_deref(), Some("550 5.1.1 No"));
        assert_eq!(reply("250 Ok then").ok().map(|r| r.to_string()).as_deref(), Some("250 Ok then"));
        assert!(reply("no").is_err() && event("in.rctp").is_err() && event("out.mail").is_ok());
    }
}
