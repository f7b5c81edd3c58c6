//! What the server has lent for the call that is going on.
//!
//! A borrowed resource must not be used after the call that brought it. QuickJS's functions outlive every call, so they can't hold
//! the borrow: they find it here, where it stands from the beginning of a call to its end and not a moment longer. What a script
//! has kept finds nothing. This is the one place that turns a borrow into a pointer.

use crate::wit::mailsluice::sink::types::{
    Command, Credentials, Excess, Leg, Message, Outbound, Outgoing, Question, Recipient, Session,
};
use rquickjs::{Ctx, Exception, Result};
use std::cell::{OnceCell, RefCell};
use std::ptr::NonNull;

/// What one call brings; each event has some of it.
#[derive(Default)]
pub(crate) struct Call {
    session: Option<Lent<Session>>,
    message: Option<Lent<Message>>,
    at_hand: Option<Lent<Recipient>>,
    outgoing: Option<Lent<Outgoing>>,
    outbound: Option<Lent<Outbound>>,
    command: Option<Command>,
    credentials: Option<Credentials>,
    excess: Option<Excess>,
    leg: Option<Leg>,
    question: Option<Question>,
    /// As JSON.
    step: Option<String>,
    /// The message's own, fetched when they are first asked for.
    recipients: OnceCell<Vec<Recipient>>,
}

impl Call {
    /// A call that has a session.
    pub(crate) fn of(session: &Session) -> Self {
        Self { session: Some(Lent::new(session)), ..Self::default() }
    }

    /// With a message, or a transaction on the way to one.
    pub(crate) fn message<'a>(mut self, message: impl Into<Option<&'a Message>>) -> Self {
        self.message = message.into().map(Lent::new);
        self
    }

    /// With the recipient at hand.
    pub(crate) fn at_hand(mut self, recipient: &Recipient) -> Self {
        self.at_hand = Some(Lent::new(recipient));
        self
    }

    /// With a reply that is about to be written.
    pub(crate) fn outgoing(mut self, reply: &Outgoing) -> Self {
        self.outgoing = Some(Lent::new(reply));
        self
    }

    /// With what our client is about to do.
    pub(crate) fn outbound(mut self, outbound: &Outbound) -> Self {
        self.leg = Some(outbound.leg());
        self.outbound = Some(Lent::new(outbound));
        self
    }

    /// With a command.
    pub(crate) fn command(mut self, command: Command) -> Self {
        self.command = Some(command);
        self
    }

    /// With what a client has presented to log in.
    pub(crate) fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// With an excess.
    pub(crate) fn excess(mut self, excess: Excess) -> Self {
        self.excess = Some(excess);
        self
    }

    /// With a leg of the message's way.
    pub(crate) fn leg(mut self, leg: Leg) -> Self {
        self.leg = Some(leg);
        self
    }

    /// A call that has a question of the DNS, and nothing else.
    pub(crate) fn of_question(question: Question) -> Self {
        Self { question: Some(question), ..Self::default() }
    }

    /// A call that has a step, and nothing else.
    pub(crate) fn of_step(json: String) -> Self {
        Self { step: Some(json), ..Self::default() }
    }

    /// Puts it where natives find it, until `work` returns.
    pub(crate) fn during<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.set(Some(self));
        let _end = End;
        work()
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Call>> = const { RefCell::new(None) };
}

/// Ends the call when it is dropped.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// A borrow whose lifetime is kept by hand: by [`Call::during`].
struct Lent<T>(NonNull<T>);

impl<T> Lent<T> {
    fn new(borrowed: &T) -> Self {
        Self(NonNull::from(borrowed))
    }

    #[expect(unsafe_code, reason = "the compiler can't see that a call ends before what it was lent")]
    fn get(&self) -> &T {
        // SAFETY: a `Call` is made of references that its maker holds while `during` runs, and is gone when `during` returns;
        // this reference borrows from the `Call`.
        unsafe { self.0.as_ref() }
    }
}

/// What a native asks of the call.
fn with<'js, T>(ctx: &Ctx<'js>, what: &str, ask: impl FnOnce(&Call) -> Option<T>) -> Result<T> {
    let found = CURRENT.with_borrow(|call| call.as_ref().and_then(ask));
    found.ok_or_else(|| Exception::throw_message(ctx, &format!("there is no {what} at this event")))
}

/// Works with the session.
pub(crate) fn session<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Session) -> T) -> Result<T> {
    with(ctx, "session", |call| call.session.as_ref().map(|lent| work(lent.get())))
}

/// Works with the message.
pub(crate) fn message<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Message) -> T) -> Result<T> {
    with(ctx, "message", |call| call.message.as_ref().map(|lent| work(lent.get())))
}

/// Works with the reply about to be written.
pub(crate) fn outgoing<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Outgoing) -> T) -> Result<T> {
    with(ctx, "reply", |call| call.outgoing.as_ref().map(|lent| work(lent.get())))
}

/// Works with what our client is about to do.
pub(crate) fn outbound<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Outbound) -> T) -> Result<T> {
    with(ctx, "outbound dialogue", |call| call.outbound.as_ref().map(|lent| work(lent.get())))
}

/// Works with the command.
pub(crate) fn command<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Command) -> T) -> Result<T> {
    with(ctx, "command", |call| call.command.as_ref().map(work))
}

/// Works with what a client has presented to log in.
pub(crate) fn credentials<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Credentials) -> T) -> Result<T> {
    with(ctx, "login", |call| call.credentials.as_ref().map(work))
}

/// Works with the excess.
pub(crate) fn excess<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Excess) -> T) -> Result<T> {
    with(ctx, "excess", |call| call.excess.as_ref().map(work))
}

/// Works with the leg.
pub(crate) fn leg<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Leg) -> T) -> Result<T> {
    with(ctx, "leg", |call| call.leg.as_ref().map(work))
}

/// Works with the question.
pub(crate) fn question<T>(ctx: &Ctx<'_>, work: impl FnOnce(&Question) -> T) -> Result<T> {
    with(ctx, "question", |call| call.question.as_ref().map(work))
}

/// The step, as JSON.
pub(crate) fn step(ctx: &Ctx<'_>) -> Result<String> {
    with(ctx, "step", |call| call.step.clone())
}

/// Works with a recipient: the message's by its index, or the one at hand for a negative one.
pub(crate) fn recipient<T>(ctx: &Ctx<'_>, index: i32, work: impl FnOnce(&Recipient) -> T) -> Result<T> {
    with(ctx, "recipient", |call| match usize::try_from(index) {
        Ok(index) => call.recipients()?.get(index).map(work),
        Err(_) => call.at_hand.as_ref().map(|lent| work(lent.get())),
    })
}

/// How many recipients the message has.
pub(crate) fn recipient_count(ctx: &Ctx<'_>) -> Result<usize> {
    with(ctx, "message", |call| call.recipients().map(Vec::len))
}

/// Whether there is a session.
pub(crate) fn has_session() -> bool {
    CURRENT.with_borrow(|call| call.as_ref().is_some_and(|call| call.session.is_some()))
}

/// Whether there is a message.
pub(crate) fn has_message() -> bool {
    CURRENT.with_borrow(|call| call.as_ref().is_some_and(|call| call.message.is_some()))
}

impl Call {
    fn recipients(&self) -> Option<&Vec<Recipient>> {
        let message = self.message.as_ref()?;
        Some(self.recipients.get_or_init(|| message.get().recipients()))
    }
}
