//! What one sink says, and what the dispatcher makes of what all said.

use super::binding::Place;
use super::catalogue::{AnswerKind, Event, OnFault, Spec, VerdictKind};
use super::command::CommandAnswer;
use super::leg::{Resolution, RouteHop, SinkOutcome};
use super::login::Login;
use crate::mail::{Class, EnhancedCode, Reply, one_line};
use crate::smtp::client::Next;
use std::time::Duration;

/// What one sink says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// No objection.
    Next,
    /// No objection, and no later sink need look, but for bindings that are `always` called.
    SkipRest,
    /// Handled here.
    Answer(Answer),
    /// Permanent refusal; without a reply, the event's own.
    Reject(Option<Reply>),
    /// Temporary refusal; after acceptance, another try after this time.
    Defer(Option<Reply>, Option<Duration>),
    /// Refuse and close.
    Disconnect(Option<Reply>),
    /// Accept and drop.
    Discard,
    /// Accept and park, for this reason.
    Hold(String),
}

/// The value of an `answer`; each event takes one type only.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A reply to the command, and what is to happen then.
    Command(CommandAnswer),
    /// Who a client is, or what it is asked next.
    Login(Login),
    /// A limit in octets.
    Limit(u64),
    /// What a recipient resolves to.
    Resolution(Resolution),
    /// The hops to try in turn.
    Route(Vec<RouteHop>),
    /// What became of each recipient that was due.
    Outcomes(Vec<SinkOutcome>),
    /// How the outbound session goes on after a reply.
    Step(Next),
    /// Records of the DNS, in presentation form, as [`Dns::lookup`](super::host::Dns::lookup) gives them. None: there are none.
    Records(Vec<String>),
}

impl Answer {
    /// Its type in the catalogue.
    pub fn kind(&self) -> AnswerKind {
        match self {
            Self::Command(_) => AnswerKind::Reply,
            Self::Login(_) => AnswerKind::Identity,
            Self::Limit(_) => AnswerKind::Limit,
            Self::Resolution(_) => AnswerKind::Resolution,
            Self::Route(_) => AnswerKind::Route,
            Self::Outcomes(_) => AnswerKind::Outcomes,
            Self::Step(_) => AnswerKind::Step,
            Self::Records(_) => AnswerKind::Records,
        }
    }
}

impl From<CommandAnswer> for Answer {
    fn from(answer: CommandAnswer) -> Self {
        Self::Command(answer)
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Command(reply.into())
    }
}

impl From<Login> for Answer {
    fn from(login: Login) -> Self {
        Self::Login(login)
    }
}

impl From<u64> for Answer {
    fn from(limit: u64) -> Self {
        Self::Limit(limit)
    }
}

impl From<Resolution> for Answer {
    fn from(resolution: Resolution) -> Self {
        Self::Resolution(resolution)
    }
}

impl From<Vec<RouteHop>> for Answer {
    fn from(hops: Vec<RouteHop>) -> Self {
        Self::Route(hops)
    }
}

impl From<Vec<SinkOutcome>> for Answer {
    fn from(outcomes: Vec<SinkOutcome>) -> Self {
        Self::Outcomes(outcomes)
    }
}

impl From<Next> for Answer {
    fn from(next: Next) -> Self {
        Self::Step(next)
    }
}

impl From<Vec<String>> for Answer {
    fn from(records: Vec<String>) -> Self {
        Self::Records(records)
    }
}

/// What the core acts on.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nobody objected.
    Proceed,
    /// A sink handled it.
    Answer(Answer),
    /// Refuse for good with this 5xx.
    Reject(Reply),
    /// Refuse for now with this 4xx; after acceptance, try again after this time.
    Defer(Reply, Option<Duration>),
    /// Say this and close.
    Disconnect(Reply),
    /// Accept and drop.
    Discard,
    /// Accept and park.
    Hold {
        /// Why.
        reason: String,
        /// The binding that held, behind which a release goes on.
        place: Place,
    },
}

impl Verdict {
    /// Its name in the catalogue.
    pub fn kind(&self) -> VerdictKind {
        match self {
            Self::Next => VerdictKind::Next,
            Self::SkipRest => VerdictKind::SkipRest,
            Self::Answer(_) => VerdictKind::Answer,
            Self::Reject(_) => VerdictKind::Reject,
            Self::Defer(..) => VerdictKind::Defer,
            Self::Disconnect(_) => VerdictKind::Disconnect,
            Self::Discard => VerdictKind::Discard,
            Self::Hold(_) => VerdictKind::Hold,
        }
    }

