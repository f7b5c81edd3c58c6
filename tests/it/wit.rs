//! The WIT and the catalogue say the same: which events there are, what a verdict is, and what may be changed.

use mailsluice::event::catalogue::{CATALOGUE, EditKind};
use std::collections::BTreeSet;
use wit_parser::{Resolve, SourceMap, TypeDefKind};

fn resolve() -> Resolve {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/wit/0.1");
    let mut map = SourceMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        map.push_str(&path.to_string_lossy(), std::fs::read_to_string(&path).unwrap());
    }
    let mut resolve = Resolve::default();
    resolve.push_group(map.parse().unwrap_or_else(|(_, e)| panic!("{e:?}"))).unwrap();
    resolve
}

fn interface<'a>(resolve: &'a Resolve, name: &str) -> &'a wit_parser::Interface {
    let found = resolve.interfaces.iter().find(|(_, i)| i.name.as_deref() == Some(name));
    found.unwrap_or_else(|| panic!("there is no interface `{name}`")).1
}

#[test]
fn every_event_that_modules_hear_has_its_interface_and_no_other_has() {
    let resolve = resolve();
    let with_handle = |(_, i): (_, &wit_parser::Interface)| i.functions.contains_key("handle").then(|| i.name.clone());
    let interfaces: BTreeSet<String> = resolve.interfaces.iter().filter_map(with_handle).flatten().collect();
    let events = CATALOGUE.iter().filter(|spec| spec.is_sandboxed()).map(|spec| spec.name.replace('.', "-"));
    assert_eq!(interfaces, events.collect());
}

#[test]
fn the_world_of_all_events_has_them_all() {
    let resolve = resolve();
    let (_, world) = resolve.worlds.iter().find(|(_, world)| world.name == "all-events").unwrap();
    let exports: BTreeSet<String> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    for spec in CATALOGUE.iter().filter(|spec| spec.is_sandboxed()) {
        let name = format!("mailsluice:sink/{}@0.1.0", spec.name.replace('.', "-"));
        assert!(exports.contains(&name), "{name}");
    }
}

#[test]
fn verdicts_are_those_of_the_catalogue() {
    let resolve = resolve();
    let verdict = interface(&resolve, "types").types["verdict"];
    let TypeDefKind::Variant(verdict) = &resolve.types[verdict].kind else { panic!("a verdict is a variant") };
    let cases: Vec<&str> = verdict.cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(cases, ["next", "skip-rest", "answer", "reject", "defer", "disconnect", "discard", "hold"]);
    let used: BTreeSet<&str> = CATALOGUE.iter().flat_map(|s| s.verdicts).map(|v| v.as_str()).collect();
    assert!(used.iter().all(|verdict| cases.contains(verdict)), "{used:?}");
}

/// The functions of each kind of edit.
const EDITS: &[(EditKind, &[&str])] = &[
    (EditKind::Delay, &["session.delay"]),
    (EditKind::Limits, &["session.limit-message-size", "session.limit-recipients"]),
    (EditKind::Greeting, &["session.set-greeting"]),
    (EditKind::Keywords, &["session.add-keyword", "session.remove-keyword"]),
    (EditKind::Sender, &["message.set-sender"]),
    (EditKind::Rewrite, &["recipient.rewrite"]),
    (EditKind::AddRecipient, &["message.add-recipient"]),
    (EditKind::RemoveRecipient, &["recipient.remove"]),
    (EditKind::Vouch, &["recipient.vouch"]),
    (EditKind::Fate, &["recipient.reject", "recipient.defer", "recipient.discard", "recipient.hold"]),
    (
        EditKind::Header,
        &["message.prepend-header", "message.append-header", "message.set-header", "message.remove-header"],
    ),
    (
        EditKind::Body,
        &[
            "message.replace-body",
            "message.prepend-text",
            "message.append-text",
            "message.replace-text",
            "message.replace-part",
            "message.add-attachment",
            "message.replace-attachment",
            "message.remove-part",
        ],
    ),
    (EditKind::Property, &["session.set-property", "message.set-property", "recipient.set-property"]),
    (EditKind::ReplyText, &["outgoing.set-text"]),
    // Of the functions of `header`, the one that puts a field on top.
    (EditKind::Prepend, &[]),
    (EditKind::SourceAddress, &["outbound.connect-from"]),
    (EditKind::HeloName, &["outbound.say-hello-as"]),
    (EditKind::TlsPolicy, &["outbound.set-tls-policy"]),
    (EditKind::Credentials, &["outbound.authenticate"]),
    (EditKind::Parameter, &["outbound.add-parameter"]),
    (EditKind::Command, &["outbound.insert-command", "outbound.replace-command"]),
    // An interface of its own: it needs a grant.
    (EditKind::Generate, &[]),
];

/// Each kind of edit has its functions, and there is none that edits and is not here.
#[test]
fn each_edit_has_its_functions() {
    let in_use: BTreeSet<String> = CATALOGUE.iter().flat_map(|s| s.edits).map(|kind| format!("{kind:?}")).collect();
    assert_eq!(in_use, EDITS.iter().map(|(kind, _)| format!("{kind:?}")).collect());

    let resolve = resolve();
    let reads = [
        "id",
        "origin",
        "property",
        "address",
        "original",
        "standing",
        "matched",
        "place",
        "sender",
        "recipients",
        "size",
        "started",
        "header",
        "headers",
        "fields",
        "raw-header",
        "body-size",
        "read-body",
        "text",
        "html",
        "parts",
        "read-part",
        "reply",
        "leg",
        "verb",
        "next-states",
        "may-refuse",
    ];
    let method = |name: &String| name.strip_prefix("[method]").map(ToOwned::to_owned);
    let edits: BTreeSet<String> = interface(&resolve, "types")
        .functions
        .keys()
        .filter_map(method)
        .filter(|name| !reads.contains(&name.split_once('.').unwrap().1))
        .collect();
    assert_eq!(edits, EDITS.iter().flat_map(|(_, names)| *names).map(|name| (*name).to_owned()).collect());
}
