//! The dispatcher: order, folding of verdicts, edits, and what is left where.

use crate::seam::{Calls, World, at_submit, fake, now, recipient, saying};
use mailsluice::event::edit::{Bearer, HeaderEdit};
use mailsluice::event::rule::{Rule, Test};
use mailsluice::event::{
    Binding, Decision, Dispatcher, Edit, Edits, Event, Hearing, OnFault, Place, Registered, Verdict,
};
use mailsluice::mail::{EnhancedCode, ForwardPath, Reply, ReversePath, Standing};
use serde_json::json;
use std::sync::Arc;

fn with_priority(sink: &Arc<Registered>, priority: u16) -> Binding {
    Binding { priority, ..at_submit(sink) }
}

fn set(name: &str, value: &str) -> Edit {
    Edit::Header(HeaderEdit::Set(name.to_owned(), value.to_owned()))
}

fn no(text: &str) -> Verdict {
    Verdict::Reject(Some(Reply::foreign(550, Some(EnhancedCode(5, 7, 1)), text)))
}

#[tokio::test]
async fn by_priority_and_ties_in_the_order_given() {
    let calls = Calls::default();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| saying(name, Verdict::Next, &calls));
    let bindings =
        vec![at_submit(&a), with_priority(&b, 0), at_submit(&c), with_priority(&d, 32767), with_priority(&a, 32767)];
    let dispatcher = Dispatcher::new(bindings);
    assert_eq!(World::default().submit(&dispatcher).await, Decision::Proceed);
    assert_eq!(calls.take(), ["b", "a", "c", "d", "a"]);
    let order: Vec<&str> = dispatcher.order(Event::TransportSubmit).iter().map(|b| &*b.sink.name).collect();
    assert_eq!(order, ["b", "a", "c", "d", "a"]);
    assert_eq!(World::default().raise(&dispatcher, Event::InData).await, Decision::Proceed);
    assert!(calls.take().is_empty(), "bound to another event");
}

#[tokio::test]
async fn the_first_refusal_ends_the_chain() {
    let calls = Calls::default();
    let sinks =
        [saying("a", Verdict::Next, &calls), saying("b", no("b says no"), &calls), saying("c", no("c"), &calls)];
    let mut always = at_submit(&sinks[2]);
    always.always = true;
    let dispatcher = Dispatcher::new(vec![at_submit(&sinks[0]), at_submit(&sinks[1]), at_submit(&sinks[2]), always]);
    let Decision::Reject(reply) = World::default().submit(&dispatcher).await else { panic!("accepted") };
    assert_eq!(reply.to_string(), "550 5.7.1 b says no");
    assert_eq!(calls.take(), ["a", "b"]);
}

#[tokio::test]
async fn skip_rest_leaves_out_all_but_those_that_are_always_called() {
    let calls = Calls::default();
    let skip = saying("skip", Verdict::SkipRest, &calls);
    let [plain, last] = ["plain", "last"].map(|name| saying(name, Verdict::Next, &calls));
    let refusing = saying("always", no("no"), &calls);
    let always = |sink| Binding { always: true, ..at_submit(sink) };
    let bindings = vec![at_submit(&skip), at_submit(&plain), always(&last), at_submit(&plain)];
    assert_eq!(World::default().submit(&Dispatcher::new(bindings)).await, Decision::Proceed);
    assert_eq!(calls.take(), ["skip", "last"]);
    let bindings = vec![at_submit(&skip), always(&refusing), always(&last)];
    assert!(matches!(World::default().submit(&Dispatcher::new(bindings)).await, Decision::Reject(_)));
    assert_eq!(calls.take(), ["skip", "always"]);
}

