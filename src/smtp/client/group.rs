//! MAIL, RCPT and DATA, or BDAT in its place: in groups where the server takes them (RFC 2920), else one by one (RFC 5321 3.3).
//!
//! BDAT waits until it is known that somebody gets its octets: that costs no more than waiting for 354. DATA waits too if replies
//! may be decided about, so that the transaction can still be left. A command that was put in waits for the group before it.
//!
//! Replies are matched to commands strictly in order. QUIT is never part of a group.

use super::closing::over;
use super::command;
use super::insert::{self, Then};
use super::machine::Step;
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::question::{Change, Choices, Decision, Next, Point, Said};
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
        let waits = (transaction.chunking || context.mindful) && !transaction.in_flight.is_empty();
        if part == Part::Data && (transaction.probe || transaction.is_settled() || waits) {
            break;
        }
        let mut change = match transaction.granted.take() {
            Some(change) => change,
            None => match context.ask(point(part)) {
                Err(ask) => return (State::Compose(transaction), Some(ask)),
                Ok(Decision::Change(change)) => change,
                Ok(Decision::Refuse(reply)) => {
                    refuse(&mut transaction, part, &Cause::Ours { stage: stage(part), reply });
                    continue;
                }
                Ok(Decision::Proceed | Decision::Go(_)) => Change::default(),
            },
        };
        if !change.insert.is_empty() {
            if transaction.in_flight.is_empty() {
                let lines = std::mem::take(&mut change.insert).into();
                transaction.granted = Some(change);
                return insert::send(lines, Then::Compose(transaction));
            }
            transaction.granted = Some(change);
            break;
        }
        write(&mut transaction, part, &change, context);
        transaction.advance();
    }
    dispatch(transaction)
}

/// Sends the group, unless nothing is left to say: then it is the content's turn, or all is over.
fn dispatch(mut transaction: Box<Transaction>) -> Turn {
    let unsaid = !transaction.mail_accepted && transaction.in_flight.front() == Some(&Part::Mail);
    if transaction.is_settled() && (unsaid || transaction.in_flight.is_empty()) {
        return over(transaction);
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
        Part::Data => Point::Data,
    }
}

fn stage(part: Part) -> Stage {
    match part {
        Part::Mail => Stage::Mail,
        Part::Rcpt(_) => Stage::Rcpt,
        Part::Data => Stage::Data,
    }
}

/// We do not say this part: whom it is about is settled.
fn refuse(transaction: &mut Transaction, part: Part, cause: &Cause) {
    match part {
        Part::Rcpt(index) => {
            transaction.settle_one(index, cause.clone().outcome());
            transaction.advance();
        }
        Part::Mail | Part::Data => {
            transaction.settle_open(cause);
            transaction.next = None;
        }
    }
}

/// The same for the part that is next, when nothing is in flight.
pub(super) fn refuse_next(mut transaction: Box<Transaction>, cause: Cause) -> Turn {
    transaction.granted = None;
    if let Some(part) = transaction.next {
        refuse(&mut transaction, part, &cause);
    }
    (State::Compose(transaction), None)
}

fn write(transaction: &mut Transaction, part: Part, change: &Change, context: &Context) {
    let Transaction { letter, unicode, out, in_flight, .. } = transaction;
    let (more, offered) = (change.parameters.as_slice(), &context.offered);
    match (part, &change.replace) {
        (Part::Mail | Part::Rcpt(_), Some(other)) => command::other(other, out),
        (Part::Mail, None) => command::mail(letter, more, offered, *unicode, out),
        (Part::Rcpt(index), None) => {
            if let Some(to) = letter.recipients.get(index) {
                command::rcpt(to, more, offered, *unicode, out);
            }
        }
        (Part::Data, _) if transaction.chunking => return,
        (Part::Data, _) => out.extend_from_slice(command::DATA),
    }
    in_flight.push_back(part);
}

