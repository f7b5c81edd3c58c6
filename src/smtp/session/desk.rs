//! What all states of a session share: the profile, the place in the order of commands, the counts, and the steps
//! that wait to be fetched.
//!
//! The counts of errors and idle commands begin anew with each accepted message.

use super::State;
use super::order::Place;
use super::question::{Question, Step};
use super::standing::Standing;
use super::waiting::Waiting;
use crate::mail::{Class, Reply};
use crate::smtp::body::{Body, SizeLimit};
use crate::smtp::chunk::Chunk;
use crate::smtp::profile::Profile;
use crate::smtp::replies;
use std::collections::VecDeque;
use std::sync::Arc;

/// How far the session has come, with what belongs to that.
#[derive(Debug)]
pub(super) enum Stage {
    Refused,
    Connected,
    Ready,
    Open(Transaction),
}

/// MAIL to the reply after the data.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) smtputf8: bool,
    /// BODY=BINARYMIME was given.
    pub(super) binary: bool,
    /// Accepted RCPTs.
    pub(super) recipients: usize,
    pub(super) size: SizeLimit,
    /// The message between two chunks of BDAT.
    pub(super) chunks: Option<(Chunk, Body)>,
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) profile: Arc<Profile>,
    /// The profile whose extensions the client was told of.
    pub(super) offered: Arc<Profile>,
    pub(super) stage: Stage,
    pub(super) standing: Standing,
    /// What a client that was refused after its handshake hears, for it had no reply then.
    pub(super) refusal: Option<Reply>,
    steps: VecDeque<Step>,
    errors: u32,
    idle: u32,
}

impl Desk {
    pub(super) fn new(profile: Arc<Profile>) -> Self {
        let offered = profile.clone();
        Self {
            profile,
            offered,
            stage: Stage::Connected,
            standing: Standing::default(),
            refusal: None,
            steps: VecDeque::new(),
            errors: 0,
            idle: 0,
        }
    }

    pub(super) fn push(&mut self, step: Step) {
        self.steps.push_back(step);
    }

    pub(super) fn fetch(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Whether every step was fetched.
    pub(super) fn is_clear(&self) -> bool {
        self.steps.is_empty()
    }

    /// Asks, and waits.
    pub(super) fn ask(&mut self, question: Question, waiting: Waiting) -> State {
        self.push(Step::Ask(question));
        State::Waiting(waiting)
    }

    /// Replies, and goes on to the next command.
    pub(super) fn say(&mut self, reply: Reply) -> State {
        self.say_all([reply])
    }

    /// The same reply so many times.
    pub(super) fn say_times(&mut self, reply: Reply, times: usize) -> State {
        self.say_all(std::iter::repeat_n(reply, times))
    }

    /// The replies of one command: one error, if all are 5yz.
    pub(super) fn say_all(&mut self, replies: impl IntoIterator<Item = Reply>) -> State {
        let mut failed = true;
        for reply in replies {
            failed &= reply.class() == Class::Permanent;
            self.push(Step::Reply(reply));
        }
        self.errors = self.errors.saturating_add(u32::from(failed));
        if self.errors > 0 && self.errors >= self.profile.limits.errors {
            return self.close(replies::TOO_MANY_ERRORS);
        }
        State::Command
    }

    /// Replies, and closes.
    pub(super) fn close(&mut self, reply: Reply) -> State {
        self.push(Step::Reply(reply));
        self.hang_up()
    }

    pub(super) fn hang_up(&mut self) -> State {
        self.push(Step::Close);
        State::Closed
    }

    /// Counts a command without a message. `false`: there were too many.
    pub(super) fn idle(&mut self) -> bool {
        self.idle = self.idle.saturating_add(1);
        self.idle <= self.profile.limits.idle_commands
    }

    /// A message was accepted: the counts begin anew.
    pub(super) fn accepted(&mut self) {
        self.errors = 0;
        self.idle = 0;
    }

    pub(super) fn place(&self) -> Place {
        match &self.stage {
            Stage::Refused => Place::Refused,
            Stage::Connected => Place::Connected,
            Stage::Ready => Place::Ready,
            Stage::Open(t) if t.chunks.is_some() => Place::Chunks,
            Stage::Open(t) if t.recipients > 0 => {
                if t.binary {
                    Place::Binary
                } else {
                    Place::Rcpt
                }
            }
            Stage::Open(_) => Place::Mail,
        }
    }

    pub(super) fn transaction(&mut self) -> Option<&mut Transaction> {
        match &mut self.stage {
            Stage::Open(transaction) => Some(transaction),
            _ => None,
        }
    }

    /// Ends the transaction, if one is open, without a word.
    pub(super) fn end_transaction(&mut self) -> bool {
        let open = matches!(self.stage, Stage::Open(_));
        if open {
            self.stage = Stage::Ready;
        }
        open
    }

    /// Has the driver drop the transaction, if one is open. `replies` that follow still belong to it.
    pub(super) fn drop_transaction(&mut self, replies: usize) {
        if self.end_transaction() {
            self.push(Step::Drop { replies });
        }
    }

    /// How many replies the end of the message has: on LMTP one for each accepted RCPT (RFC 2033 4.2).
    pub(super) fn replies_due(&mut self) -> usize {
        let lmtp = self.profile.lmtp;
        self.transaction().filter(|_| lmtp).map_or(1, |t| t.recipients.max(1))
    }
}
