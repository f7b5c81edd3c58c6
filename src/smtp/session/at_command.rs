//! The answers to commands without a part in the transaction, and to verbs that sinks claim.

use super::State;
use super::desk::Desk;
use super::question::{Answer, Question};
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
        match self.verb {
            Verb::Quit => desk.close(replies::BYE),
            Verb::Rset => {
                desk.drop_transaction(1);
                desk.say(replies::RESET)
            }
            verb => match answer.into() {
                Verdict::Yes(reply) => desk.say(reply.unwrap_or_else(|| own(verb))),
                Verdict::No(reply) => desk.say(reply),
                Verdict::Close(reply) => desk.close(reply),
            },
        }
    }
}

/// The reply where nobody has a better one.
fn own(verb: Verb) -> Reply {
    match verb {
        Verb::Noop => replies::NOOP,
        Verb::Help => replies::HELP,
        Verb::Vrfy | Verb::Expn => replies::CAN_NOT_VERIFY,
        // Claimed, and then not answered.
        _ => replies::NOT_OFFERED,
    }
}
