//! Random rules, bindings and scenes: the dispatcher's decision, and whom it asked about what, compared with a naive
//! evaluation of the same.

use crate::rules_model::{Clause, Facts, NETS, TEXTS, Test, When};
use crate::seam::{World, now, recipient};
use mailsluice::config::{Diagnostics, Node, parse};
use mailsluice::event::edit::{Bearer, HeaderEdit};
use mailsluice::event::rule::compile::compile;
use mailsluice::event::{Binding, Decision, Dispatcher, Edit, Edits, Event, Fault, Files, OnFault, Verdict};
use mailsluice::mail::{Fate, ForwardPath, Message, ReversePath, Standing};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const EVENTS: [Event; 4] = [Event::InConnect, Event::InMail, Event::InRcpt, Event::TransportSubmit];
const ORIGIN: [&str; 7] = ["door", "listener", "role", "client-name", "helo", "auth", "tls"];
const SENDERS: [&str; 3] = ["<>", "a@x", "b@y.x"];
const PATHS: [&str; 4] = ["a@x", "b@x", "b@y.x", "Postmaster"];
const STANDINGS: [(&str, Standing); 4] = [
    ("local", Standing::Local),
    ("relay", Standing::Relay),
    ("unknown", Standing::Unknown),
    ("denied", Standing::Denied),
];
const PROPERTIES: [&str; 2] = ["0.p", "s.q"];
const NAMES: [&str; 2] = ["Subject", "X-a"];
const VALUES: [&str; 3] = ["a", "ab", "y"];

/// One binding, and what its sink does.
#[derive(Clone, Debug)]
struct Bound {
    when: Option<When>,
    priority: u16,
    always: bool,
    on_fault: OnFault,
    /// No verdict is a fault.
    verdict: Option<&'static str>,
    edits: Vec<Change>,
}

