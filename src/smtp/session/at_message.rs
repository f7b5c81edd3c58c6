//! The answer to a whole message (RFC 5321 4.1.1.4, RFC 2033 4.2 and 4.3).

use super::State;
use super::desk::Desk;
use super::question::{Answer, Step};
use crate::mail::Reply;
use crate::smtp::replies;

/// Ends the transaction with a reply; on LMTP with one for each recipient. A message counts as accepted if it was for
/// any of them.
pub(super) fn answer(answer: Answer, desk: &mut Desk) -> State {
    let due = desk.replies_due();
    desk.end_transaction();
    let replies = match answer {
        Answer::Say(reply) | Answer::Refuse(reply) => vec![reply; due],
        Answer::Each(mut each) => {
            each.resize(due, replies::NO_DECISION);
            each
        }
        Answer::Close(reply) => {
            (0..due).for_each(|_| desk.push(Step::Reply(reply.clone())));
            return desk.hang_up();
        }
        // `fits` has let nothing but `Go` through.
        _ => vec![replies::MESSAGE_OK; due],
    };
    if replies.iter().any(Reply::is_positive) {
        desk.accepted();
    }
    desk.say_all(replies)
}