#[tokio::test]
async fn the_next_sink_sees_what_the_one_before_has_changed() {
    let first = now("first", |scene, edits| {
        edits.push(set("Subject", "two"));
        edits.push(Edit::Sender(ReversePath::Null));
        edits.push(Edit::RemoveRecipient(0));
        edits.push(Edit::AddRecipient(ForwardPath::parse("dave@example.net").unwrap()));
        edits.push(Edit::Property(Bearer::Message, "score".into(), json!(5)));
        edits.push(Edit::Property(Bearer::Recipient(Some(1)), "vip".into(), json!(true)));
        // Not before it returns:
        assert_eq!(scene.header().unwrap().get("Subject").unwrap(), "one");
        Ok(Verdict::Next)
    });
    let second = now("second", |scene, edits| {
        let envelope = scene.envelope().unwrap();
        let paths: Vec<&str> = envelope.recipients.iter().map(|r| r.path.as_str()).collect();
        assert_eq!(paths, ["carol@example.com", "dave@example.net"]);
        assert_eq!(envelope.recipients[0].properties.lookup("first.vip"), Some(&json!(true)), "indices are as seen");
        assert_eq!(envelope.sender, ReversePath::Null);
        assert_eq!(scene.property("first.score"), Some(&json!(5)));
        edits.push(set("Subject", &format!("{} and three", scene.header().unwrap().get("Subject").unwrap())));
        Ok(Verdict::Next)
    });
    let mut world = World::default();
    let dispatcher = Dispatcher::new(vec![at_submit(&first), at_submit(&second)]);
    assert_eq!(world.submit(&dispatcher).await, Decision::Proceed, "{:?}", world.last());
    assert_eq!(world.header(), "Subject: two and three\r\nX-Old: 1\r\n");
}

#[tokio::test]
async fn the_longest_delay_counts() {
    let delays = [2, 5, 3].map(|seconds| {
        now("slow", move |_, edits| {
            edits.push(Edit::Delay(std::time::Duration::from_secs(seconds)));
            Ok(Verdict::Next)
        })
    });
    let mut world = World::default();
    world.submit(&Dispatcher::new(delays.iter().map(at_submit).collect())).await;
    assert_eq!(world.delay.as_secs(), 5);
}

fn when(tests: Vec<Test>) -> Option<Rule> {
    Some(Rule::Any(tests.into_iter().map(Rule::Test).collect()))
}

fn at_rcpt(sink: &Arc<Registered>, rule: Option<Rule>) -> Binding {
    Binding { rule, ..Binding::new(sink.clone(), Event::InRcpt) }
}

#[tokio::test]
async fn refused_recipients_are_shown_only_to_who_names_their_standing() {
    let calls = Calls::default();
    let [plain, not, unknown, both] =
        ["plain", "not", "unknown", "both"].map(|name| saying(name, Verdict::Next, &calls));
    let (is_unknown, is_denied) = (Test::Standing(Standing::Unknown), Test::Standing(Standing::Denied));
    let not_local = Rule::Not(Box::new(Rule::Test(Test::Standing(Standing::Local))));
    let dispatcher = Dispatcher::new(vec![
        at_rcpt(&plain, None),
        at_rcpt(&not, Some(not_local)),
        at_rcpt(&unknown, when(vec![is_unknown.clone()])),
        at_rcpt(&both, when(vec![is_unknown, is_denied])),
    ]);
    let expected: [(Standing, &[&str]); 4] = [
        (Standing::Local, &["plain"]),
        (Standing::Relay, &["plain", "not"]),
        (Standing::Unknown, &["unknown", "both"]),
        (Standing::Denied, &["both"]),
    ];
    for (standing, called) in expected {
        World::default().rcpt(&dispatcher, recipient("x@example.com", standing)).await;
        assert_eq!(calls.take(), called, "{standing:?}");
    }
}

#[tokio::test]
async fn vouching_for_a_denied_recipient_takes_the_right_to_relay() {
    for (standing, may_relay, vouched) in [
        (Standing::Unknown, false, true),
        (Standing::Unknown, true, true),
        (Standing::Denied, false, false),
        (Standing::Denied, true, true),
    ] {
        let plain = now("voucher", |_, edits| {
            edits.push(Edit::Vouch);
            Ok(Verdict::Next)
        });
        let sink = Arc::new(Registered::new("voucher", plain.sink.clone(), may_relay));
        let dispatcher = Dispatcher::new(vec![at_rcpt(&sink, when(vec![Test::Standing(standing)]))]);
        let mut world = World::default();
        let (decision, candidate) = world.rcpt(&dispatcher, recipient("x@example.net", standing)).await;
        assert_eq!(candidate.vouched, vouched, "{standing:?} {may_relay}");
        assert_eq!(matches!(decision, Decision::Defer(..)), !vouched, "what is not allowed is a fault");
        if !vouched {
            assert!(world.last().fault.as_ref().unwrap().contains("needs `allow.relay = true`"));
        }
    }
}