    /// As ledgers and logs name it.
    pub fn name(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The verdict that a fault stands for under `policy`.
    pub(super) fn of_policy(policy: OnFault, sink: &str) -> Self {
        match policy {
            OnFault::Continue => Self::Next,
            OnFault::Defer => Self::Defer(Some(FAULT), None),
            OnFault::Reject => Self::Reject(Some(FAULT_FOR_GOOD)),
            OnFault::Hold => Self::Hold(format!("sink `{sink}` failed")),
        }
    }

    /// The decision that ends the chain, if this verdict does.
    pub(super) fn decide(self, spec: &Spec, place: impl FnOnce() -> Place) -> Option<Decision> {
        Some(match self {
            Self::Next | Self::SkipRest => return None,
            Self::Answer(answer) => Decision::Answer(answer),
            Self::Reject(reply) => Decision::Reject(in_class(reply, Class::Permanent, spec.event)),
            Self::Defer(reply, after) => Decision::Defer(in_class(reply, Class::Transient, spec.event), after),
            Self::Disconnect(reply) => Decision::Disconnect(match reply {
                Some(reply) if matches!(reply.class(), Class::Transient | Class::Permanent) => reply,
                Some(reply) => GOING.with_text(reply.text()),
                None => GOING,
            }),
            Self::Discard => Decision::Discard,
            Self::Hold(reason) => Decision::Hold { reason: one_line(reason), place: place() },
        })
    }
}

impl VerdictKind {
    /// As manifests, ledgers and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::SkipRest => "skip-rest",
            Self::Answer => "answer",
            Self::Reject => "reject",
            Self::Defer => "defer",
            Self::Disconnect => "disconnect",
            Self::Discard => "discard",
            Self::Hold => "hold",
        }
    }
}

const FAULT: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "Local error in processing, please try again later");
const FAULT_FOR_GOOD: Reply = Reply::new(554, EnhancedCode(5, 3, 0), "Local error in processing");
const GOING: Reply = Reply::new(421, EnhancedCode(4, 7, 0), "Closing the connection by local policy");

/// Whether the reply is the core's own about a fault. Sinks can't change it: it must not be a sink that hides another's failure.
pub fn is_of_fault(reply: &Reply) -> bool {
    *reply == FAULT || *reply == FAULT_FOR_GOOD
}

/// The reply, if its class is the verdict's; else the event's own code with the sink's text.
fn in_class(reply: Option<Reply>, class: Class, event: Event) -> Reply {
    let standard = standard(class, event);
    match reply {
        None => standard,
        Some(reply) if reply.class() == class => reply,
        Some(reply) => standard.with_text(reply.text()),
    }
}

/// The code, status and text of a refusal at `event` whose sink gave none.
pub fn standard(class: Class, event: Event) -> Reply {
    let permanent = class == Class::Permanent;
    match event {
        Event::InConnect if permanent => {
            Reply::new(554, EnhancedCode(5, 7, 1), "No mail from you here, by local policy")
        }
        Event::InConnect => Reply::new(421, EnhancedCode(4, 7, 1), "Not now, please try again later"),
        // One text for all that can be wrong (RFC 4954 6).
        Event::InAuth if permanent => Reply::new(535, EnhancedCode(5, 7, 8), "Authentication credentials invalid"),
        Event::InAuth => Reply::new(454, EnhancedCode(4, 7, 0), "Temporary authentication failure"),
        Event::TransportOversize if permanent => Reply::new(552, EnhancedCode(5, 3, 4), "Message too big"),
        _ if permanent => Reply::new(550, EnhancedCode(5, 7, 1), "Refused by local policy"),
        _ => Reply::new(451, EnhancedCode(4, 7, 1), "Not now, please try again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(verdict: Verdict) -> Option<Decision> {
        verdict.decide(Event::InRcpt.spec(), Place::default)
    }

    #[test]
    fn a_reply_s_class_is_the_verdict_s() {
        let ok = Reply::foreign(250, None, "ok");
        let Some(Decision::Reject(reply)) = decide(Verdict::Reject(Some(ok.clone()))) else { panic!() };
        assert_eq!(reply.to_string(), "550 5.7.1 ok");
        let Some(Decision::Defer(reply, None)) = decide(Verdict::Defer(Some(Reply::foreign(550, None, "x")), None))
        else {
            panic!()
        };
        assert_eq!(reply.to_string(), "451 4.7.1 x");
        let Some(Decision::Disconnect(reply)) = decide(Verdict::Disconnect(Some(ok))) else { panic!() };
        assert_eq!(reply.code(), 421);
        assert_eq!(decide(Verdict::SkipRest), None);
        let Some(Decision::Hold { reason, .. }) = decide(Verdict::Hold("a\r\nb".into())) else { panic!() };
        assert_eq!(reason, "a  b");
    }
}
