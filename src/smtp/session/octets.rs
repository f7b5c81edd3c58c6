//! Awaits the octets of a message: the text of DATA, or a chunk of BDAT (RFC 5321 4.1.1.4, RFC 3030 2).
//!
//! Decodes, hands out, asks where something is found, and replies at the end. A message that is lost on the way is
//! read to its real end all the same; one with a defect closes the connection then, because the client, or
//! somebody who wrote the message, may think that it ended elsewhere.

use super::State;
use super::at_content::{HeadersVerdict, OversizeVerdict};
use super::desk::Desk;
use super::question::{Question, Step};
use super::waiting::Waiting;
use crate::mail::Reply;
use crate::smtp::body::{Body, Found};
use crate::smtp::chunk::Chunk;
use crate::smtp::data::Text;
use crate::smtp::defect::Piece;
use crate::smtp::replies;
use bytes::BytesMut;

/// Where the octets come from.
#[derive(Debug)]
pub(super) enum Source {
    Text(Text),
    Chunk { chunk: Chunk, size: u64, last: bool },
}

#[derive(Debug)]
pub(super) struct AwaitOctets {
    source: Source,
    pub(super) body: Body,
    /// The text or chunk is over.
    ended: bool,
}

impl AwaitOctets {
    pub(super) fn new(source: Source, body: Body) -> Self {
        Self { source, body, ended: false }
    }

    /// Begins the next chunk of a message. `size` is in octets.
    pub(super) fn chunk(mut chunk: Chunk, body: Body, size: u64, last: bool) -> State {
        chunk.begin(size);
        State::Octets(Box::new(Self::new(Source::Chunk { chunk, size, last }, body)))
    }

    pub(super) fn next(mut self: Box<Self>, desk: &mut Desk, input: &mut BytesMut) -> State {
        match self.body.next() {
            Some(found) => return self.found(found, desk),
            None if self.ended => return (*self).finish(desk),
            None => {}
        }
        let piece = match &mut self.source {
            Source::Text(text) => text.next(input),
            Source::Chunk { chunk, .. } => chunk.next(input, self.body.in_header()),
        };
        match piece {
            Piece::Run(run) => self.body.push(run),
            Piece::Bad(defect) => self.body.spoil(defect),
            Piece::End => self.end(),
            Piece::More => desk.push(Step::Read),
        }
        State::Octets(self)
    }

    fn found(self: Box<Self>, found: Found, desk: &mut Desk) -> State {
        let len = self.body.len();
        match found {
            Found::Octets(octets) => {
                desk.push(Step::Body(octets));
                State::Octets(self)
            }
            Found::HeaderEnd => desk.ask(Question::Headers { len }, Waiting::Headers(HeadersVerdict(self))),
            Found::Oversize => {
                let question = Question::Oversize { size: len.saturating_add(1), declared: None };
                desk.ask(question, Waiting::Oversize(OversizeVerdict(self)))
            }
        }
    }

    /// The text or chunk is over; the message is over with it, or more chunks follow.
    fn end(&mut self) {
        self.ended = true;
        match &mut self.source {
            Source::Chunk { last: false, .. } => {}
            Source::Chunk { chunk, .. } => {
                if let Some(defect) = chunk.finish() {
                    self.body.spoil(defect);
                }
                self.body.end();
            }
            Source::Text(_) => self.body.end(),
        }
    }

    fn finish(self, desk: &mut Desk) -> State {
        match self.source {
            Source::Chunk { chunk, size, last: false } => match self.body.refusal() {
                Some(reply) => lose(&self.body, reply.clone(), 1, desk),
                None => {
                    if let Some(transaction) = desk.transaction() {
                        transaction.chunks = Some((chunk, self.body));
                    }
                    desk.say(replies::octets_received(size))
                }
            },
            _ => match self.body.verdict() {
                Some(reply) => {
                    let due = desk.replies_due();
                    lose(&self.body, reply, due, desk)
                }
                None => desk.ask(Question::Message { len: self.body.len() }, Waiting::Message),
            },
        }
    }
}

/// Ends the transaction with a refusal.
fn lose(body: &Body, reply: Reply, times: usize, desk: &mut Desk) -> State {
    desk.drop_transaction(times);
    let next = desk.say_times(reply, times);
    match next {
        State::Command if body.is_spoiled() => desk.hang_up(),
        next => next,
    }
}
