//! The content: all of it after DATA, or chunk by chunk (RFC 3030 2); and the end, which has one reply (RFC 5321 4.2.5), or
//! under LMTP one per accepted recipient (RFC 2033 4.2).
//!
//! Several chunks may be on their way where the server takes groups. The last one goes alone, when all others have been
//! accepted: a server that has lost one must not be told that the message is whole.

use super::command;
use super::machine::Step;
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::question::{Choices, Decision, Next, Said};
use super::stage::Stage;
use super::state::{Context, State, Turn};
use super::transaction::Transaction;
use crate::mail::{Class, Reply};
use bytes::BytesMut;

/// The most chunks in flight. The first refusal is seen with at most so many of them sent in vain.
const WINDOW: usize = 8;

/// Has the driver send the content, or the next chunk of it.
pub(super) fn send(mut transaction: Box<Transaction>, context: &mut Context, input: &mut BytesMut) -> Turn {
    if !transaction.chunking {
        return (State::Content(transaction), Some(Step::SendContent));
    }
    let window = if context.offered.has("PIPELINING") { WINDOW } else { 1 };
    if transaction.chunks == 0 && !input.is_empty() {
        return State::Content(transaction).misbehaved(Trouble::Unasked);
    }
    let due = context.has_heard() || !input.is_empty();
    if due || transaction.refused || transaction.chunks >= window {
        return answer_to_chunk(transaction, context, input);
    }
    match transaction.cut {
        None => (State::Content(transaction), Some(Step::CutChunk)),
        Some((_, true)) if transaction.chunks > 0 => answer_to_chunk(transaction, context, input),
        Some((octets, last)) => {
            transaction.cut = None;
            let step = Step::SendChunk(command::bdat(octets, last));
            if last {
                return (State::ExpectFinal(transaction), Some(step));
            }
            transaction.chunks += 1;
            (State::Content(transaction), Some(step))
        }
    }
}

/// Takes the reply to the oldest chunk in flight. After a refusal those to the others are waited for, and mean nothing.
fn answer_to_chunk(mut transaction: Box<Transaction>, context: &mut Context, input: &mut BytesMut) -> Turn {
    if transaction.chunks == 0 {
        return (State::Ready { dirty: true }, Some(Step::Settled(transaction.finish())));
    }
    let said = |reply: Reply| {
        let choices = match transaction.refused {
            true => Choices::NONE,
            false => Choices::at(Stage::Chunk, &reply),
        };
        Said { reply, verb: Some("BDAT".into()), rcpt: None, choices }
    };
    let (spoken, decision) = match context.hear_about(input, said) {
        Ok(heard) => heard,
        Err(silence) => return State::Content(transaction).without_reply(silence),
    };
    let (reply, cause) = (spoken.reply(), decision.cause(Stage::Chunk));
    transaction.chunks -= 1;
    match reply.class() {
        Class::Positive => {}
        Class::Intermediate => return State::Content(transaction).misbehaved(Trouble::Misplaced(reply)),
        Class::Transient if reply.code() == 421 => {
            let cause = cause.unwrap_or(Cause::Reply { stage: Stage::Chunk, reply });
            return (State::Content(transaction).break_off(cause), None);
        }
        Class::Transient | Class::Permanent => {
            transaction.refused = true;
            transaction.settle_open(&cause.unwrap_or(Cause::Reply { stage: Stage::Chunk, reply }));
        }
    }
    (State::Content(transaction), None)
}

/// Takes the reply to the end.
pub(super) fn answers(mut transaction: Box<Transaction>, context: &mut Context, input: &mut BytesMut) -> Turn {
    let lmtp = context.hop.lmtp;
    let said = |reply: Reply| {
        let rcpt = transaction.accepted.front().copied().filter(|_| lmtp);
        let verb = if transaction.chunking { "BDAT" } else { "." };
        let choices = Choices::at(Stage::Dot, &reply);
        Said { reply, verb: Some(verb.into()), rcpt, choices }
    };
    let (spoken, decision) = match context.hear_about(input, said) {
        Ok(heard) => heard,
        Err(silence) => return State::ExpectFinal(transaction).without_reply(silence),
    };
    context.leaving |= decision == Decision::Go(Next::Quit);
    let (reply, cause) = (spoken.reply(), decision.cause(Stage::Dot));
    let outcome = match reply.class() {
        Class::Positive => RcptOutcome::Delivered(reply),
        Class::Intermediate => return State::ExpectFinal(transaction).misbehaved(Trouble::Misplaced(reply)),
        Class::Transient if reply.code() == 421 => {
            let cause = cause.unwrap_or(Cause::Reply { stage: Stage::Dot, reply });
            return (State::ExpectFinal(transaction).break_off(cause), None);
        }
        Class::Transient | Class::Permanent => {
            transaction.refused = true;
            cause.unwrap_or(Cause::Reply { stage: Stage::Dot, reply }).outcome()
        }
    };
    let concerned = if lmtp { 1 } else { usize::MAX };
    for _ in 0..concerned.min(transaction.accepted.len()) {
        if let Some(index) = transaction.accepted.pop_front() {
            transaction.settle_one(index, outcome.clone());
        }
    }
    if transaction.accepted.is_empty() {
        // After a BDAT that failed nobody knows where the server stands (RFC 3030 2).
        let dirty = transaction.chunking && transaction.refused;
        (State::Ready { dirty }, Some(Step::Settled(transaction.finish())))
    } else {
        (State::ExpectFinal(transaction), None)
    }
}