/// An edit, if the event has it.
#[derive(Clone, Debug)]
enum Change {
    Property(&'static str),
    Header(&'static str, &'static str),
    Sender(&'static str),
    Rewrite(&'static str),
}

fn glob() -> impl Strategy<Value = Test> {
    prop_oneof![4 => "[abxy.*?][abxy@.*?]{0,3}".prop_map(Test::Glob), 1 => Just(Test::TextList)]
}

fn glob_or_presence() -> impl Strategy<Value = Test> {
    prop_oneof![3 => glob(), 1 => any::<bool>().prop_map(Test::Present)]
}

fn number() -> impl Strategy<Value = Test> {
    (select(vec!["", "=", "<", "<=", ">", ">="]), 0u64..4).prop_map(|(operator, n)| Test::Number(operator, n))
}

fn key(key: &'static str, test: impl Strategy<Value = Test> + 'static) -> BoxedStrategy<Clause> {
    vec(test, 1..3).prop_map(move |tests| Clause::Key(key, tests)).boxed()
}

fn named(
    key: &'static str,
    names: &'static [&'static str],
    test: impl Strategy<Value = Test> + 'static,
) -> BoxedStrategy<Clause> {
    (select(names), vec(test, 1..3)).prop_map(move |(name, tests)| Clause::Named(key, name, tests)).boxed()
}

/// The keys that are possible at the event.
fn leaf(event: Event) -> BoxedStrategy<Clause> {
    let net = prop_oneof![
        select(vec!["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "::/0"]).prop_map(Test::Net),
        Just(Test::NetList)
    ];
    let mut keys = vec![
        key("door", glob()),
        key("listener", glob()),
        key("role", prop_oneof![glob(), Just(Test::Glob("mx".into()))]),
        key("client-name", glob_or_presence()),
        key("helo", glob_or_presence()),
        key("auth", glob_or_presence()),
        key("tls", glob_or_presence()),
        key("client", net),
        named("property", &PROPERTIES, prop_oneof![glob_or_presence(), number()]),
    ];
    if event != Event::InConnect {
        keys.extend([
            key("sender", prop_oneof![4 => glob(), 1 => Just(Test::Glob("<>".into()))]),
            key("size", number()),
        ]);
    }
    if matches!(event, Event::InRcpt | Event::TransportSubmit) {
        let standing = select(STANDINGS.map(|(name, _)| Test::Glob(name.into())).to_vec());
        keys.extend([key("recipient", glob()), key("standing", standing)]);
    }
    if event == Event::TransportSubmit {
        keys.push(named("header", &NAMES, glob_or_presence()));
    }
    proptest::strategy::Union::new(keys).boxed()
}

fn when(event: Event) -> impl Strategy<Value = When> {
    let table = |clauses: Vec<Clause>| When(clauses).without_doubles();
    vec(leaf(event), 0..3).prop_map(table).prop_recursive(3, 16, 3, move |inner| {
        let combined = prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Clause::Any),
            vec(inner.clone(), 0..3).prop_map(Clause::All),
            inner.prop_map(Clause::Not),
        ];
        vec(prop_oneof![leaf(event), combined], 1..4).prop_map(table)
    })
}

fn bound(event: Event) -> impl Strategy<Value = Bound> {
    let mut verdicts =
        vec![Some("next"), Some("next"), Some("next"), Some("skip-rest"), Some("reject"), Some("defer"), None];
    if event != Event::InConnect {
        verdicts.extend([Some("discard"), Some("hold")]);
    }
    let change = prop_oneof![
        select(&VALUES[..]).prop_map(Change::Property),
        (select(&NAMES[..]), select(&VALUES[..])).prop_map(|(name, value)| Change::Header(name, value)),
        select(&SENDERS[..]).prop_map(Change::Sender),
        select(&PATHS[..]).prop_map(Change::Rewrite),
    ];
    let faults = select(event.spec().faults);
    (option::weighted(0.6, when(event)), 0u16..3, any::<bool>(), faults, select(verdicts), vec(change, 0..3)).prop_map(
        |(when, priority, always, on_fault, verdict, edits)| Bound { when, priority, always, on_fault, verdict, edits },
    )
}

fn property() -> impl Strategy<Value = Option<Value>> {
    let value = prop_oneof![
        select(&VALUES[..]).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (0u64..4).prop_map(Value::from)
    ];
    option::weighted(0.4, value)
}

/// What is known, before it is cut down to what the event knows.
fn facts() -> impl Strategy<Value = Facts> {
    let text = || option::of(select(vec!["a.x", "b", "by"]));
    let client =
        option::weighted(0.8, select(vec!["192.0.2.1", "192.0.2.200", "::ffff:192.0.2.1", "2001:db8::1", "::1"]));
    let recipients = vec((select(&PATHS[..]), select(&STANDINGS[..])), 1..4);
    let header = vec((select(&NAMES[..]), select(&VALUES[..])), 0..3);
    let properties = vec(property(), 6);
    (vec(text(), 7), client, select(&SENDERS[..]), recipients, option::of(0u64..4), header, properties).prop_map(
        |(texts, client, sender, recipients, size, header, properties)| {
            let mut facts = Facts { size, client: client.map(|ip| ip.parse().unwrap()), ..Facts::default() };
            facts.texts = ORIGIN.iter().zip(texts).filter_map(|(key, text)| Some((*key, text?.to_owned()))).collect();
            facts.texts.insert("door", "smtp".into());
            facts.texts.entry("role").and_modify(|role| *role = "mx".into());
            facts.texts.insert("sender", sender.to_owned());
            let numbered = recipients.into_iter().enumerate();
            facts.recipients = numbered.map(|(i, (path, (standing, _)))| (i, path.to_owned(), standing)).collect();
            facts.header = header.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            for (n, value) in properties.into_iter().enumerate() {
                facts.properties[n / 2].extend(value.map(|value| (PROPERTIES[n % 2].to_owned(), value)));
            }
            facts
        },
    )
}

/// What the event does not know is not there.
fn known_at(event: Event, mut facts: Facts) -> Facts {
    if event == Event::InConnect {
        facts.texts.remove("sender");
        facts.size = None;
        facts.properties[1].clear();
    }
    match event {
        Event::InRcpt => facts.recipients.truncate(1),
        Event::TransportSubmit => {}
        _ => facts.recipients.clear(),
    }
    if event != Event::InRcpt {
        facts.properties[0].clear();
    }
    if event != Event::TransportSubmit {
        facts.header.clear();
    } else {
        // The size is that of the message.
        facts.size = Some(message(&facts).len());
    }
    facts
}

fn message(facts: &Facts) -> Message {
    let header: String = facts.header.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Message::from_bytes(format!("{header}\r\nbody\r\n").into_bytes().into())
}

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
    let text = |key| facts.texts.get(key).map(|text| text.as_str().into());
    let origin = &mut world.origin;
    (origin.listener, origin.client_name, origin.helo) = (text("listener"), text("client-name"), text("helo"));
    (origin.auth, origin.tls, origin.client) = (text("auth"), text("tls"), facts.client);
    origin.role = facts.texts.get("role").and(origin.role);
    let letter = &mut world.transaction.letter;
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
    let bearers = [&mut letter.properties, &mut world.session.facts.properties];
    for (properties, values) in bearers.into_iter().zip(&facts.properties[1..]) {
        set_all(properties, values.iter());
    }
    world
}

fn set_all<'a>(properties: &mut mailsluice::mail::Properties, values: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (name, value) in values {
        let (sink, key) = name.split_once('.').unwrap();
        properties.set(sink, key, value.clone()).unwrap();
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

fn case() -> impl Strategy<Value = (Event, Vec<Bound>, Facts)> {
    select(&EVENTS[..]).prop_flat_map(|event| (Just(event), vec(bound(event), 1..8), facts()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn as_a_naive_walk_over_the_same_bindings((event, bounds, facts) in case()) {
        let mut files = FILES.with(|(_, files)| files.clone());
        let facts = known_at(event, facts);
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
