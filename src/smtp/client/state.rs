//! The states, named for what they await, and what they share.
//!
//! A state is consumed and gives the next one. Before it acts it asks; a state that has asked runs again from its
//! top once there is an answer, and takes no input before.

use super::auth::{self, Authenticator, Exchange};
use super::extension::Offered;
use super::insert::{self, Inserted, Then};
use super::letter::{Errand, Hop};
use super::machine::{Reason, Step};
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::question::{Change, Decision, Point, Said};
use super::reply::{ReplyError, ReplyReader, Spoken};
use super::secure::{self, StartTls};
use super::stage::Stage;
use super::transaction::Transaction;
use super::{closing, content, group, opening};
use crate::mail::Reply;
use bytes::BytesMut;
use std::collections::VecDeque;

/// How often we say hello again on one connection.
const HELLOS_MAX: u8 = 3;

/// The next state, and what to tell the driver, if anything.
pub(super) type Turn = (State, Option<Step>);

#[derive(Debug)]
pub(super) enum State {
    /// The connection is yet to be opened.
    Fresh,
    ExpectGreeting,
    /// About to say hello with this verb, and with what was granted to it.
    Hello(&'static str, Option<Change>),
    ExpectHello(&'static str),
    ExpectStartTls,
    /// The driver is at its TLS handshake.
    Handshake,
    ExpectAuth(Exchange),
    /// Between transactions. `dirty`: the last one was left in the middle, and RSET must come before the next.
    Ready {
        dirty: bool,
    },
    ExpectReset(Box<Transaction>),
    /// Waits for the reply to a command that was put in.
    ExpectInserted(Box<Inserted>),
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
            Self::Fresh => (Self::ExpectGreeting, None),
            Self::ExpectGreeting => opening::greeting(context, input),
            Self::Hello(verb, granted) => opening::hello(verb, granted, context, input),
            Self::ExpectHello(verb) => opening::answer_to_hello(verb, context, input),
            Self::ExpectStartTls => secure::answer_to_start_tls(context, input),
            Self::Handshake => secure::handshake(input),
            Self::ExpectAuth(exchange) => auth::answer(exchange, context, input),
            Self::Ready { dirty } => closing::ready(dirty, context, input),
            Self::ExpectReset(transaction) => closing::answer_to_reset(transaction, context, input),
            Self::ExpectInserted(inserted) => insert::answer(inserted, context, input),
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
            Self::Hello(..) | Self::ExpectHello(_) => Stage::Hello,
            Self::ExpectStartTls | Self::Handshake => Stage::StartTls,
            Self::ExpectAuth(_) => Stage::Auth,
            Self::Ready { .. } | Self::Closed(..) => Stage::Idle,
            Self::ExpectReset(_) => Stage::Reset,
            Self::ExpectInserted(inserted) => inserted.then.stage(),
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
            Self::ExpectInserted(inserted) => match inserted.then {
                Then::Hello(..) => Self::Closed(Reason::Because(cause), None),
                Then::Compose(transaction) => Self::Compose(transaction).break_off(cause),
            },
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
            Self::Fresh
            | Self::ExpectGreeting
            | Self::Hello(..)
            | Self::ExpectHello(_)
            | Self::ExpectStartTls
            | Self::Handshake
            | Self::ExpectAuth(_)
            | Self::Ready { .. } => Self::Closed(Reason::Because(cause), None),
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
    /// The connection is under TLS.
    pub(super) secure: bool,
    pub(super) start_tls: StartTls,
    pub(super) authenticator: Option<Box<dyn Authenticator>>,
    /// The server knows who we are.
    pub(super) authenticated: bool,
    /// No other letter goes over this connection.
    pub(super) leaving: bool,
    /// What the server says may be decided about.
    pub(super) mindful: bool,
    /// How often we had to say hello again.
    pub(super) hellos: u8,
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
            secure: false,
            start_tls: StartTls::Never,
            authenticator: None,
            authenticated: false,
            leaving: false,
            mindful: false,
            hellos: 0,
            reader: ReplyReader::default(),
            asked: None,
            answer: None,
            heard: None,
        }
    }

    /// Forgets what the server has said so far: the state is as after connecting (RFC 3207 4.2).
    pub(super) fn start_over(&mut self) {
        (self.offered, self.reader) = (Offered::default(), ReplyReader::default());
    }

    pub(super) fn asked(&self) -> Option<&Point> {
        self.asked.as_ref()
    }

    /// Whether a reply has been asked about and not been acted on.
    pub(super) fn has_heard(&self) -> bool {
        self.heard.is_some()
    }

    /// Whether we may say hello once more.
    pub(super) fn may_hello(&self) -> bool {
        self.hellos < HELLOS_MAX
    }

    pub(super) fn answer(&mut self, decision: Decision) {
        let Some(point) = self.asked.take() else { return };
        let legal = match &point {
            Point::Reply(said) => said.choices.allow(&decision),
            Point::Quit => decision == Decision::Proceed,
            _ => !matches!(decision, Decision::Go(_)),
        };
        self.answer = Some(if legal { decision } else { Decision::Proceed });
    }

    pub(super) fn forget_question(&mut self) {
        (self.asked, self.answer, self.heard) = (None, None, None);
    }

    /// The answer to this question; or the question, if it must be put first.
    pub(super) fn ask(&mut self, point: Point) -> Result<Decision, Step> {
        self.answer.take().ok_or_else(|| {
            self.asked = Some(point.clone());
            Step::Ask(point)
        })
    }

    /// The next reply, once it is whole and has been asked about. It is to no command of which anything can be decided.
    pub(super) fn hear(&mut self, input: &mut BytesMut) -> Result<Spoken, Silence> {
        self.hear_about(input, |reply| Said::plain(None, reply)).map(|(spoken, _)| spoken)
    }

    /// The same for the reply to this command.
    pub(super) fn hear_to(&mut self, verb: &'static str, input: &mut BytesMut) -> Result<Spoken, Silence> {
        self.hear_about(input, |reply| Said::plain(Some(verb), reply)).map(|(spoken, _)| spoken)
    }

    /// The next reply, and what is to be made of it. `said` tells what it is about.
    pub(super) fn hear_about(
        &mut self,
        input: &mut BytesMut,
        said: impl FnOnce(Reply) -> Said,
    ) -> Result<(Spoken, Decision), Silence> {
        if let Some(spoken) = self.heard.take() {
            return Ok((spoken, self.answer.take().unwrap_or(Decision::Proceed)));
        }
        let spoken = self.reader.read(input).map_err(Silence::Garbage)?.ok_or(Silence::Step(Step::Read))?;
        let point = Point::Reply(said(spoken.reply()));
        self.heard = Some(spoken);
        self.asked = Some(point.clone());
        Err(Silence::Step(Step::Ask(point)))
    }
}