#[tokio::test]
async fn no_verdict_but_vouching_accepts_a_recipient() {
    for verdict in [Verdict::Next, Verdict::SkipRest, Verdict::Discard] {
        let sink = saying("sink", verdict, &Calls::default());
        let dispatcher = Dispatcher::new(vec![at_rcpt(&sink, when(vec![Test::Standing(Standing::Denied)]))]);
        let (_, candidate) = World::default().rcpt(&dispatcher, recipient("x@example.net", Standing::Denied)).await;
        assert!(!candidate.vouched);
    }
}

#[tokio::test]
async fn a_rewritten_recipient_keeps_its_original() {
    let rewriting = |name: &'static str, to: &'static str| {
        now(name, move |_, edits| {
            edits.push(Edit::Rewrite(ForwardPath::parse(to).unwrap()));
            edits.push(Edit::AddRecipient(ForwardPath::parse("copy@example.com").unwrap()));
            Ok(Verdict::Next)
        })
    };
    let sinks = [rewriting("a", "b@example.com"), rewriting("b", "c@example.com")];
    let dispatcher = Dispatcher::new(sinks.iter().map(|sink| at_rcpt(sink, None)).collect());
    let (_, candidate) = World::default().rcpt(&dispatcher, recipient("a@example.com", Standing::Local)).await;
    assert_eq!(candidate.recipient.path.as_str(), "c@example.com");
    assert_eq!(candidate.recipient.original.unwrap().as_str(), "a@example.com");
    assert_eq!(candidate.added.len(), 2);
}

#[tokio::test]
async fn the_ledger_tells_every_dispatch() {
    let editing = now("editor", |_, edits| {
        edits.push(set("X-A", "1"));
        edits.push(Edit::RemoveRecipient(1));
        Ok(Verdict::Next)
    });
    let failing = now("broken", |_, _| Err(mailsluice::event::Fault::error("the disk is gone")));
    let failing = Binding { on_fault: OnFault::Continue, ..at_submit(&failing) };
    let unheard = Binding { rule: when(Vec::new()), ..at_submit(&editing) };
    let holding = saying("keeper", Verdict::Hold("look at this".into()), &Calls::default());
    let mut world = World::default();
    let dispatcher = Dispatcher::new(vec![at_submit(&editing), failing, unheard, at_submit(&holding)]);
    world.submit(&dispatcher).await;
    let (refusing, path) =
        (saying("guard", no("not you"), &Calls::default()), recipient("x@example.com", Standing::Local));
    world.rcpt(&Dispatcher::new(vec![at_rcpt(&refusing, None)]), path).await;
    let told: Vec<serde_json::Value> = world
        .transaction
        .ledger
        .entries
        .iter()
        .map(|entry| {
            let mut entry = serde_json::to_value(entry).unwrap();
            assert!(entry.as_object_mut().unwrap().remove("micros").unwrap().is_u64());
            entry
        })
        .collect();
    let want = json!([
        { "event": "transport.submit", "sink": "editor", "verdict": "next", "edits": ["set X-A", "remove recipient 1"] },
        { "event": "transport.submit", "sink": "broken", "verdict": "next", "fault": "the disk is gone" },
        { "event": "transport.submit", "sink": "keeper", "verdict": "hold", "said": "look at this" },
        { "event": "in.rcpt", "sink": "guard", "verdict": "reject", "about": "x@example.com", "said": "550 5.7.1 not you" },
    ]);
    assert_eq!(json!(told), want);
    assert!(world.session.ledger.entries.is_empty(), "what is about a message stands with the message");
}

