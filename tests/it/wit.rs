//! The WIT and the catalogue say the same: which events there are, what a verdict is, and what may be changed.

use mailsluice::event::catalogue::{CATALOGUE, EditKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use wit_parser::{Resolve, SourceMap, TypeDefKind};

fn resolve() -> Resolve {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/wit/1.0");
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
    let events = CATALOGUE.iter().map(|spec| spec.name.replace('.', "-"));
    assert_eq!(interfaces, events.collect());
}

#[test]
fn the_world_of_all_events_has_them_all() {
    let resolve = resolve();
    let (_, world) = resolve.worlds.iter().find(|(_, world)| world.name == "all-events").unwrap();
    let exports: BTreeSet<String> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    for spec in CATALOGUE.iter() {
        let name = format!("mailsluice:sink/{}@1.0.0", spec.name.replace('.', "-"));
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

/// Released folders stay as they are: a guest that was built against one must fit for ever. `frozen.b3` is as `b3sum` writes it.
#[test]
fn what_is_released_is_unchanged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit");
    let list = fs::read_to_string(root.join("frozen.b3")).unwrap();
    let frozen: BTreeMap<&str, &str> =
        list.lines().map(|line| line.split_once("  ").map(|(digest, path)| (path, digest)).unwrap()).collect();
    let mut versions = BTreeSet::new();
    for path in frozen.keys() {
        let digest = blake3::hash(&fs::read(root.join(path)).unwrap()).to_hex();
        assert_eq!(
            frozen[path],
            digest.as_str(),
            "wit/{path} is released and was changed: open the next version instead"
        );
        versions.insert(path.split_once('/').unwrap().0);
    }
    let mut open = Vec::new();
    for folder in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        if !versions.contains(name.as_str()) {
            open.push(name);
            continue;
        }
        for file in fs::read_dir(&folder).unwrap() {
            let path = format!("{name}/{}", file.unwrap().file_name().to_string_lossy());
            assert!(frozen.contains_key(path.as_str()), "wit/{path} was added to a released version");
        }
    }
    assert!(open.len() <= 1, "more than one version is open: {open:?}");
    assert!(versions.contains("1.0"));
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
    (EditKind::Split, &["message.split"]),
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
        "parameter",
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
