//! STARTTLS, and what comes after any handshake (RFC 3207, RFC 8314 3.3).
//!
//! What the client sent behind the command was not encrypted, whoever wrote it: it is never executed. After the handshake the
//! session stands as after connecting, and nothing that was said before counts but its errors.

use super::State;
use super::desk::{Desk, Stage};
use super::question::{Answer, Step};
use super::waiting::Verdict;
use crate::mail::Reply;
use crate::smtp::replies;
use bytes::BytesMut;

/// The answer to STARTTLS.
pub(super) fn answer(answer: Answer, desk: &mut Desk) -> State {
    match answer.into() {
        Verdict::Yes(_) => State::HandOver(HandOver { reply: replies::START_TLS, step: Step::StartTls }),
        Verdict::No(reply) => desk.say(reply),
        Verdict::Close(reply) => desk.close(reply),
    }
}

/// About to give the connection out of hand: for the handshake, or to the client that takes it over.
#[derive(Debug)]
pub(super) struct HandOver {
    pub(super) reply: Reply,
    pub(super) step: Step,
}

impl HandOver {
    /// Only where nothing has come behind the command.
    pub(super) fn next(self, desk: &mut Desk, input: &BytesMut) -> State {
        if !input.is_empty() {
            return desk.close(replies::NOT_THE_LAST);
        }
        let next = if self.step == Step::StartTls { State::Handshake } else { State::Closed };
        desk.push(Step::Reply(self.reply));
        desk.push(self.step);
        next
    }
}

/// The handshake is done: as after connecting.
pub(super) fn secured(desk: &mut Desk) {
    desk.standing.secure = true;
    desk.standing.authenticated = false;
    desk.stage = Stage::Connected;
    desk.offered = desk.profile.clone();
}

/// The answer to the handshake. `greeting`: the client has not been greeted yet. After STARTTLS it has, and hears of a refusal with
/// its next command.
pub(super) fn judged(answer: Answer, greeting: Option<Reply>, desk: &mut Desk) -> State {
    match (answer.into(), greeting) {
        (Verdict::Yes(_), Some(greeting)) => desk.say(greeting),
        (Verdict::Yes(_), None) => State::Command,
        (Verdict::No(reply), greeting) => {
            desk.stage = Stage::Refused;
            if greeting.is_some() {
                desk.push(Step::Reply(reply));
            } else {
                desk.refusal = Some(reply);
            }
            State::Command
        }
        (Verdict::Close(reply), _) => desk.close(reply),
    }
}
