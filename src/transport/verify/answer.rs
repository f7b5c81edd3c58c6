//! What a probe's end says of the recipient.
//!
//! Only two replies are answers: 2xx to RCPT, and a 5xx there that is about the recipient. Whatever else happens says nothing of the recipient: a probe that fails, by
//! chance or because somebody saw to it, makes nobody unknown.

use super::cache::{Unanswered, Verdict};
use crate::mail::{EnhancedCode, Reply};
use crate::smtp::client::{Cause, RcptOutcome, Stage};
use crate::transport::deliver::Probed;

const NO_SUCH_USER: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");

/// The answer, if it is one.
pub(super) fn answer(probed: Probed) -> Result<Verdict, Unanswered> {
    let Probed { remote, outcome } = probed;
    match outcome {
        RcptOutcome::Delivered(_) => Ok(Verdict::Yes),
        RcptOutcome::Failed(Cause::Reply { stage: Stage::Rcpt, reply }) if is_about_recipient(&reply) => {
            Ok(Verdict::No(reply))
        }
        RcptOutcome::Failed(cause) | RcptOutcome::Deferred(cause) => Err(Unanswered(format!("{remote}: {cause}"))),
    }
}

/// Whether a refusal at RCPT is of the recipient. Some hosts say only there that they want nothing of us at all (5.7.x), or what is
/// wrong with them or the command (RFC 3463 3): that says nothing of the recipient.
fn is_about_recipient(reply: &Reply) -> bool {
    const ADDRESS: u16 = 1;
    const MAILBOX: u16 = 2;
    match reply.status() {
        Some(EnhancedCode(_, subject, _)) => matches!(subject, ADDRESS | MAILBOX),
        None => (550..=559).contains(&reply.code()),
    }
}

/// A refusal by the next hop as our own client is told it: its words, under the code and the status that say what is meant.
pub(super) fn told(said: &Reply) -> Reply {
    if said.text().trim().is_empty() { NO_SUCH_USER } else { NO_SUCH_USER.with_text(said.text()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::client::Trouble;

    #[test]
    fn only_a_reply_to_rcpt_is_an_answer() {
        let said = |stage, code: u16| Cause::Reply { stage, reply: Reply::plain(code, "x") }.outcome();
        let status = |class, subject, detail| {
            let reply = Reply::foreign(550, Some(EnhancedCode(class, subject, detail)), "x");
            Cause::Reply { stage: Stage::Rcpt, reply }.outcome()
        };
        let trouble = |stage, trouble| Cause::Trouble { stage, trouble }.outcome();
        for (outcome, expected) in [
            (RcptOutcome::Delivered(Reply::plain(250, "ok")), Some(true)),
            (RcptOutcome::Delivered(Reply::plain(251, "ok")), Some(true)),
            (said(Stage::Rcpt, 550), Some(false)),
            (said(Stage::Rcpt, 554), Some(false)),
            (said(Stage::Rcpt, 503), None),
            (status(5, 1, 1), Some(false)),
            (status(5, 2, 1), Some(false)),
            (status(5, 7, 1), None),
            (status(5, 3, 0), None),
            (said(Stage::Rcpt, 450), None),
            // Too many recipients (RFC 5321 4.5.3.1.10).
            (said(Stage::Rcpt, 552), None),
            (said(Stage::Mail, 550), None),
            (said(Stage::Hello, 550), None),
            (said(Stage::Greeting, 554), None),
            (trouble(Stage::Rcpt, Trouble::Closed), None),
            (trouble(Stage::Mail, Trouble::NeedsSmtpUtf8), None),
        ] {
            let got = answer(Probed { remote: "mx.example".to_owned(), outcome: outcome.clone() });
            assert_eq!(got.ok().map(|verdict| verdict == Verdict::Yes), expected, "{outcome:?}");
        }
    }

    #[test]
    fn the_client_hears_the_next_hop_s_words_as_550_5_1_1() {
        for (said, text) in [
            (Reply::plain(553, "nobody\nby that name"), "550 5.1.1 nobody by that name"),
            (Reply::foreign(554, Some(EnhancedCode(5, 7, 1)), "no"), "550 5.1.1 no"),
            (Reply::plain(550, " "), "550 5.1.1 No such user here"),
        ] {
            assert_eq!(told(&said).to_string(), text);
        }
    }
}
