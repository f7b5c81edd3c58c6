//! Swallows the octets of a BDAT chunk that is refused, and replies behind them (RFC 3030 2).

use super::State;
use super::desk::Desk;
use super::question::Step;
use crate::mail::Reply;
use bytes::{Buf, BytesMut};

/// Octets to come, and the reply behind them.
#[derive(Debug)]
pub(super) struct SwallowChunk {
    left: u64,
    reply: Reply,
    times: usize,
    /// The chunk was the transaction's, which its refusal ends.
    ends: bool,
}

impl SwallowChunk {
    /// A chunk out of turn: the transaction, if any, goes on.
    pub(super) fn stray(size: u64, reply: Reply) -> State {
        State::Swallow(Self { left: size, reply, times: 1, ends: false })
    }

    /// A chunk of the transaction. `last`: on LMTP each recipient has its reply.
    pub(super) fn of_transaction(size: u64, last: bool, reply: Reply, desk: &mut Desk) -> State {
        let times = if last { desk.replies_due() } else { 1 };
        State::Swallow(Self { left: size, reply, times, ends: true })
    }

    pub(super) fn next(mut self, desk: &mut Desk, input: &mut BytesMut) -> State {
        let take = input.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        input.advance(take);
        self.left -= take as u64;
        if self.left > 0 {
            desk.push(Step::Read);
            return State::Swallow(self);
        }
        if self.ends {
            desk.drop_transaction(self.times);
        }
        desk.say_times(self.reply, self.times)
    }
}
