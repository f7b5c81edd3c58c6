//! From `[[sink.config.rule]]` to a row, with every error at its place.

use super::Row;
use super::edits::{EDITS, yes};
use crate::config::reader::Table;
use crate::config::suggest::suggest;
use crate::config::tree::Field;
use crate::config::values::{self, alternatives};
use crate::config::{Diagnostics, Node, Severity, Value, from_node};
use crate::event::catalogue::{EditKind, Kind, Spec, VerdictKind};
use crate::event::rule::compile;
use crate::event::verdict::standard;
use crate::event::{CATALOGUE, Event, Files, Rule, Verdict};
use crate::mail::{Class, EnhancedCode, Reply};

/// The keys that give a verdict.
const VERDICTS: [(&str, VerdictKind); 6] = [
    ("reject", VerdictKind::Reject),
    ("defer", VerdictKind::Defer),
    ("disconnect", VerdictKind::Disconnect),
    ("discard", VerdictKind::Discard),
    ("hold", VerdictKind::Hold),
    ("skip-rest", VerdictKind::SkipRest),
];

/// Reads one rule. Nothing if something is wrong with it, which is then noted.
pub(super) fn rule(
    table: &mut Table<'_>,
    number: usize,
    files: &mut Files,
    found: &mut Diagnostics,
) -> Option<(Event, Row)> {
    let before = found.count(Severity::Error);
    let event = table.require("event", found, event);
    let when = table.node("when").map_or(Rule::All(Vec::new()), |node| compile::compile(node, event, files, found));
    let status = table.field("status");
    let verdict = verdict(table, event, status, found);
    let per_recipient = per_recipient(table, event, verdict.as_ref(), found);
    let mut row = Row {
        number,
        when,
        edits: Vec::new(),
        properties: Vec::new(),
        remove_recipient: false,
        verdict,
        per_recipient,
    };
    let edits = read_edits(&mut row, table, event, found);
    if row.verdict.is_none() && edits == 0 && found.count(Severity::Error) == before {
        let told = found.error(table.span(), "the rule says when, but not what then");
        let verdicts: Vec<String> = VERDICTS.iter().map(|(key, _)| format!("`{key}`")).collect();
        told.help(format!("give it {}, or an edit such as `property`", verdicts.join(", ")));
    }
    Some((event?, row))
}

/// An event at which something can be decided.
fn event(node: &Node, found: &mut Diagnostics) -> Option<Event> {
    let name = values::string(node, found)?;
    let Some(event) = Event::by_name(&name) else {
        let told = found.error(node.span, format!("`{name}` is not an event"));
        if let Some(meant) = suggest(&name, CATALOGUE.iter().map(|spec| spec.name)) {
            told.label(format!("did you mean `{meant}`?"));
        }
        told.help("`mailsluice events` lists them");
        return None;
    };
    if event.spec().kind == Kind::Notify {
        found.error(node.span, format!("nothing can be decided at `{event}`: it tells what is over"));
        return None;
    }
    Some(event)
}

/// The verdict, of which there may be one.
fn verdict(
    table: &mut Table<'_>,
    event: Option<Event>,
    status: Option<&Field>,
    found: &mut Diagnostics,
) -> Option<Verdict> {
    let mut given = VERDICTS.iter().filter_map(|&(key, kind)| table.field(key).map(|field| (kind, field)));
    let first = given.next();
    for (_, second) in given {
        found.error(second.key_span, "a rule has one verdict").help("make it two rules");
    }
    let Some((kind, field)) = first else {
        if let Some(status) = status {
            found.error(status.key_span, "a status needs a reply to stand in").help("add `reject` or `defer`");
        }
        return None;
    };
    check(event, &field.key, field, found, |spec| spec.allows(kind));
    let status = status.and_then(|field| read_status(field, kind, found));
    read_verdict(kind, event?, status, &field.node, found)
}

fn read_verdict(
    kind: VerdictKind,
    event: Event,
    status: Option<EnhancedCode>,
    node: &Node,
    found: &mut Diagnostics,
) -> Option<Verdict> {
    let mut reply = |standard: Reply| {
        let text = reply_text(node, found)?.unwrap_or_else(|| standard.text().to_owned());
        Some(Reply::foreign(standard.code(), status.or(standard.status()), &text))
    };
    Some(match kind {
        VerdictKind::Reject => Verdict::Reject(Some(reply(standard(Class::Permanent, event))?)),
        VerdictKind::Defer => Verdict::Defer(Some(reply(standard(Class::Transient, event))?), None),
        // A 421 says that the connection closes; a status of class 5, that coming back is no use (RFC 5321 4.2.2).
        VerdictKind::Disconnect => {
            let for_good = status.is_some_and(|status| status.0 == 5);
            let code = if for_good { 554 } else { 421 };
            let text = "Closing the connection by local policy";
            Verdict::Disconnect(Some(reply(Reply::new(code, EnhancedCode(if for_good { 5 } else { 4 }, 7, 1), text))?))
        }
        VerdictKind::Hold => Verdict::Hold(values::string(node, found)?),
        VerdictKind::Discard => yes(node, found).map(|()| Verdict::Discard)?,
        VerdictKind::SkipRest => yes(node, found).map(|()| Verdict::SkipRest)?,
        VerdictKind::Next | VerdictKind::Answer => return None,
    })
}

