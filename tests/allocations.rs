//! A native sink that answers at once allocates nothing, and neither does an event that nobody hears. A binary of its own,
//! since the allocator that counts is the whole program's.

use allocation_counter::measure;
use mailsluice::config::{Diagnostics, parse};
use mailsluice::event::rule::compile::compile;
use mailsluice::event::transaction::Candidate;
use mailsluice::event::{
    Binding, Decision, Dispatcher, Event, Fault, Files, Focus, Heard, Ledger, On, Registered, Ruling, SessionState,
    Stage, Transaction, on,
};
use mailsluice::mail::{Door, Envelope, ForwardPath, Id, Origin, Recipient, ReversePath, Standing, Timestamp};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

struct NoOp;

impl On<on::InRcpt> for NoOp {
    fn on(&self, _: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        Ok(Ruling::next())
    }
}

mailsluice::hears!(NoOp { InRcpt: now });

fn dispatcher(sinks: usize) -> Dispatcher {
    let mut found = Diagnostics::default();
    let id = found.sources.add("sinks.toml", "recipient = ['x@*', '*@example.com']\nnot = { helo = 'a?b*' }");
    let when = parse(id, &mut found).expect("the rule is TOML");
    let rule = compile(&when, Some(Event::InRcpt), &mut Files::default(), &mut found);
    assert!(found.is_empty(), "{found}");
    let binding = |n: usize| {
        let sink = Arc::new(Registered::new(format!("sink{n}"), Arc::new(NoOp), false));
        Binding { rule: Some(rule.clone()), ..Binding::new(sink, Event::InRcpt) }
    };
    Dispatcher::new((0..sinks).map(binding).collect())
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a sink that answers at once was waited for"),
    }
}

/// Allocations of a hundred RCPTs, each heard by so many sinks. The ledger keeps its memory from one to the next.
fn allocations(sinks: usize, ledger: bool) -> u64 {
    let dispatcher = dispatcher(sinks);
    let origin = Origin { helo: Some("mx.example.org".into()), ..Origin::door(Door::Smtp) };
    let mut session = SessionState::new(Id(1));
    let envelope = Envelope::new(ReversePath::parse("bob@example.org").unwrap());
    let mut transaction = Transaction::new(Id(2), Timestamp(0), envelope, Ledger::default());
    let recipient = Recipient::new(ForwardPath::parse("alice@example.com").unwrap(), Standing::Local);
    let mut candidate = Candidate { recipient, added: Vec::new(), vouched: false };
    let mut raise = || {
        let mut stage = Stage {
            origin: &origin,
            session: ledger.then_some(&mut session),
            transaction: ledger.then_some(&mut transaction),
            focus: Focus::Recipient(&mut candidate),
            delay: Duration::ZERO,
        };
        assert_eq!(at_once(dispatcher.raise(Event::InRcpt, &mut stage)), Decision::Proceed);
        assert_eq!(transaction.ledger.entries.len(), if ledger { sinks } else { 0 });
        transaction.ledger.entries.clear();
    };
    // The first call of a thread gets it a place in the watchdog's book, and the first entry the ledger its memory.
    raise();
    measure(|| (0..100).for_each(|_| raise())).count_total
}

#[test]
fn an_event_costs_no_allocation() {
    for sinks in [0, 1, 10] {
        for ledger in [false, true] {
            assert_eq!(allocations(sinks, ledger), 0, "{sinks} sinks, ledger: {ledger}");
        }
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(vec![1, 2, 3])).count_total, 1);
}
