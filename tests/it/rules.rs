//! Random rules, bindings and scenes: the dispatcher's decision, and whom it asked about what, compared with a naive
//! evaluation of the same.

use crate::rules_cases::{Bound, Change, STANDINGS, case, message};
use crate::rules_model::{Clause, Facts, NETS, TEXTS, Test, When};
use crate::seam::{World, now, recipient};
use mailsluice::config::{Diagnostics, Node, parse};
use mailsluice::event::edit::{Bearer, HeaderEdit};
use mailsluice::event::rule::compile::compile;
use mailsluice::event::{Binding, Decision, Dispatcher, Edit, Edits, Event, Fault, Files, Verdict};
use mailsluice::mail::{Fate, ForwardPath, ReversePath, Standing, TlsFacts};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The walk: what comes out, and who was asked about which recipients.
fn expected(event: Event, bounds: &[Bound], mut facts: Facts) -> (String, Vec<(usize, Vec<usize>)>) {
    let mut order: Vec<usize> = (0..bounds.len()).collect();
    order.sort_by_key(|&n| (bounds[n].priority, n));
    let (mut asked, mut skipping) = (Vec::new(), false);
    for n in order {
        let bound = &bounds[n];
        let hidden =
            |standing: &str| ["unknown", "denied"].contains(&standing) && !names(bound.when.as_ref(), standing);
        let shown = event != Event::InRcpt || !hidden(facts.recipients[0].2);
        let called = shown && bound.when.as_ref().is_none_or(|when| facts.holds(when, None));
        if !called || (skipping && !bound.always) {
            continue;
        }
        asked.push((n, facts.matched(bound.when.as_ref())));
        let verdict =
            bound.verdict.map_or_else(|| format!("fault {}", bound.on_fault.as_str()), |v| format!("{v} {n}"));
        if bound.verdict.is_some() {
            bound.edits.iter().for_each(|change| apply(event, n, change, &mut facts));
        }
        match verdict.split(' ').next() {
            Some("next") => {}
            Some("skip-rest") => skipping = true,
            _ if verdict == "fault continue" => {}
            _ => return (verdict, asked),
        }
    }
    ("proceed".to_owned(), asked)
}

/// Whether the rule asks for this standing by name, and not to exclude it.
fn names(when: Option<&When>, standing: &str) -> bool {
    when.is_some_and(|when| {
        when.0.iter().any(|clause| match clause {
            Clause::Key("standing", tests) => tests.iter().any(|t| matches!(t, Test::Glob(name) if name == standing)),
            Clause::Any(whens) | Clause::All(whens) => whens.iter().any(|when| names(Some(when), standing)),
            _ => false,
        })
    })
}

fn apply(event: Event, n: usize, change: &Change, facts: &mut Facts) {
    let bearer = match event {
        Event::InConnect => 2,
        Event::InRcpt => 0,
        _ => 1,
    };
    match (event, change) {
        (_, Change::Property(value)) => drop(facts.properties[bearer].insert(format!("{n}.p"), json!(value))),
        (Event::TransportSubmit, Change::Header(name, value)) => {
            let before = facts.header.iter().position(|(field, _)| field == name).unwrap_or(facts.header.len());
            facts.header.retain(|(field, _)| field != name);
            facts.header.insert(before.min(facts.header.len()), ((*name).into(), (*value).into()));
            facts.size = Some(message(facts).len());
        }
        (Event::InMail | Event::TransportSubmit, Change::Sender(sender)) => {
            drop(facts.texts.insert("sender", (*sender).into()))
        }
        (Event::InRcpt, Change::Rewrite(path)) => facts.recipients[0].1 = (*path).into(),
        _ => {}
    }
}

fn push(event: Event, change: &Change, edits: &mut Edits) {
    let bearer = match event {
        Event::InConnect => Bearer::Session,
        Event::InRcpt => Bearer::Recipient(None),
        _ => Bearer::Message,
    };
    match (event, change) {
        (_, Change::Property(value)) => edits.push(Edit::Property(bearer, "p".into(), json!(value))),
        (Event::TransportSubmit, Change::Header(name, value)) => {
            edits.push(Edit::Header(HeaderEdit::Set((*name).into(), (*value).into())));
        }
        (Event::InMail | Event::TransportSubmit, Change::Sender(sender)) => {
            edits.push(Edit::Sender(ReversePath::parse(sender).unwrap()));
        }
        (Event::InRcpt, Change::Rewrite(path)) => edits.push(Edit::Rewrite(ForwardPath::parse(path).unwrap())),
        _ => {}
    }
}

type Asked = Arc<Mutex<Vec<(usize, Vec<usize>)>>>;

fn binding(event: Event, n: usize, bound: &Bound, asked: &Asked, files: &mut Files) -> Binding {
    let (asked, does) = (asked.clone(), bound.clone());
    let sink = now(&n.to_string(), move |scene, edits| {
        asked.lock().unwrap().push((n, scene.matched_recipients()));
        does.edits.iter().for_each(|change| push(event, change, edits));
        let text = n.to_string();
        let reply = |code| Some(mailsluice::mail::Reply::foreign(code, None, &text));
        Ok(match does.verdict.ok_or_else(|| Fault::error("as told"))? {
            "next" => Verdict::Next,
            "skip-rest" => Verdict::SkipRest,
            "reject" => Verdict::Reject(reply(550)),
            "defer" => Verdict::Defer(reply(450), None),
            "discard" => Verdict::Discard,
            _ => Verdict::Hold(text),
        })
    });
    let rule = bound.when.as_ref().map(|when| {
        let mut found = Diagnostics::default();
        let (json, toml) = (node("json", when, &mut found), node("toml", when, &mut found));
        assert_eq!(json, toml, "one rule, two spellings");
        let rule = compile(&toml.as_table().unwrap().get("when").unwrap().node, Some(event), files, &mut found);
        assert!(found.is_empty(), "{found}");
        rule
    });
    Binding {
        rule,
        priority: bound.priority,
        always: bound.always,
        on_fault: bound.on_fault,
        ..Binding::new(sink, event)
    }
}

