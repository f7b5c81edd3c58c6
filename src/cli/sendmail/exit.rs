//! How the name `sendmail` ends: the codes of sysexits.h, which the programs that call it know.

use crate::admin::ClientError;
use crate::cli::out::Failure;
use crate::cli::submit::Refusal;
use crate::mail::{Class, EnhancedCode, Reply};

/// The codes.
pub(super) const USAGE: u8 = 64;
const DATA: u8 = 65;
const NO_USER: u8 = 67;
pub(super) const UNAVAILABLE: u8 = 69;
const IO: u8 = 74;
/// Nothing is lost, and it may go well later.
const TRY_AGAIN: u8 = 75;
const FORBIDDEN: u8 = 77;
const CONFIG: u8 = 78;

/// The code for a message that was not taken.
pub(super) fn of_refusal(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::Usage(_) | Refusal::Nobody => USAGE,
        Refusal::Data(_) => DATA,
        Refusal::Reply(reply) => of_reply(reply),
        Refusal::Server(ClientError::Forbidden(_)) => FORBIDDEN,
        // Without the server's word that it is for good, whoever has the message keeps it.
        Refusal::Server(_) => TRY_AGAIN,
        Refusal::Config(_) => CONFIG,
        Refusal::Failed(_) => IO,
    }
}

/// The code for another command.
pub(super) fn of_failure(failure: &Failure) -> u8 {
    match failure {
        Failure::Usage(_) => USAGE,
        Failure::Failed(_) | Failure::Told => UNAVAILABLE,
        Failure::Pipe => 0,
    }
}

/// By the status (RFC 3463): an address that is wrong, content that is wrong, or anything else.
fn of_reply(reply: &Reply) -> u8 {
    match (reply.class(), reply.status()) {
        (Class::Permanent, Some(EnhancedCode(_, 1, _))) => NO_USER,
        (Class::Permanent, Some(EnhancedCode(_, 6, _) | EnhancedCode(_, 3, 4))) => DATA,
        (Class::Permanent, _) => UNAVAILABLE,
        _ => TRY_AGAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_the_code_that_callers_know() {
        let reply = |code, status| Refusal::Reply(Reply::new(code, status, "x"));
        for (refusal, code) in [
            (Refusal::Nobody, 64),
            (reply(554, EnhancedCode(5, 6, 0)), 65),
            (reply(552, EnhancedCode(5, 3, 4)), 65),
            (reply(550, EnhancedCode(5, 1, 1)), 67),
            (reply(550, EnhancedCode(5, 7, 1)), 69),
            (reply(452, EnhancedCode(4, 3, 1)), 75),
            (Refusal::Server(ClientError::NotRunning("x".into())), 75),
            (Refusal::Server(ClientError::Failed("of an older version".into())), 75),
            (Refusal::Server(ClientError::Forbidden("x".into())), 77),
            (Refusal::Config(Failure::failed("x")), 78),
        ] {
            assert_eq!(of_refusal(&refusal), code, "{refusal:?}");
        }
    }
}
