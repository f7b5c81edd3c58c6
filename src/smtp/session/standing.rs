//! What a session has proved so far, and the commands that it may not give before (RFC 3207 4, RFC 4954 4 and 6).

use super::desk::Desk;
use crate::mail::Reply;
use crate::smtp::offer::TlsOffer;
use crate::smtp::replies;
use crate::smtp::verb::Verb;

/// Encryption and authentication.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    pub(super) secure: bool,
    pub(super) authenticated: bool,
}

/// Whether the session may give the command as it stands; if not, what the client is told.
pub(super) fn check(verb: Verb, desk: &Desk) -> Result<(), Reply> {
    let Standing { secure, authenticated } = desk.standing;
    let profile = &desk.offered;
    if profile.tls == TlsOffer::Required && !secure && !before_tls(verb) {
        return Err(replies::TLS_REQUIRED);
    }
    if profile.auth.required && !authenticated && !before_auth(verb) {
        return Err(replies::AUTH_REQUIRED);
    }
    match verb {
        Verb::StartTls if secure => Err(replies::TLS_ALREADY),
        Verb::Auth if authenticated => Err(replies::AUTH_AGAIN),
        _ => Ok(()),
    }
}

/// The list of RFC 3207 4.
fn before_tls(verb: Verb) -> bool {
    matches!(verb, Verb::Ehlo | Verb::Lhlo | Verb::Noop | Verb::StartTls | Verb::Quit)
}

/// The list of RFC 4954 6, with STARTTLS, and HELP, which tells nothing that EHLO does not. Claimed verbs have conditions of their
/// own: some are what a client authenticates by; and what a proxy says may be who has authenticated.
fn before_auth(verb: Verb) -> bool {
    let harmless = matches!(verb, Verb::Helo | Verb::Noop | Verb::Rset | Verb::Help | Verb::Auth);
    harmless || before_tls(verb) || verb == Verb::Claimed || verb.may_be_claimed() || verb.is_of_proxies()
}
