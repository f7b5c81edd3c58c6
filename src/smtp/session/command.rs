//! Awaits a command line: cuts it, parses it, checks its turn, and begins the command.
//!
//! Whatever is wrong with a line, the session is in step afterwards. Where it can't be (a BDAT without a readable
//! size) or where the client speaks no SMTP at all, it ends.

use super::State;
use super::at_auth;
use super::at_command::CommandVerdict;
use super::at_content::DataVerdict;
use super::at_envelope;
use super::at_hello::HelloVerdict;
use super::desk::Desk;
use super::octets::AwaitOctets;
use super::order;
use super::question::{Question, Step};
use super::refused_chunk::SwallowChunk;
use super::standing;
use super::waiting::Waiting;
use crate::mail::Reply;
use crate::smtp::bdat::{Bdat, Tail};
use crate::smtp::command::{self, Command, RcptCommand};
use crate::smtp::exchange::LINE_MAX;
use crate::smtp::fault::Fault;
use crate::smtp::line::{Framer, LineFault, LineFaultKind};
use crate::smtp::replies;
use crate::smtp::verb::{self, Verb};
use bytes::BytesMut;

/// Takes one line.
pub(super) fn next(desk: &mut Desk, framer: &mut Framer, input: &mut BytesMut) -> State {
    let limit = desk.profile.limits.line;
    // An initial response may make AUTH longer than any other command (RFC 4954 4).
    let longest = if desk.offered.auth.mechanisms.is_empty() { limit } else { limit.max(LINE_MAX) };
    match framer.next(input, longest) {
        None => {
            desk.push(Step::Read);
            State::Command
        }
        Some(Err(fault)) => no_line(&fault, desk),
        Some(Ok(line)) if line.len() + 2 > limit && !is_auth(&line) => spoiled(&line, Fault::LineTooLong(limit), desk),
        Some(Ok(line)) => match command::text(&line) {
            Ok(text) => begin(text, desk),
            Err(fault) => spoiled(&line, fault, desk),
        },
    }
}

fn is_auth(line: &[u8]) -> bool {
    line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "))
}

fn no_line(fault: &LineFault, desk: &mut Desk) -> State {
    match fault.kind {
        LineFaultKind::Tls => desk.close(replies::NOT_TLS),
        LineFaultKind::BareLf => spoiled(&fault.start, Fault::BareLf, desk),
        LineFaultKind::TooLong => spoiled(&fault.start, Fault::LineTooLong(desk.profile.limits.line), desk),
    }
}

/// A line that is no command. If it was meant to be BDAT, octets follow that nobody can count.
fn spoiled(start: &[u8], fault: Fault, desk: &mut Desk) -> State {
    let word = start.split(|b| !b.is_ascii_alphabetic()).next().and_then(|w| std::str::from_utf8(w).ok());
    match word.unwrap_or_default() {
        word if word.eq_ignore_ascii_case("BDAT") => desk.close(replies::BDAT_SIZE),
        word if verb::is_http(word) => desk.close(replies::NOT_SMTP),
        _ => desk.say(fault.reply()),
    }
}

fn begin(text: &str, desk: &mut Desk) -> State {
    if verb::is_http_line(text) {
        return desk.close(replies::NOT_SMTP);
    }
    let (name, argument) = verb::split(text);
    let verb = match Verb::named(name) {
        Some(verb) => verb,
        None if desk.offered.extensions.claims_verb(name) => Verb::Claimed,
        None => return desk.say(Fault::UnknownVerb.reply()),
    };
    if verb.is_idle() && !desk.idle() {
        return desk.close(replies::TOO_MANY_COMMANDS);
    }
    if verb == Verb::Bdat {
        return bdat(argument, desk);
    }
    speak(verb, name, argument, desk)
}

fn speak(verb: Verb, name: &str, argument: &str, desk: &mut Desk) -> State {
    if let Err(reply) = may_come(verb, desk) {
        return desk.say(reply);
    }
    match parse(verb, name, argument, desk) {
        Ok(command) => run(command, desk),
        Err(fault) => desk.say(fault.reply()),
    }
}

