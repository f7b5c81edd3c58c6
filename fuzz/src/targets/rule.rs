//! A rule: it compiles to the same each time, answers whatever is known, and its `not` answers the opposite.
//!
//! An input is an octet that says what is known, and the rule as a table of TOML, without the braces around it.

use super::input::Input;
use super::told::{reaches_out, told};
use bytes::Bytes;
use mailsluice::config::{Diagnostics, parse};
use mailsluice::event::rule::compile::compile;
use mailsluice::event::transaction::Candidate;
use mailsluice::event::{Event, Files, Focus, Ledger, Rule, SessionState, Stage, Transaction};
use mailsluice::mail::{
    Door, Envelope, ForwardPath, Id, Message, Origin, Recipient, ReversePath, Role, Standing, Timestamp,
};
use std::path::Path;
use std::time::Duration;

pub(super) fn rule(data: &[u8]) {
    let mut input = Input(data);
    let known = input.octet();
    let Ok(text) = std::str::from_utf8(input.0) else { return };
    if reaches_out(text) {
        return;
    }
    let event = if known & 1 == 1 { Event::InRcpt } else { Event::TransportSubmit };
    for event in [None, Some(event)] {
        let (Some(rule), Some(again)) = (compiled(text, event), compiled(text, event)) else { continue };
        assert_eq!(format!("{rule:?}"), format!("{again:?}"));
        holds(&rule, &again, known);
    }
}

/// The rule, if nothing is wrong with it.
fn compiled(text: &str, event: Option<Event>) -> Option<Rule> {
    let mut found = Diagnostics::default();
    let id = found.sources.add("when.toml", text);
    let rule = parse(id, &mut found)
        .map(|when| compile(&when, event, &mut Files::new(Path::new("no-such-folder")), &mut found));
    told(&found);
    rule.filter(|_| !found.has_errors())
}

/// Asks both about a session, of which `known` says how much is known.
fn holds(rule: &Rule, again: &Rule, known: u8) {
    let origin = origin(known);
    let mut session = SessionState::new(Id(1));
    session.facts_mut().properties.set("sink", "p", 3.into());
    let mut transaction = transaction(known);
    let mut candidate = Candidate { recipient: to("Bob@example.com"), added: Vec::new(), vouched: false };
    let recipients: Vec<Recipient> = transaction.letter.envelope.recipients.clone();
    let stage = Stage {
        origin: &origin,
        session: (known & 2 == 2).then_some(&mut session),
        transaction: (known & 4 == 4).then_some(&mut transaction),
        focus: if known & 1 == 1 { Focus::Recipient(&mut candidate) } else { Focus::None },
        delay: Duration::ZERO,
        answered: None,
    };
    let scene = stage.scene(Event::TransportSubmit, Some(rule));
    assert_eq!(rule.holds(&scene), again.holds(&scene));
    assert_eq!(rule.holds(&scene), !Rule::Not(Box::new(again.clone())).holds(&scene));
    for recipient in &recipients {
        assert_eq!(rule.holds_for(&scene, recipient), again.holds_for(&scene, recipient));
    }
    let matched = scene.matched_recipients();
    assert!(matched.iter().all(|index| *index < recipients.len()));
}

fn origin(known: u8) -> Origin {
    let mut origin = Origin::door(Door::Smtp);
    if known & 8 == 8 {
        origin.role = Some(Role::Mx);
        origin.client = Some("::ffff:192.0.2.1".parse().unwrap_or(std::net::IpAddr::from([192, 0, 2, 1])));
        origin.helo = Some("mx.example.org".into());
        origin.auth = Some("bob".into());
    }
    origin
}

fn transaction(known: u8) -> Transaction {
    let sender = if known & 16 == 16 { "" } else { "bob@example.org" };
    let mut envelope = Envelope::new(ReversePath::parse(sender).unwrap_or(ReversePath::Null));
    envelope.recipients = vec![to("alice@example.com"), to("Postmaster")];
    let mut transaction = Transaction::new(Id(7), Timestamp(1_700_000_000_000), envelope, Ledger::default());
    if known & 32 == 32 {
        let octets = Bytes::from_static(b"Subject: one\r\nX-Old: =?utf-8?q?=C3=BC?=\r\n\r\nbody\r\n");
        transaction.letter_mut().message = Some(Message::from_bytes(octets));
    }
    transaction
}

fn to(path: &str) -> Recipient {
    Recipient::new(ForwardPath::parse(path).unwrap_or_else(|e| panic!("{path}: {e}")), Standing::Local)
}
