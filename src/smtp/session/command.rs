//! Awaits a command line: cuts it, parses it, checks its turn, and begins the command.
//!
//! Whatever is wrong with a line, the session is in step afterwards. Where it can't be (a BDAT without a readable
//! size) or where the client speaks no SMTP at all, it ends.

use super::State;
use super::at_command::CommandVerdict;
use super::at_content::DataVerdict;
use super::at_envelope;
use super::at_hello::HelloVerdict;
use super::desk::Desk;
use super::octets::AwaitOctets;
use super::order;
use super::question::{Question, Step};
use super::refused_chunk::SwallowChunk;
use super::waiting::Waiting;
use crate::smtp::bdat::{Bdat, Tail};
use crate::smtp::command::{self, Command, RcptCommand};
use crate::smtp::fault::Fault;
use crate::smtp::line::{Framer, LineFault, LineFaultKind};
use crate::smtp::replies;
use crate::smtp::verb::{self, Verb};
use bytes::BytesMut;

/// Takes one line.
pub(super) fn next(desk: &mut Desk, framer: &mut Framer, input: &mut BytesMut) -> State {
    match framer.next(input, desk.profile.limits.line) {
        None => {
            desk.push(Step::Read);
            State::Command
        }
        Some(Err(fault)) => no_line(&fault, desk),
        Some(Ok(line)) => match command::text(&line) {
            Ok(text) => begin(text, desk),
            Err(fault) => spoiled(&line, fault, desk),
        },
    }
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
    if let Err(reply) = order::check(verb, desk.place()) {
        return desk.say(reply.clone());
    }
    match parse(verb, name, argument, desk) {
        Ok(command) => run(command, desk),
        Err(fault) => desk.say(fault.reply()),
    }
}

fn parse(verb: Verb, name: &str, argument: &str, desk: &mut Desk) -> Result<Command, Fault> {
    if desk.profile.is_foreign(verb) {
        return Err(Fault::UnknownVerb);
    }
    if !desk.offered.speaks(verb, name) {
        return Err(Fault::NotOffered);
    }
    let smtputf8 = desk.transaction().is_some_and(|t| t.smtputf8);
    command::parse(verb, name, argument, &desk.offered.extensions, smtputf8)
}

fn run(command: Command, desk: &mut Desk) -> State {
    match command {
        Command::Hello(hello) => {
            let verdict = HelloVerdict { verb: hello.verb };
            desk.ask(Question::Helo(hello), Waiting::Hello(verdict))
        }
        Command::Mail(mail) => at_envelope::mail(mail, desk),
        Command::Rcpt(rcpt) => recipient(rcpt, desk),
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
    if let Err(reply) = order::check(Verb::Bdat, desk.place()) {
        return SwallowChunk::stray(size, reply.clone());
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
