//! The answer to a whole message (RFC 5321 4.1.1.4, RFC 2033 4.2 and 4.3).

use super::State;
use super::desk::Desk;
use super::question::{Answer, Step};
use crate::mail::{Class, Reply};
use crate::smtp::replies;

/// A whole message is waiting.
#[derive(Debug)]
pub(super) struct MessageVerdict;

impl MessageVerdict {
    pub(super) fn answer(self, answer: Answer, desk: &mut Desk) -> State {
        let due = desk.replies_due();
        desk.end_transaction();
        match answer {
            Answer::Each(each) => self.each(each, due, desk),
            Answer::Say(reply) | Answer::Refuse(reply) => self.all(reply, due, desk),
            Answer::Go | Answer::Limit(_) => self.all(replies::MESSAGE_OK, due, desk),
            Answer::Close(reply) => {
                for _ in 0..due {
                    desk.push(Step::Reply(reply.clone()));
                }
                desk.hang_up()
            }
        }
    }

    fn all(self, reply: Reply, due: usize, desk: &mut Desk) -> State {
        if reply.is_positive() {
            desk.accepted();
        }
        desk.say_times(reply, due)
    }

    /// A reply per recipient. The message counts as accepted if any was, as one error if all were refused for good.
    fn each(self, each: Vec<Reply>, due: usize, desk: &mut Desk) -> State {
        let mut each: Vec<Reply> = each.into_iter().take(due).collect();
        each.resize(due, replies::NO_DECISION);
        if each.iter().any(Reply::is_positive) {
            desk.accepted();
        }
        let all_failed = each.iter().all(|r| r.class() == Class::Permanent);
        let Some(last) = each.pop() else { return State::Command };
        each.into_iter().for_each(|reply| desk.push(Step::Reply(reply)));
        match all_failed || last.class() != Class::Permanent {
            true => desk.say(last),
            false => {
                desk.push(Step::Reply(last));
                State::Command
            }
        }
    }
}
