//! Commands that were put in between ours: each goes by itself, and its reply is asked about before anything else is said.
//!
//! A refusal of such a command changes nothing by itself; whoever put it in decides what it means. What it was put before is what
//! a refusal by us is about: the connection, the transaction, or one recipient.

use super::line::CommandLine;
use super::machine::{Reason, Step};
use super::outcome::{Cause, Trouble};
use super::question::{Change, Choices, Decision, Next, Said};
use super::stage::Stage;
use super::state::{Context, State, Turn};
use super::transaction::{Part, Transaction};
use super::{closing, command, group, opening};
use crate::mail::{Class, Reply};
use bytes::BytesMut;
use std::collections::VecDeque;

/// How often one command may be sent again.
const REPEATS_MAX: u8 = 3;

/// A command that was put in and sent, those behind it, and what comes then.
#[derive(Debug)]
pub(super) struct Inserted {
    line: CommandLine,
    rest: VecDeque<CommandLine>,
    repeats: u8,
    /// What follows the command was sent.
    followed: bool,
    pub(super) then: Then,
}

/// What commands were put before.
#[derive(Debug)]
pub(super) enum Then {
    /// The hello with this verb.
    Hello(&'static str, Change),
    /// What is next in the transaction, with what was granted to it.
    Compose(Box<Transaction>),
}

impl Then {
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Hello(..) => Stage::Hello,
            Self::Compose(transaction) => transaction.stage(),
        }
    }

    fn state(self) -> State {
        match self {
            Self::Hello(verb, change) => State::Hello(verb, Some(change)),
            Self::Compose(transaction) => State::Compose(transaction),
        }
    }

    /// Whether the server has accepted MAIL.
    fn is_open(&self) -> bool {
        matches!(self, Self::Compose(transaction) if transaction.mail_accepted)
    }

    fn rcpt(&self) -> Option<usize> {
        match self {
            Self::Compose(transaction) => transaction.next.and_then(Part::rcpt),
            Self::Hello(..) => None,
        }
    }
}

/// Sends the first of these; without any, goes on.
pub(super) fn send(mut lines: VecDeque<CommandLine>, then: Then) -> Turn {
    match lines.pop_front() {
        None => (then.state(), None),
        Some(line) => again(Inserted { line, rest: lines, repeats: 0, followed: false, then }),
    }
}

fn again(inserted: Inserted) -> Turn {
    let mut out = BytesMut::new();
    command::other(&inserted.line, &mut out);
    (State::ExpectInserted(Box::new(inserted)), Some(Step::Send(out.freeze())))
}

/// Takes the reply to it.
pub(super) fn answer(inserted: Box<Inserted>, context: &mut Context, input: &mut BytesMut) -> Turn {
    let (stage, hello) = (inserted.then.stage(), context.may_hello());
    let said = |reply: Reply| {
        let again = inserted.repeats < REPEATS_MAX;
        let choices = Choices::at_inserted(stage, &reply, again, inserted.then.is_open(), hello);
        Said { reply, verb: Some(inserted.line.verb().into()), rcpt: inserted.then.rcpt(), choices }
    };
    let (spoken, decision) = match context.hear_about(input, said) {
        Ok(heard) => heard,
        Err(silence) => return State::ExpectInserted(inserted).without_reply(silence),
    };
    let reply = spoken.reply();
    if reply.code() == 421 {
        let cause = decision.cause(stage).unwrap_or(Cause::Reply { stage, reply });
        return (State::ExpectInserted(inserted).break_off(cause), None);
    }
    if let (354, Some(octets), false) = (reply.code(), inserted.line.behind(), inserted.followed) {
        // It waits for them now, and takes nothing else, whatever anybody has decided.
        let step = Step::Send(octets.clone());
        return (State::ExpectInserted(Box::new(Inserted { followed: true, ..*inserted })), Some(step));
    }
    if reply.class() == Class::Intermediate {
        return State::ExpectInserted(inserted).misbehaved(Trouble::Misplaced(reply));
    }
    if !input.is_empty() {
        return State::ExpectInserted(inserted).misbehaved(Trouble::Unasked);
    }
    let Inserted { rest, then, .. } = match decision {
        Decision::Go(Next::Repeat) => {
            return again(Inserted { repeats: inserted.repeats + 1, followed: false, ..*inserted });
        }
        _ => *inserted,
    };
    match decision {
        Decision::Refuse(reply) => refuse(then, Cause::Ours { stage, reply }),
        Decision::Go(next @ (Next::Reset | Next::Quit)) => {
            leave(then, next, Cause::Trouble { stage, trouble: Trouble::Left(reply) }, context)
        }
        Decision::Go(Next::Hello) => hello_again(rest, then, context),
        _ => send(rest, then),
    }
}

/// Refuses what the command was put before.
fn refuse(then: Then, cause: Cause) -> Turn {
    match then {
        Then::Hello(..) => (State::Leaving(Reason::Because(cause)), None),
        Then::Compose(transaction) => group::refuse_next(transaction, cause),
    }
}

fn leave(then: Then, next: Next, cause: Cause, context: &mut Context) -> Turn {
    match then {
        Then::Hello(..) => (State::Leaving(Reason::Because(cause)), None),
        Then::Compose(mut transaction) => {
            transaction.settle_open(&cause);
            context.leaving |= next == Next::Quit;
            closing::over(transaction)
        }
    }
}

/// Says hello again before the letter, whose MAIL is not asked about once more.
fn hello_again(rest: VecDeque<CommandLine>, then: Then, context: &mut Context) -> Turn {
    context.hellos += 1;
    let verb = opening::verb(context);
    if let Then::Compose(transaction) = then {
        let mut errand = transaction.into_errand();
        if let Some(granted) = &mut errand.granted {
            granted.insert = rest.into();
        }
        context.errands.push_front(errand);
    }
    (State::Hello(verb, None), None)
}
