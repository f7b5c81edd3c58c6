//! What is there at each event: session, message, and what the event is about.

use super::handles::{Message, Outbound, Outgoing, Recipient, Session};
use super::state::State;
use crate::Fault;
use crate::catalogue::{EventType, on};
use std::rc::Rc;

/// Everything that an event may show.
#[doc(hidden)]
pub struct Stage {
    pub(super) state: Rc<State>,
    pub(super) session: Session,
    pub(super) message: Message,
    recipient: Option<Recipient>,
    reply: Outgoing,
    outbound: Outbound,
}

impl Stage {
    pub(super) fn new(state: &Rc<State>) -> Self {
        Self {
            state: state.clone(),
            session: Session(state.clone()),
            message: Message(state.clone()),
            recipient: Recipient::last(state),
            reply: Outgoing(state.clone()),
            outbound: Outbound(state.clone()),
        }
    }

    fn recipient(&self) -> Result<&Recipient, Fault> {
        self.recipient.as_ref().ok_or_else(|| Fault::error("the world has no recipient: World::new().recipient(\"…\")"))
    }
}

/// An event that a [`World`](super::World) can raise: all can be.
pub trait Staged: EventType {
    #[doc(hidden)]
    const HAS_SESSION: bool;
    #[doc(hidden)]
    const HAS_MESSAGE: bool;
    /// What the event is about.
    #[doc(hidden)]
    fn focus(stage: &Stage) -> Result<Self::Focus<'_>, Fault>;
}

macro_rules! staged {
    ($($event:ident $session:literal $message:literal |$stage:ident| $focus:expr;)+) => {
        $(impl Staged for on::$event {
            const HAS_SESSION: bool = $session;
            const HAS_MESSAGE: bool = $message;
            fn focus($stage: &Stage) -> Result<Self::Focus<'_>, Fault> {
                Ok($focus)
            }
        })+
    };
}

// The event; whether it shows a session, and a message if there is one; what it is about.
staged! {
    InConnect true false |_stage| ();
    InHelo true false |stage| stage.state.command.clone();
    InTls true false |_stage| ();
    InAuth true false |stage| stage.state.credentials.clone();
    InMail true true |_stage| ();
    InRcpt true true |stage| stage.recipient()?;
    InData true true |_stage| ();
    InHeaders true true |_stage| ();
    InMessage true true |_stage| ();
    InCommand true true |stage| stage.state.command.clone();
    InReply true true |stage| &stage.reply;
    InDisconnect true false |_stage| ();
    TransportOversize true true |stage| stage.state.excess;
    TransportSubmit true true |_stage| ();
    TransportPreCategorize true true |_stage| ();
    TransportCategorize true true |stage| stage.recipient()?;
    TransportPostCategorize true true |_stage| ();
    TransportRoute true true |stage| stage.state.leg();
    TransportDeliver true true |stage| stage.state.leg();
    TransportDelivered true true |stage| stage.state.leg();
    TransportDeferred true true |stage| stage.state.leg();
    TransportFailed true true |stage| stage.state.leg();
    TransportDsn true true |_stage| ();
    OutConnect true true |stage| &stage.outbound;
    OutHelo true true |stage| &stage.outbound;
    OutMessage true true |stage| &stage.outbound;
    OutMail true true |stage| &stage.outbound;
    OutRcpt true true |stage| &stage.outbound;
    OutData true true |stage| &stage.outbound;
    OutReply true true |stage| &stage.outbound;
    OutQuit true false |stage| stage.state.leg();
    OutDisconnect true false |stage| stage.state.leg();
    DnsResolve false false |stage| stage.state.question.clone();
    Track false false |stage| stage.state.step.to_string();
    ServerStart false false |_stage| ();
    ServerReload false false |_stage| ();
    ServerShutdown false false |_stage| ();
}
