//! After the final dot: one reply (RFC 5321 4.2.5), or under LMTP one per accepted recipient (RFC 2033 4.2).

use super::machine::Step;
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::stage::Stage;
use super::state::{Context, State, Turn};
use super::transaction::Transaction;
use crate::mail::Class;
use bytes::BytesMut;

pub(super) fn answers(mut transaction: Box<Transaction>, context: &mut Context, input: &mut BytesMut) -> Turn {
    let spoken = match context.hear(input) {
        Ok(spoken) => spoken,
        Err(silence) => return State::ExpectFinal(transaction).without_reply(silence),
    };
    let reply = spoken.reply();
    let outcome = match reply.class() {
        Class::Positive => RcptOutcome::Delivered(reply),
        Class::Intermediate => return State::ExpectFinal(transaction).misbehaved(Trouble::Misplaced(reply)),
        Class::Transient if reply.code() == 421 => {
            let cause = Cause::Reply { stage: Stage::Dot, reply };
            return (State::ExpectFinal(transaction).break_off(cause), None);
        }
        Class::Transient | Class::Permanent => Cause::Reply { stage: Stage::Dot, reply }.outcome(),
    };
    let concerned = if context.hop.lmtp { 1 } else { usize::MAX };
    for _ in 0..concerned.min(transaction.accepted.len()) {
        if let Some(index) = transaction.accepted.pop_front() {
            transaction.settle_one(index, outcome.clone());
        }
    }
    if transaction.accepted.is_empty() {
        (State::Ready { dirty: false }, Some(Step::Settled(transaction.finish())))
    } else {
        (State::ExpectFinal(transaction), None)
    }
}
