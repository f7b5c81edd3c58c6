//! From the connection to the first transaction: greeting and hello (RFC 5321 3.1, 3.2).

use super::command;
use super::extension::Offered;
use super::insert::{self, Then};
use super::machine::{Reason, Step};
use super::outcome::{Cause, Trouble};
use super::question::{Change, Choices, Decision, Next, Point, Said};
use super::secure;
use super::stage::Stage;
use super::state::{Context, State, Turn};
use crate::mail::{Class, Reply};
use bytes::BytesMut;

const EHLO: &str = "EHLO";
const HELO: &str = "HELO";
const LHLO: &str = "LHLO";

/// How to say hello.
pub(super) fn verb(context: &Context) -> &'static str {
    if context.hop.lmtp { LHLO } else { EHLO }
}

pub(super) fn greeting(context: &mut Context, input: &mut BytesMut) -> Turn {
    let (spoken, decision) = match context.hear_about(input, |reply| said(None, Stage::Greeting, reply)) {
        Ok(heard) => heard,
        Err(silence) => return State::ExpectGreeting.without_reply(silence),
    };
    let reply = spoken.reply();
    match reply.class() {
        Class::Intermediate => State::ExpectGreeting.misbehaved(Trouble::Misplaced(reply)),
        _ if decision != Decision::Proceed && decision != Decision::Go(Next::Continue) => {
            unwanted(Stage::Greeting, reply, decision)
        }
        Class::Positive => (State::Hello(verb(context), None), None),
        Class::Transient | Class::Permanent => refused(Stage::Greeting, reply),
    }
}

pub(super) fn hello(verb: &'static str, granted: Option<Change>, context: &mut Context, input: &mut BytesMut) -> Turn {
    if !input.is_empty() {
        return State::Hello(verb, granted).misbehaved(Trouble::Unasked);
    }
    let mut change = match granted {
        Some(change) => change,
        None => match context.ask(Point::Helo(verb)) {
            Err(ask) => return (State::Hello(verb, None), Some(ask)),
            Ok(Decision::Change(change)) => change,
            Ok(Decision::Refuse(reply)) => {
                let cause = Cause::Ours { stage: Stage::Hello, reply };
                return (State::Leaving(Reason::Because(cause)), None);
            }
            Ok(Decision::Proceed | Decision::Go(_)) => Change::default(),
        },
    };
    if !change.insert.is_empty() {
        let lines = std::mem::take(&mut change.insert).into();
        return insert::send(lines, Then::Hello(verb, change));
    }
    let mut out = BytesMut::new();
    match &change.replace {
        Some(other) => command::other(other, &mut out),
        None => command::hello(verb, context.hop.helo.as_str(), &mut out),
    }
    (State::ExpectHello(verb), Some(Step::Send(out.freeze())))
}

pub(super) fn answer_to_hello(verb: &'static str, context: &mut Context, input: &mut BytesMut) -> Turn {
    let (spoken, decision) = match context.hear_about(input, |reply| said(Some(verb), Stage::Hello, reply)) {
        Ok(heard) => heard,
        Err(silence) => return State::ExpectHello(verb).without_reply(silence),
    };
    let reply = spoken.reply();
    match reply.class() {
        Class::Intermediate => State::ExpectHello(verb).misbehaved(Trouble::Misplaced(reply)),
        _ if decision != Decision::Proceed && decision != Decision::Go(Next::Continue) => {
            unwanted(Stage::Hello, reply, decision)
        }
        Class::Positive => {
            context.offered = if verb == HELO { Offered::default() } else { Offered::new(&spoken.lines) };
            secure::after_hello(context)
        }
        Class::Permanent if verb == EHLO => (State::Hello(HELO, None), None),
        Class::Transient | Class::Permanent => refused(Stage::Hello, reply),
    }
}

pub(super) fn said(verb: Option<&'static str>, stage: Stage, reply: Reply) -> Said {
    let choices = Choices::at(stage, &reply);
    Said { reply, verb: verb.map(Into::into), rcpt: None, choices }
}

/// We do not want the server: take leave, unless it has closed already.
pub(super) fn unwanted(stage: Stage, reply: Reply, decision: Decision) -> Turn {
    let closing = reply.code() == 421;
    let cause = match decision {
        Decision::Refuse(reply) => Cause::Ours { stage, reply },
        _ => Cause::Trouble { stage, trouble: Trouble::Left(reply) },
    };
    let reason = Reason::Because(cause);
    if closing { (State::Closed(reason, None), None) } else { (State::Leaving(reason), None) }
}

/// The server does not want us: take leave, unless it has closed already (421).
fn refused(stage: Stage, reply: Reply) -> Turn {
    let closing = reply.code() == 421;
    let reason = Reason::Because(Cause::Reply { stage, reply });
    if closing { (State::Closed(reason, None), None) } else { (State::Leaving(reason), None) }
}
