//! The events of the transport, answered by guests: as they should, and with what is no answer.

use super::alone::{sandbox, sink, terms};
use super::guests;
use crate::seam::World;
use bytes::Bytes;
use mailsluice::event::host::RecordKind;
use mailsluice::event::transaction::Candidate;
use mailsluice::event::{
    Answer, Binding, Decision, Dispatcher, Event, Focus, Leg, Plan, Question, Registered, Resolution, SinkOutcome,
    Stage,
};
use mailsluice::mail::{Domain, Fate, ForwardPath, Message, Reply, ReversePath};
use mailsluice::smtp::client::{Change, Choices, Next, Terms, TlsPolicy};
use std::sync::Arc;
use std::time::Duration;

/// Raises an event about a message whose field `X-Act` says this; what was decided, and the fault if there was one.
async fn raised(
    sink: &Arc<Registered>,
    world: &mut World,
    event: Event,
    focus: Focus<'_>,
) -> (Decision, Option<String>) {
    let binding = Binding { deadline: Duration::from_secs(60), ..Binding::new(sink.clone(), event) };
    let mut stage = Stage {
        session: Some(&mut world.session),
        transaction: Some(&mut world.transaction),
        focus,
        ..Stage::new(&world.origin)
    };
    let decision = Dispatcher::new(vec![binding]).raise(event, &mut stage).await;
    (decision, world.last().fault.as_deref().map(ToOwned::to_owned))
}

/// The second attempt for carol@example.com, who is second in the envelope.
fn leg(attempt: u32, recipients: &[usize]) -> Leg {
    Leg {
        domain: "example.com".into(),
        host: Some("mx.example.com:25 [192.0.2.25]".into()),
        attempt,
        reply: Some(Reply::plain(450, "Not yet")),
        recipients: recipients.to_vec(),
    }
}

fn candidate(world: &World) -> Candidate {
    let recipient = world.transaction.letter.envelope.recipients[0].clone();
    Candidate { recipient, added: Vec::new(), vouched: false }
}

fn path(text: &str) -> ForwardPath {
    ForwardPath::parse(text).unwrap()
}

/// A script by its name.
fn script(name: &str) -> Arc<Registered> {
    let source = std::fs::read(guests::path(name)).unwrap();
    let loaded = sandbox().script("passes.js", Box::new(move |_| Ok(source.clone())), terms());
    let loaded = loaded.unwrap_or_else(|why| panic!("{why:?}"));
    Arc::new(Registered::new("guest", Arc::new(loaded), false))
}

#[tokio::test]
async fn a_script_answers_the_events_of_a_pass() {
    let (sink, mut world) = (script("passes"), World::default());
    let pre = raised(&sink, &mut world, Event::TransportPreCategorize, Focus::None).await;
    assert_eq!(pre, (Decision::Proceed, None));
    assert!(world.header().contains("X-Seen: pre"), "{}", world.header());

    let mut at_hand = candidate(&world);
    let said = raised(&sink, &mut world, Event::TransportCategorize, Focus::Recipient(&mut at_hand)).await;
    let members = vec![path("a@example.org"), path("b@example.org")];
    let sender = Some(ReversePath::parse("owner@example.com").unwrap());
    let expanded = Resolution::Expanded { members, sender };
    assert_eq!(said, (Decision::Answer(Answer::Resolution(expanded)), None));
    assert_eq!(at_hand.recipient.path, path("list@example.com"));
    assert_eq!(at_hand.added, [path("archive@example.com")]);

    let post = raised(&sink, &mut world, Event::TransportPostCategorize, Focus::None).await;
    assert_eq!(post, (Decision::Proceed, None));
    assert_eq!(world.transaction.letter.envelope.recipients.len(), 1, "carol is gone");
    let (dsn, _) = raised(&sink, &mut world, Event::TransportDsn, Focus::None).await;
    assert_eq!(dsn, Decision::Discard);
}