/// The text of a reply, or `true` for the event's own, which is no text.
fn reply_text(node: &Node, found: &mut Diagnostics) -> Option<Option<String>> {
    match &node.value {
        Value::Bool(true) => Some(None),
        Value::String(text) if !text.is_empty() => Some(Some(text.clone())),
        _ => {
            let told = found.error(node.span, format!("expected the text of the reply, found {}", node.kind()));
            told.help("write `true` for the usual text");
            None
        }
    }
}

/// `5.7.1`: its class is that of the verdict.
fn read_status(field: &Field, kind: VerdictKind, found: &mut Diagnostics) -> Option<EnhancedCode> {
    let classes: &[u8] = match kind {
        VerdictKind::Reject => &[5],
        VerdictKind::Defer => &[4],
        VerdictKind::Disconnect => &[4, 5],
        _ => {
            found.error(field.key_span, "this verdict has no reply in which a status could stand");
            return None;
        }
    };
    let text = values::string(&field.node, found)?;
    match text.parse::<EnhancedCode>() {
        Ok(status) if classes.contains(&status.0) => Some(status),
        Ok(status) => {
            let classes: Vec<String> = classes.iter().map(|class| format!("`{class}`")).collect();
            let told = found.error(field.node.span, format!("a status of class {} contradicts the verdict", status.0));
            told.help(format!("let it begin with {}", alternatives(&classes)));
            None
        }
        Err(error) => {
            found.error(field.node.span, format!("`{text}` is not a status: {error}"));
            None
        }
    }
}

/// Whether the verdict is for single recipients.
fn per_recipient(
    table: &mut Table<'_>,
    event: Option<Event>,
    verdict: Option<&Verdict>,
    found: &mut Diagnostics,
) -> bool {
    let Some(field) = table.field("per-recipient") else { return false };
    check(event, &field.key, field, found, |spec| spec.edits.contains(&EditKind::Fate));
    if verdict.is_some_and(|verdict| super::fate(verdict).is_none()) {
        let told = found.error(field.key_span, "this verdict can't be given to a single recipient");
        told.help("`reject`, `defer`, `discard` and `hold` can");
    }
    yes(&field.node, found).is_some()
}

/// Reads the edits into the row, and says how many keys ask for some.
fn read_edits(row: &mut Row, table: &mut Table<'_>, event: Option<Event>, found: &mut Diagnostics) -> usize {
    let mut keys = 0;
    for (key, kind, read) in EDITS {
        let Some(field) = table.field(key) else { continue };
        keys += 1;
        check(event, key, field, found, |spec| spec.edits.contains(&kind));
        row.edits.extend(read(&field.node, found).unwrap_or_default());
    }
    if let Some(field) = table.field("remove-recipient") {
        keys += 1;
        check(event, "remove-recipient", field, found, |spec| spec.edits.contains(&EditKind::RemoveRecipient));
        row.remove_recipient = yes(&field.node, found).is_some();
    }
    if let Some(field) = table.field("property") {
        keys += 1;
        check(event, "property", field, found, |spec| spec.edits.contains(&EditKind::Property));
        row.properties = properties(&field.node, found);
    }
    keys
}

fn properties(node: &Node, found: &mut Diagnostics) -> Vec<(String, serde_json::Value)> {
    let Some(fields) = node.as_table() else {
        values::wrong_kind(node, "a table of names and values, such as { bulk = true }", found);
        return Vec::new();
    };
    let property = |field: &Field| Some((field.key.clone(), from_node(&field.node, found)?));
    fields.iter().filter_map(property).collect()
}

/// Notes a key that is not legal at the rule's event, and tells the events at which it is.
fn check(event: Option<Event>, key: &str, field: &Field, found: &mut Diagnostics, legal: impl Fn(&Spec) -> bool) {
    let Some(event) = event.filter(|event| !legal(event.spec())) else { return };
    let others = CATALOGUE.iter().filter(|spec| legal(spec));
    let others: Vec<String> = others.map(|spec| format!("`{}`", spec.name)).collect();
    let told = found.error(field.key_span, format!("`{key}` is not possible at `{event}`"));
    told.help(format!("it is at {}", alternatives(&others)));
}
