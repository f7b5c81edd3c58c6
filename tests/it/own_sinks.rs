//! Sinks that an embedder compiles in, at work in a server: what goes wrong in them stays theirs, and what they may
//! decide, claim and change is done.

use crate::inside::{Inside, Plan};
use crate::seam::Calls;
use crate::server::Site;
use crate::smtp_client::{Reply, SmtpClient};
use crate::wait::eventually;
use mailsluice::event::edit::{Bearer, HeaderEdit};
use mailsluice::event::scene::View;
use mailsluice::event::{
    Answer, Claims, Edit, Edits, Event, Fault, Hearing, Interest, Natives, Needs, Scene, Sink, Verdict,
};
use mailsluice::intake::State;
use mailsluice::mail::{EnhancedCode, Reply as Said};
use serde::de::IgnoredAny;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

type Hear = dyn Fn(Scene<'_>, &mut Edits) -> Hearing<'static> + Send + Sync;

/// A sink made of a closure.
#[derive(Clone)]
pub(crate) struct Own {
    events: Vec<Event>,
    pub(crate) claims: Claims,
    hear: Arc<Hear>,
}

impl Own {
    /// Called at these events.
    pub(crate) fn at(
        events: &[Event],
        hear: impl Fn(Scene<'_>, &mut Edits) -> Hearing<'static> + Send + Sync + 'static,
    ) -> Self {
        Self { events: events.to_vec(), claims: Claims::default(), hear: Arc::new(hear) }
    }

    /// As a native sink of this name.
    pub(crate) fn named(self, name: &'static str) -> impl FnOnce(Natives) -> Natives {
        move |natives| natives.with(name, move |_: IgnoredAny, _| Ok::<_, Infallible>(self.clone()))
    }
}

impl Sink for Own {
    fn interest(&self) -> Interest {
        Interest { events: self.events.clone(), claims: self.claims.clone(), needs: Needs::default() }
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        (self.hear)(scene, edits)
    }
}

fn next() -> Hearing<'static> {
    Hearing::Now(Ok(Verdict::Next))
}

/// `[[sink]]` for a native sink of its own name.
pub(crate) fn bound(name: &str) -> String {
    format!("[[sink]]\nname = \"{name}\"\nnative = \"{name}\"\n")
}

fn with(own: Own) -> Inside {
    Plan::new(Site::PLAIN).natives(own.named("own")).manifest(&bound("own")).start()
}

fn deliver(server: &Inside) -> Reply {
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\ny\r\n")
}

/// A way to fail: what the ledger says of it, and the call.
type Failing = (&'static str, fn() -> Hearing<'static>);

/// Every way. Each asks for an edit first, which must not be made.
fn failing() -> Vec<Failing> {
    vec![
        ("panic: oh no", || panic!("oh no")),
        ("panic: later", || Hearing::Later(Box::pin(async { panic!("later") }))),
        ("panic: on the pool", || Hearing::Blocking(Box::new(|| panic!("on the pool")))),
        ("no disk", || Hearing::Now(Err(Fault::error("no disk")))),
        ("overrun: no answer within 100 ms", || Hearing::Later(Box::pin(pending()))),
        ("overrun: no answer within 100 ms", || {
            Hearing::Blocking(Box::new(|| {
                std::thread::park_timeout(Duration::from_millis(400));
                Ok((Verdict::Discard, Edits::new()))
            }))
        }),
        ("illegal: the verdict `answer` is not allowed at transport.submit", || {
            Hearing::Now(Ok(Verdict::Answer(Answer::Limit(1))))
        }),
    ]
}

#[test]
fn whatever_goes_wrong_the_policy_decides() {
    for (fault, fail) in failing() {
        let own = Own::at(&[Event::TransportSubmit], move |_, edits| {
            edits.push(Edit::Header(HeaderEdit::Set("Subject".into(), "spoiled".into())));
            fail()
        });
        for policy in ["defer", "continue", "reject", "hold"] {
            let on =
                format!("[[sink.on]]\nevent = \"transport.submit\"\ndeadline = \"100 ms\"\non-fault = \"{policy}\"\n");
            let manifest = bound("own") + &on;
            let server = Plan::new(Site::PLAIN).natives(own.clone().named("own")).manifest(&manifest).start();
            let told = deliver(&server);
            let account = server.account(told.id());
            let entry = &account.ledger.entries[0];
            assert_eq!((entry.fault.as_deref(), entry.edits.len()), (Some(fault), 0), "{policy}");
            let text = told.to_string();
            match policy {
                "defer" => assert!(text.starts_with("451 4.3.0 Local error in processing, please try"), "{text}"),
                "reject" => assert!(text.starts_with("554 5.3.0 Local error in processing ("), "{text}"),
                "hold" => assert_eq!(account.hold.as_deref(), Some("sink `own` failed")),
                _ => assert!(server.arrived("alice", 1)[0].ends_with("\nSubject: x\n\ny\n")),
            }
        }
    }
}

#[test]
fn a_sink_that_hangs_holds_up_nobody_else() {
    let own = Own::at(&[Event::InMail], |scene, _| match scene.sender_text() {
        Some("stuck@client.example") => Hearing::Later(Box::pin(pending())),
        _ => next(),
    });
    let server = with(own);
    let mut stuck = SmtpClient::greeted(server.address(0));
    stuck.send(b"MAIL FROM:<stuck@client.example>\r\n");
    deliver(&server).must_be(250);
}

#[test]
fn a_sink_that_fails_too_often_is_not_called_for_a_while() {
    let calls = Calls::default();
    let noted = calls.clone();
    let server = with(Own::at(&[Event::InMail], move |_, _| {
        noted.note("called");
        Hearing::Now(Err(Fault::error("broken")))
    }));
    for _ in 0..8 {
        let mut client = SmtpClient::greeted(server.address(0));
        client.command("MAIL FROM:<a@client.example>").must_be(451);
    }
    assert_eq!(calls.take().len(), 5);
    let sinks = &server.server.current.pin().sinks;
    assert_eq!(sinks[0].breaker.health().state, "open");
}

#[test]
fn the_text_of_a_reply_is_changed_and_nothing_else() {
    let server = with(Own::at(&[Event::InReply], |scene, edits| {
        let View::Reply(reply) = scene.view else { panic!("no reply at in.reply") };
        edits.push(Edit::ReplyText(format!("said {}\r\nin two\0 lines", reply.code())));
        // What it says is not asked for, and would be a fault.
        if reply.code() == 221 { Hearing::Now(Ok(Verdict::Discard)) } else { next() }
    }));
    let mut client = SmtpClient::connect(server.address(0));
    // Not what the client's program reads: names, keywords, the word to go on.
    assert_eq!(client.expect(220).lines, ["mx.example.com ESMTP Mailsluice"]);
    assert_eq!(client.command("EHLO client.example").must_be(250).lines[..2], ["mx.example.com", "PIPELINING"]);
    let mail = client.command("MAIL FROM:<a@client.example>").must_be(250);
    assert_eq!(mail.lines, ["2.1.0 said 250", "2.1.0 in two lines"]);
    let unknown = client.command("RCPT TO:<nobody@example.com>").must_be(550);
    assert!(unknown.lines[1].starts_with("5.1.1 in two lines ("), "the id stays: {unknown}");
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    assert!(!client.command("DATA").must_be(354).lines[0].contains("said"));
    client.content("Subject: x\r\n\r\ny\r\n");
    client.expect(250);
    let bye = client.command("QUIT").must_be(221);
    assert_eq!(bye.lines, ["2.0.0 Bye"]);
    server.arrived("alice", 1);
}

#[test]
fn a_higher_limit_for_one_message() {
    let own = Own::at(&[Event::TransportOversize], |scene, _| {
        let View::Oversize { size, .. } = scene.view else { panic!("no size") };
        if scene.sender_text() == Some("big@client.example") {
            return Hearing::Now(Ok(Verdict::Answer(Answer::Limit(size + 10_000))));
        }
        Hearing::Now(Ok(Verdict::Reject(Some(Said::new(552, EnhancedCode(5, 3, 4), "Use the file share")))))
    });
    let config = Site::PLAIN.to_owned() + "message-size = \"1 KiB\"\nmessage-size-max = \"16 KiB\"\n";
    let server = Plan::new(&config).natives(own.named("own")).manifest(&bound("own")).start();
    let send = |sender: &str, size: usize| {
        let message = format!("\r\n{}\r\n", "x".repeat(size));
        SmtpClient::greeted(server.address(0)).deliver(sender, &["alice@example.com"], &message)
    };
    send("big@client.example", 4000).must_be(250);
    send("big@client.example", 20_000).must_be(552);
    let refused = send("small@client.example", 4000).must_be(552);
    assert!(refused.lines[0].starts_with("5.3.4 Use the file share ("), "{refused}");
    let declared = |sender: &str, size: u64| {
        let mut client = SmtpClient::greeted(server.address(0));
        client.command(&format!("MAIL FROM:<{sender}> SIZE={size}")).code
    };
    assert_eq!(declared("big@client.example", 16 << 10), 250);
    assert_eq!(declared("big@client.example", (16 << 10) + 1), 552);
    assert_eq!(declared("small@client.example", 2000), 552);
}

/// Claims a verb, two parameters and a keyword, and uses them.
fn claiming() -> Own {
    let mut own = Own::at(&[Event::InCommand, Event::TransportSubmit], |scene, edits| match scene.view {
        View::Verb { verb: "XCOUNT", argument, .. } => {
            let reply = Said::foreign(250, Some(EnhancedCode(2, 0, 0)), &format!("{} octets", argument.len()));
            Hearing::Now(Ok(Verdict::Answer(reply.into())))
        }
        View::Verb { .. } => next(),
        _ => {
            let envelope = scene.envelope().expect("an envelope");
            let mail = envelope.params.iter().map(|p| format!("{}={:?}", p.keyword, p.value));
            let rcpt = envelope.recipients[0].params.iter().map(|p| format!("{}={:?}", p.keyword, p.value));
            let value = mail.chain(rcpt).collect::<Vec<_>>().join(" ");
            edits.push(Edit::Header(HeaderEdit::Append("X-Params".into(), value)));
            edits.push(Edit::Property(Bearer::Message, "seen".into(), true.into()));
            next()
        }
    });
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    own.claims = Claims {
        verbs: vec!["XCOUNT".into()],
        mail_params: words(&["XPRIO"]),
        rcpt_params: words(&["XBOX"]),
        keywords: words(&["XPRIO 1 9"]),
        ..Claims::default()
    };
    own
}

#[test]
fn claimed_verbs_parameters_and_keywords() {
    let server = with(claiming());
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    assert!(client.command("EHLO client.example").lines.contains(&"XPRIO 1 9".to_owned()));
    assert_eq!(client.command("xcount abc").to_string(), "250 2.0.0 3 octets");
    client.command("XOTHER").must_be(500);
    client.command("MAIL FROM:<a@client.example> XOTHER=1").must_be(555);
    client.command("MAIL FROM:<a@client.example> xprio=7").must_be(250);
    client.command("RCPT TO:<alice@example.com> XPRIO=7").must_be(555);
    client.command("RCPT TO:<alice@example.com> XBOX").must_be(250);
    client.command("DATA").must_be(354);
    client.content("Subject: x\r\n\r\ny\r\n");
    let accepted = client.expect(250);
    assert!(server.arrived("alice", 1)[0].contains("\nX-Params: XPRIO=Some(\"7\") XBOX=None\n"));
    let seen = server.account(accepted.id()).properties;
    assert_eq!(seen.get("own", "seen"), Some(&true.into()));
}

#[test]
fn other_claims_are_in_force_from_the_next_ehlo_and_everything_else_from_the_next_mail() {
    let policy = |text: &str| {
        let rule = "[[sink.config.rule]]\nevent = \"in.mail\"\nwhen = { sender = \"spam@*\" }\n";
        format!("[[sink]]\nname = \"policy\"\nnative = \"policy\"\n{rule}reject = \"{text}\"\n")
    };
    let plan = Plan::new(Site::PLAIN).natives(claiming().named("own"));
    let server = plan.manifest(&(bound("own") + &policy("one"))).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let mut refused = |text: &str| {
        let reply = client.command("MAIL FROM:<spam@client.example>").must_be(550);
        assert!(reply.lines[0].starts_with(&format!("5.7.1 {text} (")), "{reply}");
    };
    refused("one");
    server.put_in_force(&(bound("own") + &policy("two")));
    refused("two");
    server.put_in_force(&policy("three"));
    refused("two");
    assert_eq!(client.command("XCOUNT").code, 250, "what was offered is still there");
    client.command("EHLO client.example").must_be(250);
    assert_eq!(client.command("XCOUNT").code, 500);
    let reply = client.command("MAIL FROM:<spam@client.example>").must_be(550);
    assert!(reply.lines[0].starts_with("5.7.1 three ("), "{reply}");
}

#[test]
fn notify_events_are_told_and_nobody_waits() {
    let calls = Calls::default();
    let noted = calls.clone();
    let server = with(Own::at(&[Event::InDisconnect], move |scene, _| {
        noted.note(scene.event.name());
        Hearing::Later(Box::pin(pending()))
    }));
    for _ in 0..3 {
        deliver(&server).must_be(250);
    }
    eventually("the first of them to be told", || (!calls.take().is_empty()).then_some(()));
    eventually("the sessions to end", || (server.server.gate.count() == 0).then_some(()));
}

#[test]
fn a_property_that_is_too_large_is_a_fault() {
    let server = with(Own::at(&[Event::TransportSubmit], |_, edits| {
        edits.push(Edit::Property(Bearer::Message, "large".into(), "x".repeat(17 << 10).into()));
        next()
    }));
    let told = deliver(&server).must_be(451);
    let account = server.account(told.id());
    assert_eq!(account.state, State::Refused);
    assert!(account.ledger.entries[0].fault.as_ref().is_some_and(|f| f.starts_with("limit: ")), "{account:?}");
}
