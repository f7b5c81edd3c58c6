//! The questions about verbs outside of a transaction: VRFY, EXPN, HELP, NOOP, RSET, QUIT, and what sinks claim.

use super::answer;
use super::ask::Asker;
use super::ask_claimed::OpenVerb;
use crate::directory::{Expn, Vrfy};
use crate::event::{Event, Focus};
use crate::mail::{EnhancedCode, Reply};
use crate::smtp::{Answer, OtherCommand, Verb, replies};

const UNKNOWN: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");
const AMBIGUOUS: Reply = Reply::new(553, EnhancedCode(5, 1, 4), "Ambiguous; ask for the whole address");
const NO_LIST: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such list here");
const TOO_LONG: Reply =
    Reply::new(252, EnhancedCode(2, 1, 5), "The list is too long to be told; send the message and see");
pub(super) const UNANSWERED: Reply = Reply::new(502, EnhancedCode(5, 5, 1), "Command is not available now");

impl Asker {
    /// Raises `in.command`; sinks come before the server's own reply.
    pub(super) async fn command(&mut self, command: OtherCommand) -> Answer {
        if command.verb.is_claimed()
            && let Some(refusal) = answer::without_right(&self.snapshot, &self.origin, &command.name)
        {
            return Answer::Refuse(refusal);
        }
        if let Some(reply) = self.distrusted(command.verb) {
            return Answer::Refuse(reply);
        }
        let focus = Focus::Verb { verb: &command.name, argument: &command.argument, further: None };
        let decision = self.raise(Event::InCommand, focus).await;
        match command.verb {
            // These are told and can't be refused.
            Verb::Rset | Verb::Quit => Answer::Go,
            Verb::Vrfy => answer::of_command(decision, || self.vrfy(&command.argument)),
            Verb::Expn => answer::of_command(decision, || self.expn(&command.argument)),
            Verb::Xclient | Verb::Xforward => match answer::of_command(decision, || Answer::Go) {
                Answer::Go if command.verb == Verb::Xclient => self.xclient(&command.argument).await,
                Answer::Go => self.xforward(&command.argument),
                decided => decided,
            },
            Verb::Help | Verb::Noop => answer::of_command(decision, || Answer::Go),
            // A verb that a sink claims, and did not answer.
            _ => self.of_claimed(decision, OpenVerb::new(command)),
        }
    }

    fn expn(&self, text: &str) -> Answer {
        match self.snapshot.directory.expn(text) {
            Expn::Members(members) => {
                let lines: Vec<String> = members.iter().map(|member| format!("<{member}>")).collect();
                Answer::Say(Reply::foreign(250, Some(EnhancedCode(2, 1, 5)), &lines.join("\n")))
            }
            Expn::TooMany => Answer::Say(TOO_LONG),
            Expn::Ambiguous => Answer::Refuse(AMBIGUOUS),
            Expn::NoList => Answer::Refuse(NO_LIST),
            Expn::CannotTell => Answer::Say(replies::CAN_NOT_VERIFY),
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
