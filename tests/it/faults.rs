//! What a sink can do wrong is that sink's fault, and its binding's policy decides; and notify events wait for nobody.

use crate::seam::{Calls, World, at_submit, fake, now};
use mailsluice::event::edit::{Bearer, EDITS_MAX, HeaderEdit};
use mailsluice::event::rule::{Rule, Test};
use mailsluice::event::{
    Binding, Decision, Dispatcher, Edit, Edits, Event, Fault, Hearing, OnFault, Registered, Stage, Verdict,
};
use mailsluice::mail::Standing;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::time::Instant;

const DEADLINE: Duration = Duration::from_secs(5);

fn edit(edits: &mut Edits) {
    edits.push(Edit::Header(HeaderEdit::Set("Subject".into(), "spoiled".into())));
    edits.push(Edit::Delay(Duration::from_secs(9)));
}

/// Every way to fail, with what the ledger says of it. Each asks for legal edits first.
fn failing() -> Vec<(&'static str, Arc<Registered>)> {
    [calls_that_fail(), answers_that_are_illegal()].concat()
}

fn calls_that_fail() -> Vec<(&'static str, Arc<Registered>)> {
    let later = |future: fn() -> mailsluice::event::sink::BoxFuture<'static, Result<Verdict, Fault>>| {
        move |_: mailsluice::event::Scene<'_>, edits: &mut Edits| {
            edit(edits);
            Hearing::Later(future())
        }
    };
    vec![
        (
            "no disk",
            now("f", |_, edits| {
                edit(edits);
                Err(Fault::error("no disk"))
            }),
        ),
        (
            "panic: at once",
            now("f", |_, edits| {
                edit(edits);
                panic!("at once")
            }),
        ),
        ("panic: when polled", fake("f", later(|| Box::pin(async { panic!("when polled") })))),
        (
            "panic: after a while",
            fake(
                "f",
                later(|| {
                    Box::pin(async {
                        tokio::task::yield_now().await;
                        panic!("after a while")
                    })
                }),
            ),
        ),
        ("later", fake("f", later(|| Box::pin(async { Err(Fault::error("later")) })))),
        ("overrun: no answer within 5000 ms", fake("f", later(|| Box::pin(pending())))),
        ("panic: on the pool", fake("f", |_, _| Hearing::Blocking(Box::new(|| panic!("on the pool"))))),
    ]
}

fn answers_that_are_illegal() -> Vec<(&'static str, Arc<Registered>)> {
    vec![
        (
            "illegal: the verdict `disconnect` is not allowed at transport.submit",
            now("f", |_, edits| {
                edit(edits);
                Ok(Verdict::Disconnect(None))
            }),
        ),
        (
            "illegal: the verdict `answer` is not allowed at transport.submit",
            now("f", |_, edits| {
                edit(edits);
                Ok(Verdict::Answer(5.into()))
            }),
        ),
        (
            "illegal: the edit `vouch` is not allowed at transport.submit",
            now("f", |_, edits| {
                edit(edits);
                edits.push(Edit::Vouch);
                Ok(Verdict::Next)
            }),
        ),
        (
            "illegal: there is no recipient 2; the envelope has 2",
            now("f", |_, edits| {
                edit(edits);
                edits.push(Edit::RemoveRecipient(2));
                Ok(Verdict::Next)
            }),
        ),
        (
            "illegal: the value for `X` has a line break or control character",
            now("f", |_, edits| {
                edit(edits);
                edits.push(Edit::Header(HeaderEdit::Set("X".into(), "a\r\nBcc: b".into())));
                Ok(Verdict::Next)
            }),
        ),
        (
            "limit: 10001 edits in one call; 10000 are allowed",
            now("f", |_, edits| {
                (0..=EDITS_MAX).for_each(|_| edits.push(Edit::Delay(DEADLINE)));
                Ok(Verdict::Next)
            }),
        ),
    ]
}

