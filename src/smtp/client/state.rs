//! The states, named for what they await, and what they share.
//!
//! A state is consumed and gives the next one. Before it acts it asks; a state that has asked runs again from its
//! top once there is an answer, and takes no input before.

use super::extension::Offered;
use super::letter::{Errand, Hop};
use super::machine::{Decision, Point, Reason, Step};
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::reply::{ReplyError, ReplyReader, Spoken};
use super::stage::Stage;
use super::transaction::Transaction;
use super::{closing, content, group, opening};
use bytes::BytesMut;
use std::collections::VecDeque;

/// The next state, and what to tell the driver, if anything.
pub(super) type Turn = (State, Option<Step>);

#[derive(Debug)]
pub(super) enum State {
    /// Nobody has been asked yet whether to connect.
    Fresh,
    ExpectGreeting,
    /// About to say hello with this verb.
    Hello(&'static str),
    ExpectHello(&'static str),
    /// Between transactions. `dirty`: the last one was left in the middle, and RSET must come before the next.
    Ready {
        dirty: bool,
    },
    ExpectReset(Box<Transaction>),
    /// Gathers the commands of the next group.
    Compose(Box<Transaction>),
    /// Waits for the replies to a group.
    ExpectGroup(Box<Transaction>),
    /// The driver streams the content.
    Content(Box<Transaction>),
    /// Waits for the reply, or under LMTP the replies, to the end of data or the last chunk.
    ExpectFinal(Box<Transaction>),
    /// About to send QUIT, for this reason.
    Leaving(Reason),
    ExpectBye(Reason),
    /// Over. Holds the outcomes of the transaction that was cut short, until they have been told.
    Closed(Reason, Option<Vec<RcptOutcome>>),
}

impl State {
    pub(super) fn next(self, context: &mut Context, input: &mut BytesMut) -> Turn {
        match self {
            Self::Fresh => opening::connect(context),
            Self::ExpectGreeting => opening::greeting(context, input),
            Self::Hello(verb) => opening::hello(verb, context, input),
            Self::ExpectHello(verb) => opening::answer_to_hello(verb, context, input),
            Self::Ready { dirty } => closing::ready(dirty, context, input),
            Self::ExpectReset(transaction) => closing::answer_to_reset(transaction, context, input),
            Self::Compose(transaction) => group::compose(transaction, context),
            Self::ExpectGroup(transaction) => group::answers(transaction, context, input),
            Self::Content(transaction) => content::send(transaction, context, input),
            Self::ExpectFinal(transaction) => content::answers(transaction, context, input),
            Self::Leaving(reason) => closing::leave(reason, context),
            Self::ExpectBye(reason) => closing::bye(reason, context, input),
            Self::Closed(reason, open) => closing::closed(reason, open, context),
        }
    }

    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Fresh => Stage::Connect,
            Self::ExpectGreeting => Stage::Greeting,
            Self::Hello(_) | Self::ExpectHello(_) => Stage::Hello,
            Self::Ready { .. } | Self::Closed(..) => Stage::Idle,
            Self::ExpectReset(_) => Stage::Reset,
            Self::Compose(transaction) | Self::ExpectGroup(transaction) => transaction.stage(),
            Self::Content(transaction) if transaction.chunking => Stage::Chunk,
            Self::Content(_) => Stage::Content,
            Self::ExpectFinal(_) => Stage::Dot,
            Self::Leaving(_) | Self::ExpectBye(_) => Stage::Quit,
        }
    }

    /// The connection can't go on: settles what is open with this cause.
    pub(super) fn break_off(self, cause: Cause) -> Self {
        match self {
            Self::ExpectReset(transaction)
            | Self::Compose(transaction)
            | Self::ExpectGroup(transaction)
            | Self::Content(transaction)
            | Self::ExpectFinal(transaction) => {
                let outcomes = transaction.settle(&cause);
                Self::Closed(Reason::Because(cause), Some(outcomes))
            }
            Self::Leaving(reason) | Self::ExpectBye(reason) => Self::Closed(reason, None),
            Self::Closed(..) => self,
            Self::Fresh | Self::ExpectGreeting | Self::Hello(_) | Self::ExpectHello(_) | Self::Ready { .. } => {
                Self::Closed(Reason::Because(cause), None)
            }
        }
    }

    /// The same for what the server did wrong at this place.
    pub(super) fn misbehaved(self, trouble: Trouble) -> Turn {
        let stage = self.stage();
        (self.break_off(Cause::Trouble { stage, trouble }), None)
    }

    /// The turn when no whole reply is there: read on, ask about it first, or give up.
    pub(super) fn without_reply(self, silence: Silence) -> Turn {
        match silence {
            Silence::Step(step) => (self, Some(step)),
            Silence::Garbage(error) => self.misbehaved(Trouble::Garbage(error)),
        }
    }
}

/// Why there is no reply to act on.
#[derive(Debug)]
pub(super) enum Silence {
    /// This has to be done first.
    Step(Step),
    /// What came is none.
    Garbage(ReplyError),
}

/// What the states share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) hop: Hop,
    pub(super) offered: Offered,
    pub(super) errands: VecDeque<Errand>,
    pub(super) quitting: bool,
    reader: ReplyReader,
    /// The open question.
    asked: Option<Point>,
    /// The answer to the last one, until it is used.
    answer: Option<Decision>,
    /// A reply that is being asked about.
    heard: Option<Spoken>,
}

impl Context {
    pub(super) fn new(hop: Hop) -> Self {
        Self {
            hop,
            offered: Offered::default(),
            errands: VecDeque::new(),
            quitting: false,
            reader: ReplyReader::default(),
            asked: None,
            answer: None,
            heard: None,
        }
    }

    pub(super) fn asked(&self) -> Option<&Point> {
        self.asked.as_ref()
    }

    /// Whether a reply has been asked about and not been acted on.
    pub(super) fn has_heard(&self) -> bool {
        self.heard.is_some()
    }

    pub(super) fn answer(&mut self, decision: Decision) {
        if self.asked.take().is_some() {
            self.answer = Some(decision);
        }
    }

    pub(super) fn forget_question(&mut self) {
        (self.asked, self.answer, self.heard) = (None, None, None);
    }

    /// `Some`: the question must be put. `None`: it has been answered, and the state may act.
    pub(super) fn ask(&mut self, point: Point) -> Option<Step> {
        match self.answer.take() {
            Some(Decision::Proceed) => None,
            None => {
                self.asked = Some(point.clone());
                Some(Step::Ask(point))
            }
        }
    }

    /// The next reply, once it is whole and has been asked about.
    pub(super) fn hear(&mut self, input: &mut BytesMut) -> Result<Spoken, Silence> {
        if let Some(spoken) = self.heard.take() {
            match self.answer.take() {
                Some(Decision::Proceed) | None => return Ok(spoken),
            }
        }
        let spoken = self.reader.read(input).map_err(Silence::Garbage)?.ok_or(Silence::Step(Step::Read))?;
        let point = Point::Reply(spoken.reply());
        self.heard = Some(spoken);
        self.asked = Some(point.clone());
        Err(Silence::Step(Step::Ask(point)))
    }
}
