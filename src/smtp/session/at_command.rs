//! The answers to commands without a part in the transaction, and to verbs that sinks claim.

use super::State;
use super::at_tls::HandOver;
use super::command;
use super::desk::{Desk, Stage};
use super::more::AwaitMore;
use super::question::{Answer, Question, Step};
use super::waiting::{Verdict, Waiting};
use crate::mail::Reply;
use crate::smtp::command::OtherCommand;
use crate::smtp::replies;
use crate::smtp::verb::Verb;

/// A command is waiting.
#[derive(Debug)]
pub(super) struct CommandVerdict {
    verb: Verb,
}

impl CommandVerdict {
    /// Asks; VRFY while it is off has its answer already.
    pub(super) fn ask(command: OtherCommand, desk: &mut Desk) -> State {
        if command.verb == Verb::Vrfy && !desk.offered.vrfy {
            return desk.say(replies::CAN_NOT_VERIFY);
        }
        let verdict = Self { verb: command.verb };
        desk.ask(Question::Command(command), Waiting::Command(verdict))
    }

    pub(super) fn answer(self, answer: Answer, desk: &mut Desk) -> State {
        match (self.verb, answer) {
            (Verb::Quit, _) => desk.close(replies::BYE),
            (Verb::Rset, _) => {
                desk.drop_transaction(1);
                desk.say(replies::RESET)
            }
            (_, Answer::More { reply, want }) => AwaitMore::begin(self, reply, want, desk),
            (_, Answer::Instead(line)) => command::instead(&line, desk),
            (_, Answer::Turn(reply)) => State::HandOver(HandOver { reply, step: Step::Turn }),
            (_, Answer::Restart { greeting, authenticated }) => {
                desk.drop_transaction(0);
                desk.stage = Stage::Connected;
                desk.standing.authenticated = authenticated;
                desk.offered = desk.profile.clone();
                desk.say(greeting)
            }
            (verb, answer) => match answer.into() {
                Verdict::Yes(reply) => {
                    let reply = reply.unwrap_or_else(|| own(verb, desk));
                    desk.say(reply)
                }
                Verdict::No(reply) => desk.say(reply),
                Verdict::Close(reply) => desk.close(reply),
            },
        }
    }
}

/// The reply where nobody has a better one.
fn own(verb: Verb, desk: &Desk) -> Reply {
    match verb {
        Verb::Noop => replies::NOOP,
        Verb::Help => desk.offered.help(desk.standing.secure, desk.standing.authenticated),
        Verb::Vrfy | Verb::Expn => replies::CAN_NOT_VERIFY,
        // Claimed, and then not answered.
        _ => replies::NOT_OFFERED,
    }
}
