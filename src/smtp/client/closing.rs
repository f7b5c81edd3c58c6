//! Between transactions and at the end: the next letter, RSET, QUIT.

use super::command;
use super::letter::Errand;
use super::machine::{Reason, Step};
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::question::Point;
use super::stage::Stage;
use super::state::{Context, Silence, State, Turn};
use super::transaction::Transaction;
use bytes::{Bytes, BytesMut};

pub(super) fn ready(dirty: bool, context: &mut Context, input: &mut BytesMut) -> Turn {
    if !input.is_empty() || context.has_heard() {
        return unasked(dirty, context, input);
    }
    if context.leaving {
        return (State::Leaving(Reason::Quit), None);
    }
    if let Some(errand) = context.errands.pop_front() {
        let transaction = Box::new(Transaction::new(errand, &context.offered, context.hop.lmtp));
        return if transaction.is_settled() {
            (State::Ready { dirty }, Some(Step::Settled(transaction.finish())))
        } else if dirty {
            (State::ExpectReset(transaction), Some(Step::Send(Bytes::from_static(command::RSET))))
        } else {
            (State::Compose(transaction), None)
        };
    }
    if context.quitting {
        return (State::Leaving(Reason::Quit), None);
    }
    (State::Ready { dirty }, Some(Step::Ready))
}

/// Octets that answer nothing. Only a farewell is in order here (RFC 5321 3.8).
fn unasked(dirty: bool, context: &mut Context, input: &mut BytesMut) -> Turn {
    let state = State::Ready { dirty };
    match context.hear(input) {
        Ok(spoken) if spoken.code == 421 => {
            let cause = Cause::Reply { stage: Stage::Idle, reply: spoken.reply() };
            (state.break_off(cause), None)
        }
        Err(Silence::Step(ask @ Step::Ask(_))) => (state, Some(ask)),
        Err(Silence::Garbage(error)) => state.misbehaved(Trouble::Garbage(error)),
        Ok(_) | Err(Silence::Step(_)) => state.misbehaved(Trouble::Unasked),
    }
}

pub(super) fn answer_to_reset(transaction: Box<Transaction>, context: &mut Context, input: &mut BytesMut) -> Turn {
    let spoken = match context.hear_to("RSET", input) {
        Ok(spoken) => spoken,
        Err(silence) => return State::ExpectReset(transaction).without_reply(silence),
    };
    let reply = spoken.reply();
    if reply.is_positive() && input.is_empty() {
        return (State::Compose(transaction), None);
    }
    let state = State::ExpectReset(transaction);
    match reply.code() {
        421 => (state.break_off(Cause::Reply { stage: Stage::Reset, reply }), None),
        _ if reply.is_positive() => state.misbehaved(Trouble::Unasked),
        // RSET can't be refused (RFC 5321 4.1.1.5); a refusal says nothing about the letter.
        _ => state.misbehaved(Trouble::Misplaced(reply)),
    }
}

pub(super) fn leave(reason: Reason, context: &mut Context) -> Turn {
    match context.ask(Point::Quit) {
        Err(ask) => (State::Leaving(reason), Some(ask)),
        Ok(_) => (State::ExpectBye(reason), Some(Step::Send(Bytes::from_static(command::QUIT)))),
    }
}

/// A transaction is over before any content went. If the server has it open, it is reset before the next.
pub(super) fn over(transaction: Box<Transaction>) -> Turn {
    (State::Ready { dirty: transaction.mail_accepted }, Some(Step::Settled(transaction.finish())))
}

/// Whatever the server says to QUIT, we go.
pub(super) fn bye(reason: Reason, context: &mut Context, input: &mut BytesMut) -> Turn {
    match context.hear_to("QUIT", input) {
        Ok(_) => (State::Closed(reason, None), None),
        Err(silence) => State::ExpectBye(reason).without_reply(silence),
    }
}

/// Tells what is still to be told, then that it is over.
pub(super) fn closed(reason: Reason, open: Option<Vec<RcptOutcome>>, context: &mut Context) -> Turn {
    let cause = match &reason {
        Reason::Because(cause) => cause.clone(),
        Reason::Quit => Cause::Trouble { stage: Stage::Idle, trouble: Trouble::Closed },
    };
    let outcomes = open.or_else(|| {
        let Errand { letter, .. } = context.errands.pop_front()?;
        Some(letter.recipients.iter().map(|_| cause.clone().outcome()).collect())
    });
    let step = outcomes.map_or_else(|| Step::Closed(reason.clone()), Step::Settled);
    (State::Closed(reason, None), Some(step))
}
