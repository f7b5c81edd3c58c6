//! The questions about verbs outside of a transaction: VRFY, EXPN, HELP, NOOP, RSET, QUIT, and what sinks claim.

use super::answer;
use super::ask::Asker;
use crate::directory::Vrfy;
use crate::event::{Event, Focus};
use crate::mail::{EnhancedCode, Reply};
use crate::smtp::{Answer, OtherCommand, Verb, replies};

const UNKNOWN: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");
const AMBIGUOUS: Reply = Reply::new(553, EnhancedCode(5, 1, 4), "Ambiguous; ask for the whole address");
const UNANSWERED: Reply = Reply::new(502, EnhancedCode(5, 5, 1), "Command is not available now");

impl Asker {
    /// Raises `in.command`; sinks come before the server's own reply.
    pub(super) async fn command(&mut self, command: OtherCommand) -> Answer {
        let focus = Focus::Verb { verb: &command.name, argument: &command.argument };
        let decision = self.raise(Event::InCommand, focus).await;
        match command.verb {
            // These are told and can't be refused.
            Verb::Rset | Verb::Quit => Answer::Go,
            Verb::Vrfy => answer::of_command(decision, || self.vrfy(&command.argument)),
            Verb::Expn => answer::of_command(decision, || Answer::Say(replies::CAN_NOT_VERIFY)),
            Verb::Help | Verb::Noop => answer::of_command(decision, || Answer::Go),
            // A verb that a sink claims, and did not answer.
            _ => answer::of_command(decision, || Answer::Refuse(UNANSWERED)),
        }
    }

    fn vrfy(&self, text: &str) -> Answer {
        match self.snapshot.directory.vrfy(text) {
            Vrfy::User(mailbox) => {
                Answer::Say(Reply::foreign(250, Some(EnhancedCode(2, 1, 5)), &format!("<{mailbox}>")))
            }
            Vrfy::Ambiguous => Answer::Refuse(AMBIGUOUS),
            Vrfy::Unknown => Answer::Refuse(UNKNOWN),
            Vrfy::CannotTell => Answer::Say(replies::CAN_NOT_VERIFY),
        }
    }
}
