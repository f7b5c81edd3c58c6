//! The machine's surface: what a driver calls and what it is told.
//!
//! The driver calls [`Client::next`] until it says [`Step::Ready`] or [`Step::Closed`]. Each letter that was handed
//! to [`Client::start`] ends in one [`Step::Settled`], also when the connection was never greeted.

use super::encode::Encoder;
use super::extension::Offered;
use super::letter::{Errand, Hop, Letter};
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::stage::Stage;
use super::state::{Context, State};
use crate::mail::{BodyType, Reply};
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// What the driver is to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write these octets.
    Send(Bytes),
    /// Read more, for at most [`Client::patience`] until the next reply is whole. The first time: open the connection.
    Read,
    /// Decide; see [`Client::answer`].
    Ask(Point),
    /// Stream the content through [`Client::encoder`], its end included, then call [`Client::body_sent`].
    SendContent,
    /// Encode the next octets of the content by [`Client::encoder`], which lives as long as the transaction, and tell how
    /// many they have become: [`Client::cut`].
    CutChunk,
    /// Write this command, and the chunk behind it.
    SendChunk(Bytes),
    /// A transaction is over: one outcome per recipient of its letter, in their order.
    Settled(Vec<RcptOutcome>),
    /// Nothing is under way: start a letter or quit.
    Ready,
    /// Close the connection.
    Closed(Reason),
}

/// A question that the machine waits on. Each stands for the `out.*` event of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before the connection is opened.
    Connect,
    /// Before EHLO, HELO or LHLO; again if HELO follows a refused EHLO.
    Helo,
    /// Before MAIL is sent.
    Mail,
    /// Before RCPT is sent for that recipient of the letter.
    Rcpt(usize),
    /// Before the content: in fact before DATA, so that a veto would cost a RSET and not the connection.
    Message,
    /// Before DATA, or the first BDAT, is sent.
    Data,
    /// The server said this, and the machine has not acted on it yet.
    Reply(Reply),
    /// Before QUIT is sent.
    Quit,
}

/// The answer to a [`Point`]. Further ones (parameters, veto, skip, insert) will stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Go on as planned.
    Proceed,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// We were done.
    Quit,
    /// The server refused to go on, or something broke.
    Because(Cause),
}

/// The client's side of one connection.
#[derive(Debug)]
pub struct Client {
    state: State,
    context: Context,
}

impl Client {
    /// A client whose connection is yet to be opened.
    pub fn new(hop: Hop) -> Self {
        Self { state: State::Fresh, context: Context::new(hop) }
    }

    /// The next thing to do. Takes from `input` only what it uses. While a question is open it is told again and
    /// nothing is taken.
    pub fn next(&mut self, input: &mut BytesMut) -> Step {
        if let Some(point) = self.context.asked() {
            return Step::Ask(point.clone());
        }
        loop {
            let state = std::mem::replace(&mut self.state, State::Fresh);
            let (state, step) = state.next(&mut self.context, input);
            self.state = state;
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Answers the open question. Without one it does nothing.
    pub fn answer(&mut self, decision: Decision) {
        self.context.answer(decision);
    }

    /// Hands in a letter. It waits until the connection is ready for it.
    pub fn start(&mut self, letter: Letter) {
        self.context.errands.push_back(Errand { letter, probe: false });
    }

    /// The same for a letter whose recipients are only asked for: it is settled once each has its reply to RCPT, and neither DATA
    /// nor BDAT is sent. Its body and size are those of no content.
    pub fn probe(&mut self, letter: Letter) {
        self.context.errands.push_back(Errand { letter, probe: true });
    }

    /// The content, its end included, has been written: the answer to [`Step::SendContent`].
    pub fn body_sent(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Fresh);
        self.state = match state {
            State::Content(transaction) => State::ExpectFinal(transaction),
            other => other,
        };
    }

    /// The next chunk is encoded: the answer to [`Step::CutChunk`]. A chunk without octets must be the last.
    pub fn cut(&mut self, octets: usize, last: bool) {
        if let State::Content(transaction) = &mut self.state {
            transaction.cut = Some((octets, last));
        }
    }

    /// What encodes the content of the transaction that is under way, from its start.
    pub fn encoder(&self) -> Encoder {
        match &self.state {
            State::Content(transaction) if transaction.chunking => match transaction.letter.body {
                BodyType::BinaryMime => Encoder::octets(),
                BodyType::SevenBit | BodyType::EightBitMime => Encoder::lines(),
            },
            _ => Encoder::text(),
        }
    }

    /// Ends the session once all letters are settled.
    pub fn quit(&mut self) {
        self.context.quitting = true;
    }

    /// The connection is no more: closed, broken or given up. What is not settled is put off.
    pub fn lost(&mut self, trouble: Trouble) {
        let stage = self.stage();
        let state = std::mem::replace(&mut self.state, State::Fresh);
        self.context.forget_question();
        self.state = state.break_off(Cause::Trouble { stage, trouble });
    }

    /// Where in the dialogue it is.
    pub fn stage(&self) -> Stage {
        self.state.stage()
    }

    /// How long the driver may wait for the step that was asked for last.
    pub fn patience(&self) -> Duration {
        self.stage().patience()
    }

    /// What the server offers; nothing before its answer to EHLO.
    pub fn offered(&self) -> &Offered {
        &self.context.offered
    }
}
