//! Waiting for an answer: one variant per question, each holding what goes on with it.

use super::State;
use super::at_auth;
use super::at_command::CommandVerdict;
use super::at_content::{DataVerdict, HeadersVerdict, OversizeVerdict};
use super::at_envelope::{self, DeclaredVerdict, MailVerdict};
use super::at_hello::{self, HelloVerdict};
use super::at_message;
use super::at_tls;
use super::desk::Desk;
use super::question::Answer;
use crate::mail::{Class, Reply};

#[derive(Debug)]
pub(super) enum Waiting {
    Connect,
    Hello(HelloVerdict),
    Declared(DeclaredVerdict),
    Mail(MailVerdict),
    Rcpt,
    Data(DataVerdict),
    Headers(HeadersVerdict),
    Oversize(OversizeVerdict),
    Message,
    Command(CommandVerdict),
    StartTls,
    /// With the greeting that is still due.
    Tls(Option<Reply>),
    Auth,
}

impl Waiting {
    /// Whether the open question can be answered so.
    pub(super) fn fits(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Command(_), answer) => !matches!(answer, Answer::Each(_) | Answer::Limit(_) | Answer::Challenge(_)),
            (_, Answer::Go) => true,
            (Self::Oversize(_) | Self::Declared(_), Answer::Say(_)) => false,
            (Self::Data(DataVerdict::Text), Answer::Say(reply)) => reply.class() == Class::Intermediate,
            (_, Answer::Say(reply)) => reply.is_positive(),
            (_, Answer::Refuse(reply) | Answer::Close(reply)) => is_refusal(reply),
            (waiting, Answer::Each(_)) => matches!(waiting, Self::Message),
            (waiting, Answer::Challenge(_)) => matches!(waiting, Self::Auth),
            (_, Answer::More { .. } | Answer::Turn(_) | Answer::Instead(_) | Answer::Restart { .. }) => false,
            (waiting, Answer::Limit(_)) => matches!(waiting, Self::Oversize(_) | Self::Declared(_)),
        }
    }

    pub(super) fn answer(self, answer: Answer, desk: &mut Desk) -> State {
        match self {
            Self::Connect => at_hello::connect(answer, desk),
            Self::Hello(verdict) => verdict.answer(answer, desk),
            Self::Declared(verdict) => verdict.answer(answer, desk),
            Self::Mail(verdict) => verdict.answer(answer, desk),
            Self::Rcpt => at_envelope::rcpt(answer, desk),
            Self::Data(verdict) => verdict.answer(answer, desk),
            Self::Headers(verdict) => verdict.answer(answer, desk),
            Self::Oversize(verdict) => verdict.answer(answer, desk),
            Self::Message => at_message::answer(answer, desk),
            Self::Command(verdict) => verdict.answer(answer, desk),
            Self::StartTls => at_tls::answer(answer, desk),
            Self::Tls(greeting) => at_tls::judged(answer, greeting, desk),
            Self::Auth => at_auth::answer(answer, desk),
        }
    }
}

fn is_refusal(reply: &Reply) -> bool {
    matches!(reply.class(), Class::Transient | Class::Permanent)
}

/// An answer to a yes-or-no question.
pub(super) enum Verdict {
    /// Yes, with a reply if the driver has one of its own.
    Yes(Option<Reply>),
    No(Reply),
    Close(Reply),
}

impl From<Answer> for Verdict {
    /// `fits` has ruled out what a question can't be answered with.
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Go | Answer::Each(_) | Answer::Limit(_) | Answer::Challenge(_) | Answer::Instead(_) => {
                Self::Yes(None)
            }
            Answer::Say(reply)
            | Answer::More { reply, .. }
            | Answer::Turn(reply)
            | Answer::Restart { greeting: reply, .. } => Self::Yes(Some(reply)),
            Answer::Refuse(reply) => Self::No(reply),
            Answer::Close(reply) => Self::Close(reply),
        }
    }
}
