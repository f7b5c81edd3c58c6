//! The smallest stage on which `in.rcpt` can be raised: a dispatcher of no-op sinks, and what the core lends for one RCPT.
//!
//! Included by path where the seam is timed, counted, and watched for allocations. Nothing here waits, so there is no runtime.

use mailsluice::config::{Diagnostics, parse};
use mailsluice::event::rule::Rule;
use mailsluice::event::rule::compile::compile;
use mailsluice::event::transaction::Candidate;
use mailsluice::event::{
    Binding, Decision, Dispatcher, Event, Fault, Files, Focus, Heard, Ledger, On, Registered, Ruling, SessionState,
    Stage, Transaction, on,
};
use mailsluice::mail::{Door, Envelope, ForwardPath, Id, Origin, Recipient, ReversePath, Role, Standing, Timestamp};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Answers at once, with nothing.
struct NoOp;

impl On<on::InRcpt> for NoOp {
    fn on(&self, heard: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        black_box(heard.recipient());
        Ok(Ruling::next())
    }
}

mailsluice::hears!(NoOp { InRcpt: now });

/// So many bindings of no-op sinks, all with this rule.
pub(crate) fn dispatcher(sinks: usize, rule: Option<&str>) -> Dispatcher {
    let rule = rule.map(compiled);
    let binding = |n: usize| {
        let sink = Arc::new(Registered::new(format!("sink{n}"), Arc::new(NoOp), false));
        Binding { rule: rule.clone(), ..Binding::new(sink, Event::InRcpt) }
    };
    Dispatcher::new((0..sinks).map(binding).collect())
}

/// A rule of `in.rcpt`, from its text.
pub(crate) fn compiled(text: &str) -> Rule {
    let mut found = Diagnostics::default();
    let id = found.sources.add("sinks.toml", text);
    let root = parse(id, &mut found).expect("the rule is TOML");
    let rule = compile(&root, Some(Event::InRcpt), &mut Files::default(), &mut found);
    assert!(found.is_empty(), "{found}");
    rule
}

/// What the core lends for a RCPT.
pub(crate) struct World {
    origin: Origin,
    session: SessionState,
    transaction: Transaction,
    candidate: Candidate,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut origin = Origin::door(Door::Smtp);
        origin.role = Some(Role::Mx);
        origin.client = "192.0.2.1".parse().ok();
        origin.helo = Some("mx.example.org".into());
        let sender = ReversePath::parse("bob@example.org").expect("an address");
        let path = ForwardPath::parse("alice@example.com").expect("an address");
        let recipient = Recipient::new(path, Standing::Local);
        Self {
            origin,
            session: SessionState::new(Id(1)),
            transaction: Transaction::new(Id(2), Timestamp(0), Envelope::new(sender), Ledger::default()),
            candidate: Candidate { recipient, added: Vec::new(), vouched: false },
        }
    }

    /// Raises `in.rcpt` once: the decision, and how many entries it made in the ledger. Without the ledger, there is neither
    /// session nor transaction to keep it.
    pub(crate) fn raise(&mut self, dispatcher: &Dispatcher, ledger: bool) -> (Decision, usize) {
        let mut stage = Stage {
            origin: &self.origin,
            session: ledger.then_some(&mut self.session),
            transaction: ledger.then_some(&mut self.transaction),
            focus: Focus::Recipient(&mut self.candidate),
            delay: Duration::ZERO,
            answered: None,
        };
        let decision = at_once(dispatcher.raise(Event::InRcpt, &mut stage));
        let entries = self.transaction.ledger.entries.len();
        // As the next transaction begins. The memory stays, so that it is not its growth that is measured.
        self.transaction.ledger.entries.clear();
        (decision, entries)
    }
}

/// Polls once: nothing here waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a sink that answers at once was waited for"),
    }
}
