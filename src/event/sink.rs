//! The trait that every sink implements, native, module or script.
//!
//! Most native sinks implement the typed traits of [`typed`](super::typed) instead and let
//! [`hears!`](crate::hears) write this one.

use super::catalogue::Event;
use super::claim::VerbClaim;
use super::edit::Edits;
use super::fault::Fault;
use super::scene::Scene;
use super::verdict::Verdict;
use std::any::Any;
use std::future::Future;
use std::pin::Pin;

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A sink's answer to a call, in one of three forms.
pub enum Hearing<'a> {
    /// Answered at once: the fast path, without allocation.
    Now(Result<Verdict, Fault>),
    /// Answered by a future, which is polled once before a timer is armed.
    Later(BoxFuture<'a, Result<Verdict, Fault>>),
    /// Answered by a call that blocks; it runs on a bounded pool of threads. One that overruns its deadline
    /// can't be stopped: its result is dropped when it comes.
    Blocking(Box<dyn FnOnce() -> Result<(Verdict, Edits), Fault> + Send>),
}

/// Code registered for events.
///
/// `hear` is called once per event and binding, from many sessions at a time, and never again for the same event. A panic
/// is a fault like any other; the sink goes on being called until its breaker opens.
pub trait Sink: Any + Send + Sync {
    /// What the sink wants to hear and claims. Read once, when it is loaded.
    fn interest(&self) -> Interest;

    /// How it does, if it is a module or script.
    fn vitals(&self) -> Option<Vitals> {
        None
    }

    /// One event. Edits count only if the call returns well.
    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a>;
}

/// How a module or script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// `module` or `script`.
    pub kind: &'static str,
    /// How long an instance lives.
    pub reuse: Reuse,
    /// Instances that wait to be used again.
    pub parked: usize,
    /// Lines of its log that were left out.
    pub left_out: u64,
}

/// What a sink wants to hear and claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// The events that it answers. A binding to another one is an error.
    pub events: Vec<Event>,
    /// What must be fetched for it after acceptance, when a message lies in the spool.
    pub needs: Needs,
    /// What it adds to the protocol.
    pub claims: Claims,
}

impl Interest {
    /// These events, with whole messages, and no claims.
    pub fn in_events(events: impl IntoIterator<Item = Event>) -> Self {
        Self { events: events.into_iter().collect(), ..Self::default() }
    }
}

/// The parts of a message that a sink reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Header fields.
    pub header: bool,
    /// The body.
    pub body: bool,
}

impl Default for Needs {
    fn default() -> Self {
        Self { header: true, body: true }
    }
}

/// Verbs, parameters and keywords that a sink adds to the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Verbs, with the conditions under which they are there: raised as `in.command`.
    pub verbs: Vec<VerbClaim>,
    /// Parameters of MAIL, in upper case: kept with the envelope.
    pub mail_params: Vec<String>,
    /// Parameters of RCPT, in upper case: kept with the recipient.
    pub rcpt_params: Vec<String>,
    /// SASL mechanisms, in upper case: each step is raised as `in.auth`.
    pub auth_mechanisms: Vec<String>,
    /// EHLO keywords, with their arguments.
    pub keywords: Vec<String>,
}

/// How long an instance of a module or script lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// `"call"`: one call.
    #[default]
    Call,
    /// `"transaction"`: all calls of one transaction.
    Transaction,
    /// `"pool"`: it is taken from a pool, and put back.
    Pool,
}

impl Reuse {
    /// As manifests name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Transaction => "transaction",
            Self::Pool => "pool",
        }
    }
}
