//! The answers to connect and to HELO, EHLO and LHLO (RFC 5321 3.1, 3.2 and 4.1.1.1).

use super::State;
use super::desk::{Desk, Stage};
use super::question::{Answer, Question, Step};
use super::standing::Standing;
use super::waiting::{Verdict, Waiting};
use crate::smtp::verb::Verb;

/// Greets, or leaves the client nothing but QUIT.
pub(super) fn connect(answer: Answer, desk: &mut Desk) -> State {
    match answer.into() {
        Verdict::Yes(reply) => {
            let reply = reply.unwrap_or_else(|| desk.profile.greeting());
            if desk.standing.secure {
                return desk.ask(Question::Tls, Waiting::Tls(Some(reply)));
            }
            desk.say(reply)
        }
        Verdict::No(reply) => {
            desk.stage = Stage::Refused;
            desk.push(Step::Reply(reply));
            State::Command
        }
        Verdict::Close(reply) => desk.close(reply),
    }
}

/// HELO and its kin are waiting.
#[derive(Debug)]
pub(super) struct HelloVerdict {
    pub(super) verb: Verb,
}

impl HelloVerdict {
    /// Acceptance ends an open transaction; refusal leaves everything as it was (RFC 5321 4.1.4).
    pub(super) fn answer(self, answer: Answer, desk: &mut Desk) -> State {
        match answer.into() {
            Verdict::Yes(reply) => {
                desk.drop_transaction(1);
                desk.stage = Stage::Ready;
                desk.offered = desk.profile.clone();
                let Standing { secure, authenticated } = desk.standing;
                let own = if self.verb == Verb::Helo {
                    desk.profile.helo()
                } else {
                    desk.profile.ehlo(secure, authenticated)
                };
                desk.say(reply.unwrap_or(own))
            }
            Verdict::No(reply) => desk.say(reply),
            Verdict::Close(reply) => desk.close(reply),
        }
    }
}
