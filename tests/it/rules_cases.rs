//! Random rules, bindings and scenes for [`rules`](crate::rules): few words, so that they often meet.

use crate::rules_model::{Clause, Facts, Test, When};
use mailsluice::event::{Event, OnFault};
use mailsluice::mail::{Message, Standing};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

const EVENTS: [Event; 4] = [Event::InConnect, Event::InMail, Event::InRcpt, Event::TransportSubmit];
const ORIGIN: [&str; 7] = ["door", "listener", "role", "client-name", "helo", "auth", "tls"];
const SENDERS: [&str; 3] = ["<>", "a@x", "b@y.x"];
const PATHS: [&str; 4] = ["a@x", "b@x", "b@y.x", "Postmaster"];
pub(crate) const STANDINGS: [(&str, Standing); 4] = [
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
pub(crate) struct Bound {
    pub(crate) when: Option<When>,
    pub(crate) priority: u16,
    pub(crate) always: bool,
    pub(crate) on_fault: OnFault,
    /// No verdict is a fault.
    pub(crate) verdict: Option<&'static str>,
    pub(crate) edits: Vec<Change>,
}

/// An edit, if the event has it.
#[derive(Clone, Debug)]
pub(crate) enum Change {
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

pub(crate) fn message(facts: &Facts) -> Message {
    let header: String = facts.header.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Message::from_bytes(format!("{header}\r\nbody\r\n").into_bytes().into())
}

/// An event, bindings to it, and what is known there.
pub(crate) fn case() -> impl Strategy<Value = (Event, Vec<Bound>, Facts)> {
    let known = |event| facts().prop_map(move |facts| known_at(event, facts));
    select(&EVENTS[..]).prop_flat_map(move |event| (Just(event), vec(bound(event), 1..8), known(event)))
}
