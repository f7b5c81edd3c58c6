//! AUTH as a client (RFC 4954): for smart hosts that want to know who sends.
//!
//! The mechanism is an [`Authenticator`], which knows the credentials and chooses from what is offered. A server that refuses them
//! gets no mail and costs none: what is to go there waits until the operator has mended it, and the cause says so.
//!
//! A mechanism that knows the server by its last word (SCRAM) is asked after the 235: if it is not content, nothing is sent.

use super::machine::{Reason, Step};
use super::opening;
use super::outcome::{Cause, Trouble};
use super::question::Decision;
use super::stage::Stage;
use super::state::{Context, State, Turn};
use crate::mail::{Class, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use std::fmt;

/// The longest AUTH line that has an initial response; with a longer one the server is asked first (RFC 4954 4).
const LINE_MAX: usize = 512;
/// More challenges than any mechanism has.
const CHALLENGES_MAX: usize = 16;
const CANCEL: &[u8] = b"*\r\n";

/// How a mechanism begins.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its name, as the server has offered it.
    pub mechanism: String,
    /// What goes with the command, if the mechanism begins with the client. It may be empty.
    pub initial: Option<Vec<u8>>,
}

/// Credentials, and the mechanisms that they can be used with. Errors are the operator's texts; no secret stands in them.
pub trait Authenticator: fmt::Debug + Send {
    /// Chooses one of the mechanisms that the server offers, in upper case. `secure`: the connection is under TLS; without, none
    /// that shows the password may be chosen.
    fn choose(&mut self, offered: &[String], secure: bool) -> Result<Opening, String>;

    /// The answer to a challenge.
    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, String>;

    /// The server is content. An error: the mechanism is not, for the server has not proven who it is.
    fn finish(&mut self) -> Result<(), String>;
}

/// TLS is there, or will not come: credentials are next, if we have any.
pub(super) fn after_secure(context: &mut Context) -> Turn {
    let offered = mechanisms(context);
    let Some(authenticator) = context.authenticator.as_mut().filter(|_| !context.authenticated) else {
        return (State::Ready { dirty: false }, None);
    };
    let Opening { mechanism, initial } = match authenticator.choose(&offered, context.secure) {
        Ok(opening) => opening,
        Err(why) => return give_up(why),
    };
    let mechanism: String = mechanism.chars().filter(|c| c.is_ascii_graphic()).collect();
    let (line, initial) = command(&mechanism, initial);
    (State::ExpectAuth(Exchange { initial, challenges: 0, failed: None }), Some(Step::Send(line)))
}

/// Where an exchange is.
#[derive(Debug)]
pub(super) struct Exchange {
    /// What the first, empty challenge asks for, since it did not fit into the command.
    initial: Option<Vec<u8>>,
    challenges: usize,
    /// It has been cancelled by us, for this reason.
    failed: Option<String>,
}

/// The command, and the initial response if it is too long to go along.
fn command(mechanism: &str, initial: Option<Vec<u8>>) -> (Bytes, Option<Vec<u8>>) {
    let Some(initial) = initial else { return (format!("AUTH {mechanism}\r\n").into(), None) };
    let text = if initial.is_empty() { "=".to_owned() } else { STANDARD.encode(&initial) };
    let line = format!("AUTH {mechanism} {text}\r\n");
    if line.len() > LINE_MAX { (format!("AUTH {mechanism}\r\n").into(), Some(initial)) } else { (line.into(), None) }
}

/// What the server offers, also in the spelling of old ones, `AUTH=LOGIN`.
fn mechanisms(context: &Context) -> Vec<String> {
    let mut found = Vec::new();
    for line in context.offered.lines() {
        let (keyword, rest) = line.split_at_checked(4).unwrap_or((line, ""));
        if keyword.eq_ignore_ascii_case("AUTH") && (rest.is_empty() || rest.starts_with([' ', '='])) {
            for name in rest.split([' ', '=']).filter(|name| !name.is_empty()).map(str::to_ascii_uppercase) {
                if !found.contains(&name) {
                    found.push(name);
                }
            }
        }
    }
    found
}

pub(super) fn answer(mut exchange: Exchange, context: &mut Context, input: &mut BytesMut) -> Turn {
    let said = |reply| opening::said(Some("AUTH"), Stage::Auth, reply);
    let (spoken, decision) = match context.hear_about(input, said) {
        Ok(heard) => heard,
        Err(silence) => return State::ExpectAuth(exchange).without_reply(silence),
    };
    let reply = spoken.reply();
    if !input.is_empty() {
        return State::ExpectAuth(exchange).misbehaved(Trouble::Unasked);
    }
    match reply.class() {
        Class::Intermediate if reply.code() == 334 && exchange.failed.is_none() => {
            let challenge = spoken.lines.first().map_or("", String::as_str);
            match respond(&mut exchange, challenge, context) {
                Ok(line) => (State::ExpectAuth(exchange), Some(Step::Send(line))),
                Err(why) => {
                    exchange.failed = Some(why);
                    (State::ExpectAuth(exchange), Some(Step::Send(Bytes::from_static(CANCEL))))
                }
            }
        }
        Class::Positive if exchange.failed.is_none() => match context.authenticator.as_mut().map(|a| a.finish()) {
            Some(Err(why)) => give_up(why),
            Some(Ok(())) | None => {
                context.authenticated = true;
                (State::Ready { dirty: false }, None)
            }
        },
        Class::Positive | Class::Intermediate => State::ExpectAuth(exchange).misbehaved(Trouble::Misplaced(reply)),
        Class::Transient | Class::Permanent if matches!(decision, Decision::Refuse(_)) => {
            opening::unwanted(Stage::Auth, reply, decision)
        }
        Class::Transient | Class::Permanent => refused(exchange, reply),
    }
}

fn respond(exchange: &mut Exchange, challenge: &str, context: &mut Context) -> Result<Bytes, String> {
    exchange.challenges += 1;
    if exchange.challenges > CHALLENGES_MAX {
        return Err("the server asks without end".to_owned());
    }
    let challenge = STANDARD.decode(challenge.trim()).map_err(|_| "a challenge is not base64".to_owned())?;
    let response = match (exchange.initial.take(), context.authenticator.as_mut()) {
        (Some(initial), _) if challenge.is_empty() => initial,
        (None, Some(authenticator)) => authenticator.respond(&challenge)?,
        _ => return Err("the server asks before the mechanism has begun".to_owned()),
    };
    Ok(format!("{}\r\n", STANDARD.encode(response)).into())
}

fn refused(exchange: Exchange, reply: Reply) -> Turn {
    let closing = reply.code() == 421;
    let cause = match exchange.failed {
        Some(why) => Cause::Trouble { stage: Stage::Auth, trouble: Trouble::Auth(why) },
        None => Cause::Reply { stage: Stage::Auth, reply },
    };
    let reason = Reason::Because(cause);
    if closing { (State::Closed(reason, None), None) } else { (State::Leaving(reason), None) }
}

fn give_up(why: String) -> Turn {
    let cause = Cause::Trouble { stage: Stage::Auth, trouble: Trouble::Auth(why) };
    (State::Leaving(Reason::Because(cause)), None)
}

/// Without the credentials.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}
