//! The answers to DATA and the first BDAT, to the header, and to a message over the size limit.

use super::State;
use super::desk::Desk;
use super::octets::{AwaitOctets, Source};
use super::question::{Answer, Question, Step};
use super::refused_chunk::SwallowChunk;
use super::waiting::{Verdict, Waiting};
use crate::smtp::body::{Body, SizeLimit};
use crate::smtp::chunk::Chunk;
use crate::smtp::data::Text;
use crate::smtp::replies;

/// DATA or the first BDAT is waiting.
#[derive(Debug)]
pub(super) enum DataVerdict {
    Text,
    Chunk { size: u64, last: bool },
}

impl DataVerdict {
    pub(super) fn ask(self, desk: &mut Desk) -> State {
        let bdat = matches!(self, Self::Chunk { .. });
        desk.ask(Question::Data { bdat }, Waiting::Data(self))
    }

    pub(super) fn answer(self, answer: Answer, desk: &mut Desk) -> State {
        match (self, answer.into()) {
            (_, Verdict::Close(reply)) => desk.close(reply),
            (Self::Text, Verdict::No(reply)) => {
                desk.drop_transaction(1);
                desk.say(reply)
            }
            (Self::Chunk { size, last }, Verdict::No(reply)) => SwallowChunk::of_transaction(size, last, reply, desk),
            (Self::Text, Verdict::Yes(reply)) => {
                desk.push(Step::Reply(reply.unwrap_or_else(replies::start_mail)));
                State::Octets(Box::new(AwaitOctets::new(Source::Text(Text::new()), new_body(desk))))
            }
            (Self::Chunk { size, last }, Verdict::Yes(_)) => {
                let binary = desk.transaction().is_some_and(|t| t.binary);
                AwaitOctets::chunk(Chunk::new(binary), new_body(desk), size, last)
            }
        }
    }
}

fn new_body(desk: &mut Desk) -> Body {
    let default = SizeLimit { octets: desk.profile.limits.message_size, settled: false };
    let size = desk.transaction().map_or(default, |t| t.size);
    Body::new(&desk.profile.limits, size)
}

/// The header is out, and a verdict on it is waiting.
#[derive(Debug)]
pub(super) struct HeadersVerdict(pub(super) Box<AwaitOctets>);

impl HeadersVerdict {
    pub(super) fn answer(mut self, answer: Answer, desk: &mut Desk) -> State {
        match answer.into() {
            Verdict::Yes(_) => {}
            Verdict::No(reply) => self.0.body.refuse(reply),
            Verdict::Close(reply) => return desk.close(reply),
        }
        State::Octets(self.0)
    }
}

/// The message has crossed the size limit.
#[derive(Debug)]
pub(super) struct OversizeVerdict(pub(super) Box<AwaitOctets>);

impl OversizeVerdict {
    pub(super) fn answer(mut self, answer: Answer, desk: &mut Desk) -> State {
        match answer {
            Answer::Limit(octets) => self.0.body.raise(octets),
            Answer::Refuse(reply) => self.0.body.refuse(reply),
            Answer::Close(reply) => return desk.close(reply),
            _ => self.0.body.refuse(replies::TOO_BIG),
        }
        State::Octets(self.0)
    }
}
