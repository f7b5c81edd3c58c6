//! `policy`: a list of rules, each a `when` and a verdict or edits, so that thirty rules are one sink.
//!
//! At an event its rules are tried in the order of the manifest. One that holds asks for its edits; the first that holds
//! and has a verdict ends the walk. All rules of one event see the message as it was before the sink was called: edits
//! take effect when it has returned.
//!
//! Every rule names its event, and what the event does not allow, keys, verdicts or edits, is an error in the manifest.

mod edits;
mod read;
#[cfg(test)]
mod tests;

use crate::config::reader::Table;
use crate::config::{Diagnostics, Node, Severity, Span};
use crate::event::catalogue::EditKind;
use crate::event::edit::Bearer;
use crate::event::{Edit, Edits, Env, Event, Hearing, Interest, Needs, Rule, Scene, Sink, Verdict};
use crate::mail::Fate;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The sink.
pub(super) struct Policy {
    name: Arc<str>,
    rows: BTreeMap<Event, Vec<Row>>,
}

/// One rule: when it holds, and what then.
struct Row {
    /// Its place among all rules, from 1.
    number: usize,
    when: Rule,
    edits: Vec<Edit>,
    properties: Vec<(String, Value)>,
    /// The recipients for which `when` holds are taken out.
    remove_recipient: bool,
    verdict: Option<Verdict>,
    /// The verdict is for the recipients for which `when` holds, and the walk goes on.
    per_recipient: bool,
}

/// Opens the sink.
pub(super) fn open(config: Node, at: Span, env: &mut Env, found: &mut Diagnostics) -> Option<Policy> {
    let before = found.count(Severity::Error);
    let mut number = 0;
    let rules = Table::read(&config, found, |table, found| {
        table.tables("rule", found, |table, found| {
            number += 1;
            read::rule(table, number, &mut env.files, found)
        })
    })?;
    if rules.is_empty() && found.count(Severity::Error) == before {
        let told = found.error(at, format!("sink `{}` has no rules", env.name));
        told.help("write each under its own `[[sink.config.rule]]`");
    }
    let mut rows: BTreeMap<Event, Vec<Row>> = BTreeMap::new();
    for (event, row) in rules.into_iter().collect::<Option<Vec<_>>>()? {
        rows.entry(event).or_default().push(row);
    }
    (found.count(Severity::Error) == before).then(|| Policy { name: env.name.clone(), rows })
}

impl Sink for Policy {
    fn interest(&self) -> Interest {
        let header = self.rows.values().flatten().any(Row::needs_header);
        Interest { needs: Needs { header, body: false }, ..Interest::in_events(self.rows.keys().copied()) }
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        let mut decided = Vec::new();
        for row in self.rows.get(&scene.event).into_iter().flatten().filter(|row| row.holds(&scene)) {
            row.edit(&scene, edits, &mut decided);
            if let Some(verdict) = row.verdict.as_ref().filter(|_| !row.per_recipient) {
                let id = scene.id().map(tracing::field::display);
                let (sink, rule, verdict_name) = (&*self.name, row.number, verdict.name());
                tracing::info!(sink, id, rule, "rule {rule} of sink `{sink}`: {verdict_name} at {}", scene.event);
                return Hearing::Now(Ok(verdict.clone()));
            }
        }
        Hearing::Now(Ok(Verdict::Next))
    }
}

impl Row {
    fn needs_header(&self) -> bool {
        self.when.tests_header() || self.edits.iter().any(|edit| edit.kind() == EditKind::Header)
    }

    /// What is for single recipients is there for whom the rule holds, even if it would not hold for all together.
    fn holds(&self, scene: &Scene<'_>) -> bool {
        if self.per_recipient || self.remove_recipient {
            return scene.recipients().any(|(_, recipient)| self.when.holds_for(scene, recipient));
        }
        self.when.holds(scene)
    }

    /// Asks for the rule's edits. `decided`: recipients that an earlier rule has decided about.
    fn edit(&self, scene: &Scene<'_>, edits: &mut Edits, decided: &mut Vec<usize>) {
        self.edits.iter().for_each(|edit| edits.push(edit.clone()));
        for (key, value) in &self.properties {
            edits.push(Edit::Property(bearer(scene), key.clone(), value.clone()));
        }
        let fate = self.verdict.as_ref().filter(|_| self.per_recipient).and_then(fate);
        if fate.is_none() && !self.remove_recipient {
            return;
        }
        let open = scene.recipients().filter(|(index, r)| self.when.holds_for(scene, r) && !decided.contains(index));
        let open: Vec<usize> = open.map(|(index, _)| index).collect();
        for &index in &open {
            edits.push(match &fate {
                Some(fate) => Edit::Fate(index, fate.clone()),
                None => Edit::RemoveRecipient(index),
            });
        }
        decided.extend(open);
    }
}

/// A property goes to the narrowest thing at hand.
fn bearer(scene: &Scene<'_>) -> Bearer {
    match (scene.recipient(), scene.transaction) {
        (Some(_), _) => Bearer::Recipient(None),
        (None, Some(_)) => Bearer::Message,
        (None, None) => Bearer::Session,
    }
}

/// A verdict as it is for one recipient.
fn fate(verdict: &Verdict) -> Option<Fate> {
    match verdict {
        Verdict::Reject(reply) => reply.clone().map(Fate::Rejected),
        Verdict::Defer(reply, _) => reply.clone().map(Fate::Deferred),
        Verdict::Discard => Some(Fate::Discarded),
        Verdict::Hold(reason) => Some(Fate::Held(reason.clone())),
        Verdict::Next | Verdict::SkipRest | Verdict::Answer(_) | Verdict::Disconnect(_) => None,
    }
}
