//! AUTH: challenges out, responses in (RFC 4954 4).
//!
//! Which mechanism needs what, and who the client is, the driver knows.

use super::State;
use super::desk::Desk;
use super::question::{Answer, Question, Step};
use super::waiting::{Verdict, Waiting};
use crate::smtp::exchange::{self, AuthCommand, LINE_MAX, Line};
use crate::smtp::line::{Framer, LineFaultKind};
use crate::smtp::replies;
use bytes::BytesMut;

/// Begins an exchange, if the mechanism can be used now.
pub(super) fn begin(command: AuthCommand, desk: &mut Desk) -> State {
    match desk.offered.auth.mechanism(&command.mechanism) {
        None => desk.say(replies::NO_MECHANISM),
        Some(mechanism) if mechanism.needs_tls && !desk.standing.secure => desk.say(replies::MECHANISM_NEEDS_TLS),
        Some(_) => desk.ask(Question::Auth(command), Waiting::Auth),
    }
}

/// Takes the client's answer to a challenge. Whatever is wrong with it ends the exchange.
pub(super) fn next(desk: &mut Desk, framer: &mut Framer, input: &mut BytesMut) -> State {
    let line = match framer.next(input, LINE_MAX) {
        None => {
            desk.push(Step::Read);
            return State::Exchange;
        }
        Some(line) => line,
    };
    let failure = match line.map(|line| exchange::line(&line)) {
        Ok(Line::Response(response)) => return desk.ask(Question::AuthResponse(response), Waiting::Auth),
        Ok(Line::Cancel) => replies::AUTH_CANCELLED,
        Ok(Line::Malformed) => replies::BAD_BASE64,
        Err(fault) => match fault.kind {
            LineFaultKind::TooLong => replies::AUTH_TOO_LONG,
            LineFaultKind::BareLf => replies::BARE_LF,
            LineFaultKind::Tls => return desk.close(replies::NOT_TLS),
        },
    };
    desk.say(failure)
}

/// The answer to AUTH, or to a response.
pub(super) fn answer(answer: Answer, desk: &mut Desk) -> State {
    if let Answer::Challenge(octets) = answer {
        desk.push(Step::Reply(exchange::challenge(&octets)));
        return State::Exchange;
    }
    match answer.into() {
        Verdict::Yes(reply) => {
            desk.standing.authenticated = true;
            desk.say(reply.unwrap_or(replies::AUTHENTICATED))
        }
        Verdict::No(reply) => desk.say(reply),
        Verdict::Close(reply) => desk.close(reply),
    }
}
