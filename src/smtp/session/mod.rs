//! The server's machine: octets in, steps out (RFC 5321, RFC 2033, RFC 3030).
//!
//! A state is consumed and the next one returned. Waiting for an answer is a state that takes no input, so commands
//! of a pipelined group can't overtake a decision. The machine keeps what it needs to stay in step with the
//! client: the order of commands, counts, and the limits. Envelope, draft, guards and sinks are the driver's.
//!
//! # Layout
//!
//! * `question`: the seam. `order`: the table. `desk`: what the states share.
//! * `standing`: TLS and authentication, and what needs them.
//! * `command`: awaits a command line. `more`: what a claimed verb wants beside it. `octets`: awaits the message. `refused_chunk`: swallows a chunk.
//! * `waiting`: awaits an answer; `at_hello`, `at_envelope`, `at_content`, `at_message`, `at_command`, `at_tls`, `at_auth` say what it does.

mod at_auth;
mod at_command;
mod at_content;
mod at_envelope;
mod at_hello;
mod at_message;
mod at_tls;
mod command;
mod desk;
mod more;
mod octets;
mod order;
mod question;
mod refused_chunk;
mod standing;
mod waiting;

pub use more::{MORE_LINE_MAX, MORE_OCTETS_MAX};
pub use question::{Answer, Misuse, Question, Step, Want};

use super::line::Framer;
use super::profile::Profile;
use super::replies;
use crate::mail::Reply;
use at_tls::HandOver;
use bytes::BytesMut;
use desk::Desk;
use more::AwaitMore;
use octets::AwaitOctets;
use refused_chunk::SwallowChunk;
use std::sync::Arc;
use waiting::Waiting;

/// What the session awaits.
#[derive(Debug)]
enum State {
    /// The first call.
    Start,
    /// A command line.
    Command,
    /// Octets of a message.
    Octets(Box<AwaitOctets>),
    /// The octets of a chunk that nobody wants.
    Swallow(SwallowChunk),
    /// What a claimed verb wants beside its line.
    More(AwaitMore),
    /// An answer to a challenge of AUTH.
    Exchange,
    /// Nothing: the connection is about to be given out of hand.
    HandOver(HandOver),
    /// [`Session::secured`]. Takes no input.
    Handshake,
    /// An answer. Takes no input.
    Waiting(Waiting),
    /// Nothing any more.
    Closed,
}

/// One SMTP or LMTP session.
#[derive(Debug)]
pub struct Session {
    desk: Desk,
    framer: Framer,
    state: State,
}

impl Session {
    /// A session that has not begun; its first step asks [`Question::Connect`].
    pub fn new(profile: Arc<Profile>) -> Self {
        Self { desk: Desk::new(profile), framer: Framer::default(), state: State::Start }
    }

    /// The same over a connection that is encrypted already; [`Question::Tls`] comes before the greeting.
    pub fn new_secured(profile: Arc<Profile>) -> Self {
        let mut session = Self::new(profile);
        at_tls::secured(&mut session.desk);
        session
    }

    /// The handshake that [`Step::StartTls`] asked for is done. Without it nothing happens.
    pub fn secured(&mut self) {
        if let State::Handshake = self.state
            && self.desk.is_clear()
        {
            at_tls::secured(&mut self.desk);
            self.state = self.desk.ask(Question::Tls, Waiting::Tls(None));
        }
    }

    /// The next step. Takes from `input` only what it consumes; what stays must be there at the next call, with
    /// more octets behind it.
    pub fn next(&mut self, input: &mut BytesMut) -> Step {
        loop {
            if let Some(step) = self.desk.fetch() {
                return step;
            }
            // A state that is taken out leaves the safe one behind.
            self.state = match std::mem::replace(&mut self.state, State::Closed) {
                State::Start => self.desk.ask(Question::Connect, Waiting::Connect),
                State::Command => command::next(&mut self.desk, &mut self.framer, input),
                State::Octets(state) => state.next(&mut self.desk, input),
                State::Swallow(state) => state.next(&mut self.desk, input),
                State::More(state) => state.next(&mut self.desk, &mut self.framer, input),
                State::Exchange => at_auth::next(&mut self.desk, &mut self.framer, input),
                State::HandOver(state) => state.next(&mut self.desk, input),
                State::Handshake => {
                    self.desk.push(Step::Wait);
                    State::Handshake
                }
                State::Waiting(waiting) => {
                    self.desk.push(Step::Wait);
                    State::Waiting(waiting)
                }
                State::Closed => self.desk.hang_up(),
            };
        }
    }

    /// Answers the open question. An error leaves the session as it was.
    pub fn answer(&mut self, answer: Answer) -> Result<(), Misuse> {
        if !self.desk.is_clear() {
            return Err(Misuse::NotAsked);
        }
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Waiting(waiting) if waiting.fits(&answer) => {
                self.state = waiting.answer(answer, &mut self.desk);
                Ok(())
            }
            state => {
                let misuse = if matches!(state, State::Waiting(_)) { Misuse::Unfit } else { Misuse::NotAsked };
                self.state = state;
                Err(misuse)
            }
        }
    }

    /// Puts another profile in force: its limits at once, its extensions with the next answer to [`Question::Helo`].
    pub fn set_profile(&mut self, profile: Arc<Profile>) {
        self.desk.profile = profile;
    }

    /// Whether replies are written with their enhanced status codes (RFC 2034).
    pub fn statuses(&self) -> bool {
        self.desk.offered.extensions.offers("ENHANCEDSTATUSCODES")
    }

    /// The client talked before the greeting: turns it away. Call it instead of answering [`Question::Connect`].
    pub fn too_early(&mut self) {
        self.close(replies::TOO_EARLY);
    }

    /// Ends the session from outside, with this reply: time is up, or the server stops. An open question needs no
    /// answer any more.
    pub fn close(&mut self, reply: Reply) {
        if !matches!(self.state, State::Closed) {
            self.state = self.desk.close(reply);
        }
    }
}

#[cfg(test)]
mod tests;
