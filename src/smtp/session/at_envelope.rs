//! The answers to MAIL and RCPT (RFC 5321 4.1.1.2 and 4.1.1.3, RFC 1870 6.1).

use super::State;
use super::desk::{Desk, Stage, Transaction};
use super::question::{Answer, Question};
use super::waiting::{Verdict, Waiting};
use crate::mail::BodyType;
use crate::smtp::body::SizeLimit;
use crate::smtp::command::MailCommand;
use crate::smtp::replies;

/// Begins MAIL: a size over the limit is asked first, so that nobody need look at what is too big anyway.
pub(super) fn mail(command: Box<MailCommand>, desk: &mut Desk) -> State {
    match command.size {
        Some(size) if size > desk.profile.limits.message_size => {
            let question = Question::Oversize { size, declared: Some(command.clone()) };
            desk.ask(question, Waiting::Declared(DeclaredVerdict { size, command }))
        }
        _ => ask_mail(command, None, desk),
    }
}

fn ask_mail(command: Box<MailCommand>, raised: Option<u64>, desk: &mut Desk) -> State {
    let binary = command.body == BodyType::BinaryMime;
    let verdict = MailVerdict { smtputf8: command.smtputf8, binary, raised };
    desk.ask(Question::Mail(command), Waiting::Mail(verdict))
}

/// A declared size is over the limit.
#[derive(Debug)]
pub(super) struct DeclaredVerdict {
    size: u64,
    command: Box<MailCommand>,
}

impl DeclaredVerdict {
    pub(super) fn answer(self, answer: Answer, desk: &mut Desk) -> State {
        match answer {
            Answer::Limit(octets) if octets >= self.size => ask_mail(self.command, Some(octets), desk),
            Answer::Refuse(reply) => desk.say(reply),
            Answer::Close(reply) => desk.close(reply),
            _ => desk.say(replies::TOO_BIG),
        }
    }
}

/// MAIL is waiting.
#[derive(Debug)]
pub(super) struct MailVerdict {
    smtputf8: bool,
    binary: bool,
    /// The size limit that was granted to this message.
    raised: Option<u64>,
}

impl MailVerdict {
    pub(super) fn answer(self, answer: Answer, desk: &mut Desk) -> State {
        match answer.into() {
            Verdict::Yes(reply) => {
                let octets = self.raised.unwrap_or(desk.profile.limits.message_size);
                let size = SizeLimit { octets, settled: self.raised.is_some() };
                let Self { smtputf8, binary, .. } = self;
                desk.stage = Stage::Open(Transaction { smtputf8, binary, recipients: 0, size, chunks: None });
                desk.say(reply.unwrap_or(replies::SENDER_OK))
            }
            Verdict::No(reply) => desk.say(reply),
            Verdict::Close(reply) => desk.close(reply),
        }
    }
}

/// RCPT: acceptance counts.
pub(super) fn rcpt(answer: Answer, desk: &mut Desk) -> State {
    match answer.into() {
        Verdict::Yes(reply) => {
            if let Some(transaction) = desk.transaction() {
                transaction.recipients += 1;
            }
            desk.say(reply.unwrap_or(replies::RECIPIENT_OK))
        }
        Verdict::No(reply) => desk.say(reply),
        Verdict::Close(reply) => desk.close(reply),
    }
}
