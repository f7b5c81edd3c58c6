//! TLS on the way out, by STARTTLS (RFC 3207).
//!
//! After the handshake the state is as after connecting: EHLO comes again, and what was offered before is forgotten. Octets that
//! the server sent behind its go-ahead, before the handshake, break the connection off: anybody on the way could have put them
//! there, and taken as replies they would answer commands that are sent under TLS.
//!
//! Not here: the handshake and what a certificate is worth. The driver does both.

use super::command;
use super::machine::{Reason, Step};
use super::outcome::{Cause, Trouble};
use super::question::{Decision, Next};
use super::stage::Stage;
use super::state::{Context, State, Turn};
use super::{auth, opening};
use crate::mail::Class;
use bytes::{Bytes, BytesMut};

/// Whether to ask for TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StartTls {
    /// Never.
    #[default]
    Never,
    /// If the server offers it. Mail goes on without if it does not, or refuses.
    IfOffered,
    /// Nothing is said without it but EHLO and QUIT.
    Required,
}

/// The server has answered to EHLO or HELO: TLS is next, unless it is there, or is not to be had.
pub(super) fn after_hello(context: &mut Context) -> Turn {
    if context.secure || context.start_tls == StartTls::Never {
        return auth::after_secure(context);
    }
    if context.offered.has("STARTTLS") {
        return (State::ExpectStartTls, Some(Step::Send(Bytes::from_static(command::STARTTLS))));
    }
    without_tls(context, Cause::Trouble { stage: Stage::StartTls, trouble: Trouble::NoStartTls })
}

fn without_tls(context: &mut Context, cause: Cause) -> Turn {
    match context.start_tls {
        StartTls::Required => (State::Leaving(Reason::Because(cause)), None),
        StartTls::Never | StartTls::IfOffered => auth::after_secure(context),
    }
}

pub(super) fn answer_to_start_tls(context: &mut Context, input: &mut BytesMut) -> Turn {
    let said = |reply| opening::said(Some("STARTTLS"), Stage::StartTls, reply);
    let (spoken, decision) = match context.hear_about(input, said) {
        Ok(heard) => heard,
        Err(silence) => return State::ExpectStartTls.without_reply(silence),
    };
    let reply = spoken.reply();
    match reply.class() {
        _ if decision != Decision::Proceed && decision != Decision::Go(Next::Continue) => {
            opening::unwanted(Stage::StartTls, reply, decision)
        }
        Class::Positive if !input.is_empty() => State::ExpectStartTls.misbehaved(Trouble::Injected),
        Class::Positive => (State::Handshake, None),
        Class::Intermediate => State::ExpectStartTls.misbehaved(Trouble::Misplaced(reply)),
        Class::Transient | Class::Permanent if reply.code() == 421 => {
            let cause = Cause::Reply { stage: Stage::StartTls, reply };
            (State::ExpectStartTls.break_off(cause), None)
        }
        Class::Transient | Class::Permanent => without_tls(context, Cause::Reply { stage: Stage::StartTls, reply }),
    }
}

/// The driver is at its handshake. No input is taken.
pub(super) fn handshake(input: &BytesMut) -> Turn {
    if !input.is_empty() {
        return State::Handshake.misbehaved(Trouble::Injected);
    }
    (State::Handshake, Some(Step::StartTls))
}

/// The handshake is done. By implicit TLS, before the greeting, it changes nothing but what may be said.
pub(super) fn secured(state: State, context: &mut Context) -> State {
    match state {
        State::Handshake => {
            context.start_over();
            context.secure = true;
            State::Hello(opening::verb(context), None)
        }
        State::Fresh | State::ExpectGreeting => {
            context.secure = true;
            state
        }
        other => other,
    }
}
