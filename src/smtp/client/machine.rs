//! The machine's surface: what a driver calls and what it is told.
//!
//! The driver calls [`Client::next`] until it says [`Step::Ready`] or [`Step::Closed`]. Each letter that was handed
//! to [`Client::start`] ends in one [`Step::Settled`], also when the connection was never greeted.

use super::auth::Authenticator;
use super::encode::Encoder;
use super::extension::Offered;
use super::letter::{Errand, Hop, Letter};
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::question::{Decision, Point};
use super::secure::{self, StartTls};
use super::stage::Stage;
use super::state::{Context, State};
use crate::mail::BodyType;
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
    /// Do the TLS handshake as a client, then call [`Client::secured`]; or [`Client::lost`], if it fails.
    StartTls,
    /// A transaction is over: one outcome per recipient of its letter, in their order.
    Settled(Vec<RcptOutcome>),
    /// Nothing is under way: start a letter or quit.
    Ready,
    /// Close the connection.
    Closed(Reason),
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

    /// From now on TLS is asked for in this way. Before the answer to EHLO, to have an effect.
    pub fn start_tls(&mut self, when: StartTls) {
        self.context.start_tls = when;
    }

    /// From now on we authenticate before the first letter. Before the answer to EHLO, to have an effect.
    pub fn authenticate(&mut self, authenticator: Box<dyn Authenticator>) {
        self.context.authenticator = Some(authenticator);
    }

    /// The TLS handshake is done: the answer to [`Step::StartTls`]; or before the greeting, by implicit TLS. Nothing that was
    /// read before may be in the input any more.
    pub fn secured(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Fresh);
        self.state = secure::secured(state, &mut self.context);
    }

    /// Whether the connection is under TLS.
    pub fn is_secure(&self) -> bool {
        self.context.secure
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

    /// From now on what the server says may be decided about: DATA waits until all recipients are answered, so that the
    /// transaction can still be left. That costs a round trip for each message.
    pub fn mind_replies(&mut self, mind: bool) {
        self.context.mindful = mind;
    }

    /// Answers the open question. Without one it does nothing. A decision that is not legal there counts as none.
    pub fn answer(&mut self, decision: Decision) {
        self.context.answer(decision);
    }

    /// Hands in a letter. It waits until the connection is ready for it.
    pub fn start(&mut self, letter: Letter) {
        self.context.errands.push_back(Errand::new(letter, false));
    }

    /// The same for a letter whose recipients are only asked for: it is settled once each has its reply to RCPT, and neither DATA
    /// nor BDAT is sent. Its body and size are those of no content.
    pub fn probe(&mut self, letter: Letter) {
        self.context.errands.push_back(Errand::new(letter, true));
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