#[tokio::test]
async fn before_mail_the_session_keeps_the_ledger() {
    let sink = now("greeter", |_, edits| {
        edits.push(Edit::Greeting("hello".into()));
        Ok(Verdict::Next)
    });
    let mut world = World::default();
    let dispatcher = Dispatcher::new(vec![Binding::new(sink, Event::InConnect)]);
    let mut stage = mailsluice::event::Stage::new(&world.origin);
    stage.session = Some(&mut world.session);
    assert_eq!(dispatcher.raise(Event::InConnect, &mut stage).await, Decision::Proceed);
    assert_eq!(world.session.facts.greeting.as_deref(), Some("hello"));
    assert_eq!(world.session.ledger.entries[0].edits, ["change the greeting"]);
}

#[tokio::test]
async fn a_release_goes_on_behind_the_binding_that_held() {
    let calls = Calls::default();
    let [before, after] = ["before", "after"].map(|name| saying(name, Verdict::Next, &calls));
    let holder = saying("holder", Verdict::Hold("why".into()), &calls);
    let editor = now("editor", |_, edits| {
        edits.push(set("X-Kept", "yes"));
        Ok(Verdict::Next)
    });
    let chain = |holder: Option<Binding>| {
        let mut bindings = vec![with_priority(&before, 10), with_priority(&editor, 10)];
        bindings.extend(holder);
        bindings.extend([with_priority(&after, 20), with_priority(&after, 30)]);
        Dispatcher::new(bindings)
    };
    let mut world = World::default();
    let dispatcher = chain(Some(with_priority(&holder, 20)));
    let Decision::Hold { reason, place } = world.submit(&dispatcher).await else { panic!("not held") };
    assert_eq!((reason.as_str(), calls.take()), ("why", vec!["before".to_owned(), "holder".to_owned()]));
    assert!(world.header().contains("X-Kept: yes"), "the edits made so far are kept");
    let want = Place { event: Some(Event::TransportSubmit), sink: "holder".into(), priority: 20, ..Place::default() };
    assert_eq!(place, want);
    for (what, dispatcher, called) in [
        ("as it was", chain(Some(with_priority(&holder, 20))), 2),
        ("the binding has gone: behind where it stood", chain(None), 1),
        ("it has another priority now: the same", chain(Some(with_priority(&holder, 5))), 1),
    ] {
        let mut stage = mailsluice::event::Stage::new(&world.origin);
        stage.transaction = Some(&mut world.transaction);
        assert_eq!(dispatcher.resume(Event::TransportSubmit, &place, &mut stage).await, Decision::Proceed, "{what}");
        assert_eq!(calls.take(), vec!["after"; called], "{what}");
    }
}

#[tokio::test]
async fn a_verdict_can_come_later_or_from_a_blocking_thread_with_its_edits() {
    use mailsluice::event::{Heard, OnLater, Ruling, on};
    struct Late;
    #[async_trait::async_trait]
    impl OnLater<on::TransportSubmit> for Late {
        async fn on_later(
            &self,
            heard: &mut Heard<'_, on::TransportSubmit>,
        ) -> Result<Ruling<on::TransportSubmit>, mailsluice::event::Fault> {
            tokio::task::yield_now().await;
            heard.set_header("X-Late", "yes");
            Ok(Ruling::next())
        }
    }
    mailsluice::hears!(Late { TransportSubmit: later });
    let late = Arc::new(Registered::new("late", Arc::new(Late), false));
    let blocking = fake("blocking", |scene, _| {
        let subject = scene.header().unwrap().get("Subject").unwrap().into_owned();
        let caller = std::thread::current().id();
        Hearing::Blocking(Box::new(move || {
            assert_ne!(std::thread::current().id(), caller);
            let mut edits = Edits::new();
            edits.push(set("X-Blocking", &subject));
            Ok((no("enough"), edits))
        }))
    });
    let mut world = World::default();
    let dispatcher = Dispatcher::new(vec![at_submit(&late), at_submit(&blocking)]);
    assert!(matches!(world.submit(&dispatcher).await, Decision::Reject(_)));
    assert_eq!(world.header(), "Subject: one\r\nX-Old: 1\r\nX-Late: yes\r\nX-Blocking: one\r\n");
}