/// Takes the reply to the oldest command in flight.
pub(super) fn answers(mut transaction: Box<Transaction>, context: &mut Context, input: &mut BytesMut) -> Turn {
    let Some(part) = transaction.in_flight.front().copied() else {
        return after_group(transaction, input);
    };
    let stage = stage(part);
    let said = |reply: Reply| said(&transaction, part, reply);
    let (spoken, decision) = match context.hear_about(input, said) {
        Ok(heard) => heard,
        Err(silence) => return State::ExpectGroup(transaction).without_reply(silence),
    };
    let reply = spoken.reply();
    let cause = decision.cause(stage);
    if reply.code() == 421 {
        let cause = cause.unwrap_or(Cause::Reply { stage, reply });
        return (State::ExpectGroup(transaction).break_off(cause), None);
    }
    if let Decision::Go(next @ (Next::Reset | Next::Quit)) = decision {
        // What is still in flight is waited for, and means nothing.
        context.leaving |= next == Next::Quit;
        transaction.mail_accepted |= part == Part::Mail && reply.is_positive();
        refuse(&mut transaction, Part::Data, &Cause::Trouble { stage, trouble: Trouble::Left(reply) });
        transaction.in_flight.pop_front();
        return (State::ExpectGroup(transaction), None);
    }
    if part == Part::Data {
        return answer_to_data(transaction, reply, cause, context, input);
    }
    match (reply.class(), cause) {
        (Class::Intermediate, _) => return State::ExpectGroup(transaction).misbehaved(Trouble::Misplaced(reply)),
        (Class::Positive, None) => accepted(&mut transaction, part, reply),
        (Class::Positive, Some(cause)) => {
            transaction.mail_accepted = true;
            refuse(&mut transaction, Part::Data, &cause);
        }
        (Class::Transient | Class::Permanent, cause) => {
            refused(&mut transaction, part, cause.unwrap_or(Cause::Reply { stage, reply }));
        }
    }
    transaction.in_flight.pop_front();
    (State::ExpectGroup(transaction), None)
}

/// What is to be decided about the reply to a part. Once all is settled, nothing.
fn said(transaction: &Transaction, part: Part, reply: Reply) -> Said {
    let choices = match transaction.is_settled() {
        true => Choices::NONE,
        false => Choices::at(stage(part), &reply),
    };
    Said { reply, verb: Some(part.verb(transaction.chunking).into()), rcpt: part.rcpt(), choices }
}

fn accepted(transaction: &mut Transaction, part: Part, reply: Reply) {
    match part {
        Part::Mail => transaction.mail_accepted = true,
        Part::Rcpt(index) if transaction.probe => transaction.settle_one(index, RcptOutcome::Delivered(reply)),
        Part::Rcpt(index) => transaction.accepted.push_back(index),
        Part::Data => {}
    }
}

fn refused(transaction: &mut Transaction, part: Part, cause: Cause) {
    match part {
        // The replies to the recipients that follow in the group say nothing about them: they are settled here.
        Part::Mail => transaction.settle_open(&cause),
        Part::Rcpt(index) => transaction.settle_one(index, cause.outcome()),
        Part::Data => {}
    }
}

/// All is answered and DATA has not been sent.
fn after_group(transaction: Box<Transaction>, input: &BytesMut) -> Turn {
    if !input.is_empty() {
        return State::ExpectGroup(transaction).misbehaved(Trouble::Unasked);
    }
    // Of a probe nobody is ever left for the content.
    let nobody_left = transaction.next == Some(Part::Data) && transaction.accepted.is_empty();
    if transaction.mail_accepted && !nobody_left && transaction.next.is_some() {
        return (State::Compose(transaction), None);
    }
    over(transaction)
}

fn answer_to_data(
    mut transaction: Box<Transaction>,
    reply: Reply,
    cause: Option<Cause>,
    context: &Context,
    input: &BytesMut,
) -> Turn {
    match reply.class() {
        Class::Transient | Class::Permanent => {
            transaction.settle_open(&cause.unwrap_or(Cause::Reply { stage: Stage::Data, reply }));
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
