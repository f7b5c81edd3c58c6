//! From the connection to the first transaction: greeting and hello (RFC 5321 3.1, 3.2).

use super::command;
use super::extension::Offered;
use super::machine::{Point, Reason, Step};
use super::outcome::{Cause, Trouble};
use super::stage::Stage;
use super::state::{Context, State, Turn};
use crate::mail::{Class, Reply};
use bytes::BytesMut;

const EHLO: &str = "EHLO";
const HELO: &str = "HELO";
const LHLO: &str = "LHLO";

/// Asks whether to connect at all.
pub(super) fn connect(context: &mut Context) -> Turn {
    match context.ask(Point::Connect) {
        Some(ask) => (State::Fresh, Some(ask)),
        None => (State::ExpectGreeting, None),
    }
}

pub(super) fn greeting(context: &mut Context, input: &mut BytesMut) -> Turn {
    let spoken = match context.hear(input) {
        Ok(spoken) => spoken,
        Err(silence) => return State::ExpectGreeting.without_reply(silence),
    };
    let reply = spoken.reply();
    match reply.class() {
        Class::Positive => (State::Hello(if context.hop.lmtp { LHLO } else { EHLO }), None),
        Class::Intermediate => State::ExpectGreeting.misbehaved(Trouble::Misplaced(reply)),
        Class::Transient | Class::Permanent => refused(Stage::Greeting, reply),
    }
}

pub(super) fn hello(verb: &'static str, context: &mut Context, input: &mut BytesMut) -> Turn {
    if !input.is_empty() {
        return State::Hello(verb).misbehaved(Trouble::Unasked);
    }
    if let Some(ask) = context.ask(Point::Helo) {
        return (State::Hello(verb), Some(ask));
    }
    let mut out = BytesMut::new();
    command::hello(verb, context.hop.helo.as_str(), &mut out);
    (State::ExpectHello(verb), Some(Step::Send(out.freeze())))
}

pub(super) fn answer_to_hello(verb: &'static str, context: &mut Context, input: &mut BytesMut) -> Turn {
    let spoken = match context.hear(input) {
        Ok(spoken) => spoken,
        Err(silence) => return State::ExpectHello(verb).without_reply(silence),
    };
    let reply = spoken.reply();
    match reply.class() {
        Class::Positive => {
            context.offered = if verb == HELO { Offered::default() } else { Offered::new(&spoken.lines) };
            (State::Ready { dirty: false }, None)
        }
        Class::Permanent if verb == EHLO => (State::Hello(HELO), None),
        Class::Intermediate => State::ExpectHello(verb).misbehaved(Trouble::Misplaced(reply)),
        Class::Transient | Class::Permanent => refused(Stage::Hello, reply),
    }
}

/// The server does not want us: take leave, unless it has closed already (421).
fn refused(stage: Stage, reply: Reply) -> Turn {
    let closing = reply.code() == 421;
    let reason = Reason::Because(Cause::Reply { stage, reply });
    if closing { (State::Closed(reason, None), None) } else { (State::Leaving(reason), None) }
}
