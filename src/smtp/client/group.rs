//! MAIL, RCPT and DATA, or BDAT in its place: in groups where the server takes them (RFC 2920), else one by one (RFC 5321 3.3).
//!
//! BDAT waits until it is known that somebody gets its octets: that costs no more than waiting for 354.
//!
//! Replies are matched to commands strictly in order. QUIT is never part of a group.

use super::command;
use super::machine::{Point, Step};
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::stage::Stage;
use super::state::{Context, State, Turn};
use super::transaction::{Part, Transaction};
use crate::mail::{Class, Reply};
use bytes::{Bytes, BytesMut};

/// The most commands in flight. Their replies fit into the sockets' buffers, so that it never comes to both sides
/// writing while nobody reads (RFC 2920 3.1).
const GROUP_MAX: usize = 100;

/// Asks about the parts of the next group one after the other, then sends them in one write.
pub(super) fn compose(mut transaction: Box<Transaction>, context: &mut Context) -> Turn {
    let size = if context.offered.has("PIPELINING") { GROUP_MAX } else { 1 };
    while let Some(part) = transaction.next
        && transaction.in_flight.len() < size
    {
        let waits = transaction.chunking && !transaction.in_flight.is_empty();
        if part == Part::Message && (transaction.probe || waits) {
            break;
        }
        if let Some(ask) = context.ask(point(part)) {
            return (State::Compose(transaction), Some(ask));
        }
        write(&mut transaction, part, context);
        transaction.advance();
    }
    if transaction.in_flight.is_empty() {
        return (State::Content(transaction), None);
    }
    let out = transaction.out.split().freeze();
    (State::ExpectGroup(transaction), Some(Step::Send(out)))
}

fn point(part: Part) -> Point {
    match part {
        Part::Mail => Point::Mail,
        Part::Rcpt(index) => Point::Rcpt(index),
        Part::Message => Point::Message,
        Part::Data => Point::Data,
    }
}

fn write(transaction: &mut Transaction, part: Part, context: &Context) {
    let Transaction { letter, unicode, out, in_flight, .. } = transaction;
    match part {
        Part::Mail => command::mail(letter, &context.offered, *unicode, out),
        Part::Rcpt(index) => {
            if let Some(to) = letter.recipients.get(index) {
                command::rcpt(to, &context.offered, *unicode, out);
            }
        }
        Part::Message => return,
        Part::Data if transaction.chunking => return,
        Part::Data => out.extend_from_slice(command::DATA),
    }
    in_flight.push_back(part);
}

/// Takes the reply to the oldest command in flight.
pub(super) fn answers(mut transaction: Box<Transaction>, context: &mut Context, input: &mut BytesMut) -> Turn {
    let Some(part) = transaction.in_flight.front().copied() else {
        return after_group(transaction, input);
    };
    let spoken = match context.hear(input) {
        Ok(spoken) => spoken,
        Err(silence) => return State::ExpectGroup(transaction).without_reply(silence),
    };
    let (reply, stage) = (spoken.reply(), transaction.stage());
    if reply.code() == 421 {
        return (State::ExpectGroup(transaction).break_off(Cause::Reply { stage, reply }), None);
    }
    if part == Part::Data {
        return answer_to_data(transaction, reply, context, input);
    }
    match reply.class() {
        Class::Intermediate => return State::ExpectGroup(transaction).misbehaved(Trouble::Misplaced(reply)),
        Class::Positive => accepted(&mut transaction, part, reply),
        Class::Transient | Class::Permanent => refused(&mut transaction, part, Cause::Reply { stage, reply }),
    }
    transaction.in_flight.pop_front();
    (State::ExpectGroup(transaction), None)
}

fn accepted(transaction: &mut Transaction, part: Part, reply: Reply) {
    match part {
        Part::Mail => transaction.mail_accepted = true,
        Part::Rcpt(index) if transaction.probe => transaction.settle_one(index, RcptOutcome::Delivered(reply)),
        Part::Rcpt(index) => transaction.accepted.push_back(index),
        Part::Message | Part::Data => {}
    }
}

fn refused(transaction: &mut Transaction, part: Part, cause: Cause) {
    match part {
        // The replies to the recipients that follow in the group say nothing about them: they are settled here.
        Part::Mail => transaction.settle_open(&cause),
        Part::Rcpt(index) => transaction.settle_one(index, cause.outcome()),
        Part::Message | Part::Data => {}
    }
}

/// All is answered and DATA has not been sent.
fn after_group(transaction: Box<Transaction>, input: &BytesMut) -> Turn {
    if !input.is_empty() {
        return State::ExpectGroup(transaction).misbehaved(Trouble::Unasked);
    }
    // Of a probe nobody is ever left for the content.
    let nobody_left = transaction.next == Some(Part::Message) && transaction.accepted.is_empty();
    if transaction.mail_accepted && !nobody_left && transaction.next.is_some() {
        return (State::Compose(transaction), None);
    }
    over(transaction)
}

fn answer_to_data(transaction: Box<Transaction>, reply: Reply, context: &Context, input: &BytesMut) -> Turn {
    match reply.class() {
        Class::Transient | Class::Permanent => {
            let mut transaction = transaction;
            transaction.settle_open(&Cause::Reply { stage: Stage::Data, reply });
            over(transaction)
        }
        Class::Intermediate if reply.code() == 354 && transaction.mail_accepted => {
            go_ahead(transaction, reply, context, input)
        }
        Class::Intermediate | Class::Positive => State::ExpectGroup(transaction).misbehaved(Trouble::Misplaced(reply)),
    }
}

/// The server waits for the content.
fn go_ahead(transaction: Box<Transaction>, reply: Reply, context: &Context, input: &BytesMut) -> Turn {
    if !input.is_empty() {
        return State::ExpectGroup(transaction).misbehaved(Trouble::Unasked);
    }
    if !transaction.accepted.is_empty() {
        return (State::Content(transaction), None);
    }
    // Nobody was accepted: RFC 2920 3.1 has the client send a lone dot. Under LMTP no reply would follow it
    // (RFC 2033 4.2), so that a server which gets here is not to be trusted.
    if context.hop.lmtp {
        return State::ExpectGroup(transaction).misbehaved(Trouble::Misplaced(reply));
    }
    (State::ExpectFinal(transaction), Some(Step::Send(Bytes::from_static(command::DOT))))
}

/// Over before any content went. An open transaction on the server's side is reset before the next.
fn over(transaction: Box<Transaction>) -> Turn {
    (State::Ready { dirty: transaction.mail_accepted }, Some(Step::Settled(transaction.finish())))
}