/// A command that another one stands for: AUTH, and no other. It was counted already.
pub(super) fn instead(text: &str, desk: &mut Desk) -> State {
    let (name, argument) = verb::split(text);
    match Verb::named(name) {
        Some(verb @ Verb::Auth) => speak(verb, name, argument, desk),
        _ => desk.say(Fault::UnknownVerb.reply()),
    }
}

/// Whether it is the command's turn, and the session has proved what it needs.
fn may_come(verb: Verb, desk: &mut Desk) -> Result<(), Reply> {
    if let (false, Some(refusal)) = (verb == Verb::Quit, desk.refusal.take()) {
        return Err(refusal);
    }
    // Where the verb is not spoken that is what the client hears, at any time.
    let spoken = desk.offered.speaks(verb, verb.name().unwrap_or_default());
    if !spoken && matches!(verb, Verb::StartTls | Verb::Auth) {
        return Ok(());
    }
    if spoken {
        standing::check(verb, desk)?;
    }
    order::check(verb, desk.place()).map_err(Reply::clone)
}

fn parse(verb: Verb, name: &str, argument: &str, desk: &mut Desk) -> Result<Command, Fault> {
    if desk.profile.is_foreign(verb) {
        return Err(Fault::UnknownVerb);
    }
    if !desk.offered.speaks(verb, name) {
        return Err(Fault::NotOffered);
    }
    let smtputf8 = desk.transaction().is_some_and(|t| t.smtputf8);
    let command = command::parse(verb, name, argument, &desk.offered.extensions, smtputf8)?;
    match &command {
        // It was not offered: see the reply to EHLO.
        Command::Mail(mail) if mail.require_tls && !desk.standing.secure => {
            Err(Fault::UnknownParam("REQUIRETLS".to_owned()))
        }
        _ => Ok(command),
    }
}

fn run(command: Command, desk: &mut Desk) -> State {
    match command {
        Command::Hello(hello) => {
            let verdict = HelloVerdict { verb: hello.verb };
            desk.ask(Question::Helo(hello), Waiting::Hello(verdict))
        }
        Command::Mail(mail) => at_envelope::mail(mail, desk),
        Command::Rcpt(rcpt) => recipient(rcpt, desk),
        Command::StartTls => desk.ask(Question::StartTls, Waiting::StartTls),
        Command::Auth(auth) => at_auth::begin(auth, desk),
        Command::Data => DataVerdict::Text.ask(desk),
        Command::Other(other) => CommandVerdict::ask(other, desk),
    }
}

/// Over the limit the client is to send to the others later; that is no error of its (RFC 5321 4.5.3.1.10).
fn recipient(rcpt: Box<RcptCommand>, desk: &mut Desk) -> State {
    let max = desk.profile.limits.recipients;
    if desk.transaction().is_some_and(|t| t.recipients >= max) {
        return desk.say(replies::TOO_MANY_RECIPIENTS);
    }
    desk.ask(Question::Rcpt(rcpt), Waiting::Rcpt)
}

/// BDAT: first where the chunk ends, then whether it is wanted.
fn bdat(argument: &str, desk: &mut Desk) -> State {
    let Some(Bdat { size, tail }) = Bdat::parse(argument) else {
        return desk.close(replies::BDAT_SIZE);
    };
    if !desk.offered.speaks(Verb::Bdat, "BDAT") {
        return SwallowChunk::stray(size, Fault::NotOffered.reply());
    }
    if let Err(reply) = may_come(Verb::Bdat, desk) {
        return SwallowChunk::stray(size, reply);
    }
    if tail == Tail::Unknown {
        return SwallowChunk::of_transaction(size, false, Fault::BdatTail.reply(), desk);
    }
    let last = tail == Tail::Last;
    match desk.transaction().and_then(|t| t.chunks.take()) {
        Some((chunk, body)) => AwaitOctets::chunk(chunk, body, size, last),
        None => DataVerdict::Chunk { size, last }.ask(desk),
    }
}