#[tokio::test]
async fn a_script_answers_the_events_of_a_leg() {
    let (sink, mut world) = (script("passes"), World::default());
    let mut recipients = world.transaction.letter.envelope.recipients.clone();
    recipients.insert(0, recipients[0].clone());
    recipients[0].fate = Fate::Discarded;
    world.transaction.letter_mut().envelope.recipients = recipients;
    let (second, third) = (leg(2, &[2]), leg(3, &[1, 2]));

    let (route, _) = raised(&sink, &mut world, Event::TransportRoute, Focus::Leg(&second)).await;
    let hops = ["smtp:relay.example.com:25", "mx:example.net", "local"].map(|hop| hop.parse().unwrap());
    assert_eq!(route, Decision::Answer(Answer::Route(hops.to_vec())));

    // Places are those of the envelope, although who is discarded is not shown.
    let due = Focus::Delivery { sink: "guest", leg: &third };
    let (deliver, _) = raised(&sink, &mut world, Event::TransportDeliver, due).await;
    let outcome = |recipient, code, text: &'static str| SinkOutcome { recipient, reply: Reply::plain(code, text) };
    let outcomes = vec![outcome(1, 250, "Kept for alice@example.com"), outcome(2, 450, "")];
    assert_eq!(deliver, Decision::Answer(Answer::Outcomes(outcomes)));

    let (again, _) = raised(&sink, &mut world, Event::TransportDeferred, Focus::Leg(&second)).await;
    assert_eq!(again, Decision::Proceed);
    let (no_more, _) = raised(&sink, &mut world, Event::TransportDeferred, Focus::Leg(&third)).await;
    let Decision::Reject(reply) = no_more else { panic!("{no_more:?}") };
    assert_eq!(reply.to_string(), "550 5.4.7 Given up after: Not yet");
    let (failed, _) = raised(&sink, &mut world, Event::TransportFailed, Focus::Leg(&third)).await;
    assert!(matches!(&failed, Decision::Hold { reason, .. } if reason == "failed with 450"), "{failed:?}");
    let (_, told) = raised(&sink, &mut world, Event::TransportDelivered, Focus::Leg(&second)).await;
    assert!(
        told.as_deref().is_some_and(|told| told.contains("delivered to mx.example.com:25 [192.0.2.25], attempt 2")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_script_steers_what_our_client_says() {
    let (sink, mut world) = (script("passes"), World::default());
    let (due, late) = (leg(2, &[0]), leg(3, &[0]));
    let mut plan = Plan::new(None);
    let focus = Focus::Client { leg: &due, plan: &mut plan };
    assert_eq!(raised(&sink, &mut world, Event::OutConnect, focus).await, (Decision::Proceed, None));
    let Terms { source, helo, tls, credentials } = plan.terms;
    assert_eq!(source, Some("192.0.2.9".parse().unwrap()));
    assert_eq!((helo.as_ref().map(Domain::as_str), tls), (Some("out.example.com"), Some(TlsPolicy::Required)));
    let credentials = credentials.unwrap();
    assert_eq!((credentials.user.as_str(), credentials.secret.as_str()), ("me", "hush"));
    assert_eq!(credentials.mechanism.as_deref(), Some("PLAIN"));

    let mut plan = Plan::new(None);
    let focus = Focus::Client { leg: &due, plan: &mut plan };
    assert_eq!(raised(&sink, &mut world, Event::OutMessage, focus).await, (Decision::Proceed, None));
    assert!(world.header().starts_with("X-Signed-For: example.com"), "{}", world.header());

    let mut plan = Plan::new(Some("MAIL".into()));
    let focus = Focus::Client { leg: &due, plan: &mut plan };
    assert_eq!(raised(&sink, &mut world, Event::OutMail, focus).await, (Decision::Proceed, None));
    assert_eq!((plan.change.parameters[0].as_str(), plan.change.insert[0].as_str()), ("XTRY=2", "XHELLO"));
    let mut plan = Plan::new(Some("MAIL".into()));
    let focus = Focus::Client { leg: &late, plan: &mut plan };
    let (_, fault) = raised(&sink, &mut world, Event::OutMail, focus).await;
    assert!(fault.as_deref().is_some_and(|why| why.contains("is not allowed at out.mail")), "{fault:?}");
    assert_eq!(plan.change, Change::default(), "all or none");

    let quit = Focus::Leg(&due);
    assert_eq!(raised(&sink, &mut world, Event::OutQuit, quit).await.0, Decision::Proceed);
    let left = world.session.facts.properties.get("guest", "left").cloned();
    assert_eq!(left, Some("mx.example.com:25 [192.0.2.25]".into()));
}

#[tokio::test]
async fn a_script_chooses_among_the_legal_next_states() {
    let (sink, mut world) = (script("passes"), World::default());
    let due = leg(2, &[0]);
    for (verb, refuse, next, wanted) in [
        ("XHELLO", true, &[Next::Continue, Next::Hello][..], Some(Decision::Answer(Answer::Step(Next::Hello)))),
        ("XHELLO", true, &[Next::Continue, Next::Repeat], Some(Decision::Answer(Answer::Step(Next::Repeat)))),
        ("RCPT", true, &[Next::Continue], None),
        ("DATA", false, &[Next::Continue], None),
    ] {
        let mut plan = Plan { choices: Choices { refuse, next }, ..Plan::new(Some(verb.into())) };
        let focus = Focus::Client { leg: &due, plan: &mut plan };
        let (decision, fault) = raised(&sink, &mut world, Event::OutReply, focus).await;
        match (wanted, refuse) {
            (Some(wanted), _) => assert_eq!((decision, fault), (wanted, None)),
            (None, true) => assert!(matches!(decision, Decision::Defer(..)) && fault.is_none(), "{fault:?}"),
            // `hello` can't be there.
            (None, false) => {
                assert_eq!(decision, Decision::Proceed, "its policy is to continue");
                assert!(fault.is_some_and(|why| why.contains("can't go on with `hello`")));
            }
        }
    }
}

#[tokio::test]
async fn a_script_answers_questions_and_is_told_of_steps() {
    let (sink, mut world) = (script("passes"), World::default());
    for (kind, records) in [(RecordKind::Mx, vec!["10 mx.example.net.".to_owned()]), (RecordKind::Aaaa, vec![])] {
        let question = Focus::Question(Question { name: "example.com", kind });
        let (said, _) = raised(&sink, &mut world, Event::DnsResolve, question).await;
        assert_eq!(said, Decision::Answer(Answer::Records(records)));
    }
    let step = serde_json::json!({ "step": "accepted" });
    let (_, told) = raised(&sink, &mut world, Event::Track, Focus::Step(&step)).await;
    assert!(told.as_deref().is_some_and(|told| told.contains("told of accepted")), "{told:?}");
}

/// What the guest does at an event, and how its fault begins.
const FAULTS: &[(Event, &str, &str)] = &[
    (Event::TransportCategorize, "address", "illegal: what it resolves to: `a b@example.org` is not an address: "),
    (Event::TransportCategorize, "member", "illegal: what it resolves to: `nobody` is not an address: "),
    (Event::TransportCategorize, "sender", "illegal: the sender of what goes on: `owner` is not an address: "),
    (Event::TransportCategorize, "million", "limit: the answer has 100000 members, and 10000 are allowed"),
    (Event::TransportRoute, "hop", "illegal: the route: `pipe:/bin/sh` is no hop of a route; write smtp:host:port, "),
    (Event::TransportRoute, "line", "illegal: a hop has control characters: \"lmtp:unix:/run/a\\r\\nb\""),
    (Event::TransportRoute, "long", "limit: a hop has 5005 octets, and 4096 are allowed"),
    (Event::TransportRoute, "million", "limit: the answer has 100000 hops, and 100 are allowed"),
    (Event::TransportDeliver, "stranger", "illegal: an outcome is about recipient 7, which is not due; due are [1]"),
    (Event::TransportDeliver, "beyond", "illegal: an outcome is about recipient 4294967295, which is not due"),
    (Event::TransportDeliver, "twice", "illegal: there is more than one outcome for recipient 1"),
    (Event::TransportDeliver, "code", "illegal: the outcome for recipient 1 has the code 354; give a 2xx, 4xx or 5xx"),
    (Event::TransportDeliver, "text", "limit: the reply's text has 5000 octets, and 4096 are allowed"),
    (Event::OutRcpt, "line", "`X=1\\r\\nRCPT TO:<eve@example.org>` is no parameter: write KEYWORD"),
    (Event::OutRcpt, "own", "DATA can't be put in here: the order of the session hangs on it"),
    (Event::OutRcpt, "many", "limit: over 32 parameters of one command"),
    (Event::OutRcpt, "long", "it is longer than 1022 octets"),
    (
        Event::DnsResolve,
        "record.example",
        "illegal: `there is none` is no record of that kind; write one such as `192.0.2.1`",
    ),
    (Event::DnsResolve, "million.example", "limit: the answer has 100000 records, and 1000 are allowed"),
];

/// Has the guest do this at an event.
async fn acted(sink: &Arc<Registered>, event: Event, act: &str) -> (Decision, Option<String>) {
    let mut world = World::default();
    let content = Bytes::from(format!("X-Act: {act}\r\n\r\nbody\r\n"));
    world.transaction.letter_mut().message = Some(Message::from_bytes(content));
    let (mut at_hand, leg, mut plan) = (candidate(&world), leg(1, &[1]), Plan::new(Some("RCPT".into())));
    let focus = match event {
        Event::TransportCategorize => Focus::Recipient(&mut at_hand),
        Event::DnsResolve => Focus::Question(Question { name: act, kind: RecordKind::A }),
        Event::OutRcpt => Focus::Client { leg: &leg, plan: &mut plan },
        _ => Focus::Leg(&leg),
    };
    raised(sink, &mut world, event, focus).await
}

#[tokio::test]
async fn what_is_no_answer_is_a_fault() {
    let mut at_large = terms();
    at_large.limits.cpu = Duration::from_secs(10);
    let (sink, mut wrong) = (sink("answers", at_large), Vec::new());
    for (event, act, fault) in FAULTS {
        let (_, told) = acted(&sink, *event, act).await;
        if !told.as_deref().is_some_and(|told| told.starts_with(fault)) {
            wrong.push(format!("{event} {act}: {told:?}"));
        }
        // Faults in a row open the breaker.
        let (_, told) = acted(&sink, *event, "").await;
        assert_eq!(told, None, "{event}, harmless");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn as_many_members_as_a_message_may_have_are_no_fault() {
    let mut at_large = terms();
    at_large.limits.cpu = Duration::from_secs(10);
    let (said, fault) = acted(&sink("answers", at_large), Event::TransportCategorize, "most").await;
    let Decision::Answer(Answer::Resolution(Resolution::Expanded { members, sender })) = said else {
        panic!("{fault:?}");
    };
    assert_eq!((members.len(), sender), (10_000, Some(ReversePath::Null)));
}