/// The text of a reply and the verdict in the ledger that each policy comes to.
fn by_policy(policy: OnFault, decision: &Decision) -> bool {
    match (policy, decision) {
        (OnFault::Continue, Decision::Proceed) => true,
        (OnFault::Defer, Decision::Defer(reply, None)) => reply.code() == 451 && !reply.text().contains("disk"),
        (OnFault::Reject, Decision::Reject(reply)) => reply.code() == 554,
        (OnFault::Hold, Decision::Hold { reason, .. }) => reason == "sink `f` failed",
        _ => false,
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_changes_nothing_and_comes_to_its_binding_s_policy() {
    for (told, sink) in failing() {
        for policy in [OnFault::Continue, OnFault::Defer, OnFault::Reject, OnFault::Hold] {
            let calls = Calls::default();
            let next = crate::seam::saying("next", Verdict::Next, &calls);
            let binding = Binding { on_fault: policy, deadline: DEADLINE, ..at_submit(&sink) };
            let mut world = World::default();
            let decision = world.submit(&Dispatcher::new(vec![binding, at_submit(&next)])).await;
            assert!(by_policy(policy, &decision), "{told}, {policy:?}: {decision:?}");
            let entry = &world.transaction.ledger.entries[0];
            assert_eq!(entry.fault.as_deref(), Some(told), "{policy:?}");
            let verdict = if policy == OnFault::Continue { "next" } else { policy.as_str() };
            assert_eq!((&*entry.verdict, entry.edits.len()), (verdict, 0));
            assert_eq!(world.header(), "Subject: one\r\nX-Old: 1\r\n", "{told}");
            assert_eq!(
                (world.delay, world.transaction.letter.envelope.recipients.len()),
                (Duration::ZERO, 2),
                "{told}"
            );
            assert_eq!(calls.take().len(), usize::from(policy == OnFault::Continue), "{told}, {policy:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_of_another_type_is_illegal() {
    let sink = now("f", |_, _| Ok(Verdict::Answer(5.into())));
    let mut world = World::default();
    let binding = Binding { on_fault: OnFault::Continue, ..Binding::new(sink, Event::InCommand) };
    assert_eq!(world.raise(&Dispatcher::new(vec![binding]), Event::InCommand).await, Decision::Proceed);
    assert_eq!(world.last().fault.as_deref(), Some("illegal: an answer of another type than in.command takes"));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_the_binding_s() {
    let slow = |seconds| {
        fake("slow", move |_, _| {
            Hearing::Later(Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(Verdict::Discard)
            }))
        })
    };
    for (takes, deadline, waits, in_time) in [(3, 5, 3, true), (4, 3, 3, false), (60, 10, 10, false)] {
        let binding = Binding { deadline: Duration::from_secs(deadline), ..at_submit(&slow(takes)) };
        let started = Instant::now();
        let decision = World::default().submit(&Dispatcher::new(vec![binding])).await;
        assert_eq!(decision == Decision::Discard, in_time, "{takes} of {deadline}");
        assert_eq!(started.elapsed().as_secs(), waits, "{takes} of {deadline}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocking_call_that_overruns_is_given_up_and_its_result_dropped() {
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(wait));
    let sink = fake("f", move |_, _| {
        let wait = wait.clone();
        Hearing::Blocking(Box::new(move || {
            let _ = wait.lock().unwrap().recv();
            let mut edits = Edits::new();
            edit(&mut edits);
            Ok((Verdict::Discard, edits))
        }))
    });
    let binding = Binding { deadline: DEADLINE, ..at_submit(&sink) };
    let mut world = World::default();
    let dispatcher = Dispatcher::new(vec![binding]);
    // The runtime's clock stands still while a blocking call runs, so it is put forward by hand.
    let (decision, ()) = tokio::join!(world.submit(&dispatcher), tokio::time::advance(DEADLINE));
    assert!(by_policy(OnFault::Defer, &decision), "{decision:?}");
    release.send(()).unwrap();
    assert_eq!(world.last().fault.as_deref(), Some("overrun: no answer within 5000 ms"));
    assert_eq!(world.header(), "Subject: one\r\nX-Old: 1\r\n");
}

/// What the moody sink does next.
const WELL: usize = 0;
const FAIL: usize = 1;
const HANG: usize = 2;

/// A sink that does as told, and the count of its calls.
fn moody() -> (Arc<Registered>, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (calls, mood) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(FAIL)));
    let (counted, told) = (calls.clone(), mood.clone());
    let sink = fake("f", move |_, _| {
        counted.fetch_add(1, SeqCst);
        match told.load(SeqCst) {
            WELL => Hearing::Now(Ok(Verdict::Next)),
            FAIL => Hearing::Now(Err(Fault::error("moody"))),
            _ => Hearing::Later(Box::pin(pending())),
        }
    });
    (sink, calls, mood)
}

#[tokio::test(start_paused = true)]
async fn the_breaker_opens_after_five_messages_and_closes_by_a_live_probe() {
    let (sink, calls, mood) = moody();
    let dispatcher = Dispatcher::new(vec![at_submit(&sink)]);
    let mut world = World::default();
    for _ in 0..20 {
        world.submit(&dispatcher).await;
    }
    assert_eq!(calls.swap(0, SeqCst), 20, "one message alone opens nothing");
    for _ in 0..10 {
        world.next_message();
        assert!(by_policy(OnFault::Defer, &world.submit(&dispatcher).await));
    }
    assert_eq!(calls.swap(0, SeqCst), 4, "the streak of five includes the first message");
    assert_eq!(sink.breaker.health().state, "open");
    let told = world.last().fault.as_deref().unwrap();
    assert_eq!(told, "breaker open: not called: it failed too often; its policy applies");
    for pause in [1, 2, 4] {
        tokio::time::advance(Duration::from_secs(pause)).await;
        for _ in 0..3 {
            world.next_message();
            world.submit(&dispatcher).await;
        }
        assert_eq!(calls.swap(0, SeqCst), 1, "one probe after {pause} s");
    }
    mood.store(WELL, SeqCst);
    tokio::time::advance(Duration::from_secs(8)).await;
    for _ in 0..3 {
        assert_eq!(world.submit(&dispatcher).await, Decision::Proceed);
    }
    assert_eq!((calls.load(SeqCst), sink.breaker.health().state), (3, "ok"));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_during_a_probe_leaves_the_breaker_open_to_another() {
    let (sink, calls, mood) = moody();
    let dispatcher = Dispatcher::new(vec![at_submit(&sink)]);
    let mut world = World::default();
    for _ in 0..5 {
        world.next_message();
        world.submit(&dispatcher).await;
    }
    assert_eq!(sink.breaker.health().state, "open");
    tokio::time::advance(Duration::from_secs(1)).await;
    mood.store(HANG, SeqCst);
    let gone = tokio::time::timeout(Duration::from_millis(10), world.submit(&dispatcher)).await;
    assert!(gone.is_err(), "the session ends while the probe waits");
    mood.store(WELL, SeqCst);
    calls.store(0, SeqCst);
    assert_eq!(world.submit(&dispatcher).await, Decision::Proceed);
    assert_eq!((calls.load(SeqCst), sink.breaker.health().state), (1, "ok"));
}

fn told(dispatcher: &Dispatcher, world: &World) {
    dispatcher.tell(Event::InDisconnect, &Stage::new(&world.origin));
}

#[tokio::test]
async fn notify_events_are_told_in_order_and_wait_for_nobody() {
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let sink = now("f", move |scene, _| {
        heard.send(scene.origin.helo.clone().unwrap()).unwrap();
        Ok(Verdict::Next)
    });
    let here = Test::Client("192.0.2.0/24".parse().unwrap());
    let bound = |rule| Binding { rule: Some(rule), ..Binding::new(sink.clone(), Event::InDisconnect) };
    let nowhere = Rule::Test(Test::Standing(Standing::Local));
    let dispatcher = Dispatcher::new(vec![bound(Rule::Test(here)), bound(nowhere)]);
    let mut world = World::default();
    for n in 0..100 {
        world.origin.helo = Some(n.to_string().into());
        told(&dispatcher, &world);
    }
    for n in 0..100 {
        assert_eq!(*hears.recv().await.unwrap(), *n.to_string());
    }
    tokio::task::yield_now().await;
    assert!(hears.is_empty(), "the second binding's rule does not hold");
    assert_eq!(sink.missed(), 0);
}

#[tokio::test]
async fn what_a_sink_can_not_keep_up_with_is_counted_and_faults_are_its_own() {
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let sink = now("f", move |_, _| {
        heard.send(()).unwrap();
        panic!("on every notice")
    });
    let dispatcher = Dispatcher::new(vec![Binding::new(sink.clone(), Event::InDisconnect)]);
    let world = World::default();
    // Nobody takes them as long as this task does not wait.
    (0..1030).for_each(|_| told(&dispatcher, &world));
    assert_eq!(sink.missed(), 6, "1024 wait");
    hears.recv().await.unwrap();
    hears.recv().await.unwrap();
    assert!(sink.breaker.health().faults >= 1, "a panic does not end the queue");
}

/// An answer that never comes, and panics when nobody waits for it any more.
struct Fragile;

impl Future for Fragile {
    type Output = Result<Verdict, Fault>;
    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::task::Poll::Pending
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn an_overrun_whose_future_panics_when_dropped_is_an_overrun() {
    let sink = fake("fragile", |_, _| Hearing::Later(Box::pin(Fragile)));
    let mut world = World::default();
    world.submit(&Dispatcher::new(vec![at_submit(&sink)])).await;
    assert!(world.last().fault.as_deref().is_some_and(|fault| fault.starts_with("overrun")), "{:?}", world.last());
}

#[tokio::test]
async fn the_share_of_properties_is_of_the_message_and_its_recipients_together() {
    let sink = now("noting", |_, edits| {
        let nine = || serde_json::Value::from("x".repeat(9 * 1024));
        edits.push(Edit::Property(Bearer::Message, "a".into(), nine()));
        edits.push(Edit::Property(Bearer::Recipient(Some(0)), "a".into(), nine()));
        Ok(Verdict::Next)
    });
    let mut world = World::default();
    world.submit(&Dispatcher::new(vec![at_submit(&sink)])).await;
    assert!(world.last().fault.as_deref().is_some_and(|fault| fault.starts_with("limit")), "{:?}", world.last());
    assert!(world.transaction.letter.properties.is_empty());
}