fn node(form: &str, when: &When, found: &mut Diagnostics) -> Node {
    let manifest = json!({ "when": when.json() });
    let text = if form == "json" { manifest.to_string() } else { toml::to_string(&manifest).unwrap() };
    let id = found.sources.add(format!("sinks.{form}"), &text);
    parse(id, found).unwrap_or_else(|| panic!("{text}\n{found}"))
}

/// The facts as the core lends them.
fn world(event: Event, facts: &Facts) -> World {
    let mut world = World::default();
    let text = |key| facts.texts.get(key).map(|text| Arc::<str>::from(text.as_str()));
    let origin = &mut world.origin;
    (origin.listener, origin.client_name, origin.helo) = (text("listener"), text("client-name"), text("helo"));
    (origin.auth, origin.client) = (text("auth"), facts.client);
    origin.tls = text("tls").map(|text| Arc::new(TlsFacts { version: text.to_string(), ..TlsFacts::default() }));
    origin.role = facts.texts.get("role").and(origin.role);
    let letter = world.transaction.letter_mut();
    letter.envelope.size = facts.size;
    letter.envelope.recipients.clear();
    letter.message = (event == Event::TransportSubmit).then(|| message(facts));
    if let Some(sender) = facts.texts.get("sender") {
        letter.envelope.sender = ReversePath::parse(sender).unwrap();
    }
    if event == Event::TransportSubmit {
        let recipients = facts.recipients.iter().map(|(_, path, standing)| recipient(path, standing_of(standing)));
        letter.envelope.recipients = recipients.collect();
        // One that is decided already is nobody's any more.
        let mut gone = recipient("b@y.x", Standing::Local);
        gone.fate = Fate::Discarded;
        letter.envelope.recipients.push(gone);
    }
    let bearers = [&mut letter.properties, &mut world.session.facts_mut().properties];
    for (properties, values) in bearers.into_iter().zip(&facts.properties[1..]) {
        set_all(properties, values.iter());
    }
    world
}

fn set_all<'a>(properties: &mut mailsluice::mail::Properties, values: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (name, value) in values {
        let (sink, key) = name.split_once('.').unwrap();
        properties.set(sink, key, value.clone());
    }
}

fn standing_of(name: &str) -> Standing {
    STANDINGS.iter().find(|(n, _)| *n == name).unwrap().1
}

async fn actual(event: Event, dispatcher: &Dispatcher, facts: &Facts) -> Decision {
    let mut world = world(event, facts);
    match event {
        Event::InConnect => {
            let mut stage = mailsluice::event::Stage::new(&world.origin);
            stage.session = Some(&mut world.session);
            dispatcher.raise(event, &mut stage).await
        }
        Event::InRcpt => {
            let (_, path, standing) = &facts.recipients[0];
            let mut recipient = recipient(path, standing_of(standing));
            set_all(&mut recipient.properties, facts.properties[0].iter());
            world.rcpt(dispatcher, recipient).await.0
        }
        _ => world.raise(dispatcher, event).await,
    }
}

fn told(decision: Decision) -> String {
    let fault = |text: &str| text.starts_with("Local error");
    match decision {
        Decision::Proceed => "proceed".to_owned(),
        Decision::Reject(reply) if fault(reply.text()) => "fault reject".to_owned(),
        Decision::Reject(reply) => format!("reject {}", reply.text()),
        Decision::Defer(reply, _) if fault(reply.text()) => "fault defer".to_owned(),
        Decision::Defer(reply, _) => format!("defer {}", reply.text()),
        Decision::Discard => "discard".to_owned(),
        Decision::Hold { reason, place } if reason.contains("failed") => format!("fault hold {}", place.sink),
        Decision::Hold { reason, .. } => format!("hold {reason}"),
        Decision::Answer(_) | Decision::Disconnect(_) => unreachable!("no sink says so"),
    }
}

fn lists() -> (tempfile::TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    for (name, entries) in [TEXTS, NETS] {
        std::fs::write(folder.path().join(name), entries.join("\n")).unwrap();
    }
    let files = Files::new(folder.path());
    (folder, files)
}

thread_local! {
    static FILES: (tempfile::TempDir, Files) = lists();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn as_a_naive_walk_over_the_same_bindings((event, bounds, facts) in case()) {
        let mut files = FILES.with(|(_, files)| files.clone());
        let asked = Asked::default();
        let bindings = bounds.iter().enumerate().map(|(n, bound)| binding(event, n, bound, &asked, &mut files));
        let dispatcher = Dispatcher::new(bindings.collect());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let decision = told(runtime.block_on(actual(event, &dispatcher, &facts)));
        let (mut want, want_asked) = expected(event, &bounds, facts);
        // What is not refused says no number.
        if want.starts_with("discard") {
            want = "discard".to_owned();
        }
        if want == "fault hold" {
            want = format!("fault hold {}", want_asked.last().unwrap().0);
        }
        prop_assert_eq!((decision, asked.lock().unwrap().clone()), (want, want_asked));
    }
}
