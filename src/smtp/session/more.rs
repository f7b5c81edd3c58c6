//! Awaits what a claimed verb wants beside its line: another line, or a counted run of octets.
//!
//! Both are bounded before memory is taken, whatever the claimant asks for.

use super::State;
use super::at_command::CommandVerdict;
use super::desk::Desk;
use super::question::{Question, Step, Want};
use super::waiting::Waiting;
use crate::mail::Reply;
use crate::smtp::exchange;
use crate::smtp::fault::Fault;
use crate::smtp::line::{Framer, LineFaultKind};
use crate::smtp::replies;
use bytes::{Bytes, BytesMut};

/// The longest line that a claimant can ask for, in octets, CRLF not counted: as long as any of AUTH.
pub const MORE_LINE_MAX: usize = exchange::LINE_MAX - CRLF;
/// The most octets that a claimant can ask for at once.
pub const MORE_OCTETS_MAX: u64 = 1 << 20;

const CRLF: usize = 2;

/// What is awaited, and for whom.
#[derive(Debug)]
pub(super) struct AwaitMore {
    verdict: CommandVerdict,
    want: Want,
}

impl AwaitMore {
    /// Replies, and waits. A claimant that wants more than it can have gets nothing.
    pub(super) fn begin(verdict: CommandVerdict, reply: Reply, want: Want, desk: &mut Desk) -> State {
        if matches!(want, Want::Octets { count } if count > MORE_OCTETS_MAX) {
            return desk.say(replies::TOO_MUCH);
        }
        desk.push(Step::Reply(reply));
        State::More(Self { verdict, want })
    }

    pub(super) fn next(self, desk: &mut Desk, framer: &mut Framer, input: &mut BytesMut) -> State {
        match self.want {
            Want::Line { max } => self.line(max.min(MORE_LINE_MAX) + CRLF, desk, framer, input),
            Want::Octets { count } => match usize::try_from(count) {
                Ok(count) if input.len() >= count => {
                    let octets = input.split_to(count).freeze();
                    self.ask(octets, desk)
                }
                _ => self.read(desk),
            },
        }
    }

    fn line(self, max: usize, desk: &mut Desk, framer: &mut Framer, input: &mut BytesMut) -> State {
        match framer.next(input, max) {
            None => self.read(desk),
            Some(Ok(line)) => self.ask(line, desk),
            Some(Err(fault)) => match fault.kind {
                LineFaultKind::TooLong => desk.say(Fault::LineTooLong(max).reply()),
                LineFaultKind::BareLf => desk.say(replies::BARE_LF),
                LineFaultKind::Tls => desk.close(replies::NOT_TLS),
            },
        }
    }

    fn read(self, desk: &mut Desk) -> State {
        desk.push(Step::Read);
        State::More(self)
    }

    fn ask(self, octets: Bytes, desk: &mut Desk) -> State {
        desk.ask(Question::More(octets), Waiting::Command(self.verdict))
    }
}
