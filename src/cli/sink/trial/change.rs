//! What a sink has changed: everything that can be changed as lines, before and after.

use super::lines::unified;
use super::props::{Scenery, Thing};
use crate::cli::out::{printable, size};
use crate::event::{Plan, SessionFacts, Transaction};
use crate::mail::mime::Mime;
use crate::mail::{Fate, Message, Properties, Recipient};
use serde::Serialize;

/// Octets of a body beyond which its lines are not compared.
const BODY_MAX: u64 = 16 << 20;

/// The differences, each as lines that begin with a space, `-`, `+` or `@@`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Changes {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) session: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) envelope: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) header: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) body: Vec<String>,
}

impl Changes {
    /// What differs between two states.
    pub(super) fn between(before: &Scenery, after: &Scenery) -> Self {
        let message = |of: &Scenery| of.transaction.as_ref().and_then(|t| t.letter.message.clone());
        let (old, new) = (message(before), message(after));
        let lines = |show: fn(&Message) -> Vec<String>| {
            let show = |message: &Option<Message>| message.as_ref().map(show).unwrap_or_default();
            unified(&show(&old), &show(&new))
        };
        Self {
            session: changed(&session(before), &session(after)),
            envelope: changed(&envelope(before), &envelope(after)),
            header: lines(header),
            parts: lines(parts).into_iter().filter(|line| !line.starts_with(' ')).collect(),
            body: lines(body),
        }
    }

    /// The differences that there are, by the name of the thing.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
        let all = [
            ("session", &self.session),
            ("envelope", &self.envelope),
            ("header", &self.header),
            ("parts", &self.parts),
            ("body", &self.body),
        ];
        all.into_iter().filter(|(_, lines)| !lines.is_empty())
    }
}

/// What our client does otherwise than usual.
fn planned(plan: &Plan) -> Vec<String> {
    let Plan { terms, change, .. } = plan;
    let mut lines = Vec::new();
    lines.extend(terms.source.map(|address| format!("connect from {address}")));
    lines.extend(terms.helo.iter().map(|name| format!("say hello as {}", name.as_str())));
    lines.extend(terms.tls.map(|policy| format!("TLS policy {policy}")));
    lines.extend(terms.credentials.iter().map(|of| format!("authenticate as {}", of.user)));
    lines.extend(change.insert.iter().map(|command| format!("say first: {}", command.as_str())));
    lines.extend(change.replace.iter().map(|command| format!("say instead: {}", command.as_str())));
    lines.extend(change.parameters.iter().map(|parameter| format!("parameter {}", parameter.as_str())));
    lines
}

/// Only what has changed: these lists have no order that would matter.
fn changed(old: &[String], new: &[String]) -> Vec<String> {
    unified(old, new).into_iter().filter(|line| !line.starts_with([' ', '@'])).collect()
}

fn session(of: &Scenery) -> Vec<String> {
    let SessionFacts { properties, message_size, recipients, greeting, keywords, without } = &*of.session.facts;
    let mut lines = Vec::new();
    lines.extend(greeting.iter().map(|text| format!("greeting {text}")));
    lines.extend(keywords.iter().map(|keyword| format!("announce {keyword}")));
    lines.extend(without.iter().map(|keyword| format!("don't announce {keyword}")));
    lines.extend(message_size.map(|octets| format!("message size {octets}")));
    lines.extend(recipients.map(|count| format!("recipients {count}")));
    lines.extend(noted(properties));
    if !of.delay.is_zero() {
        lines.push(format!("delay {} ms", of.delay.as_millis()));
    }
    if let Thing::Client(_, plan) = &of.thing {
        lines.extend(planned(plan));
    }
    if let Thing::Reply(reply) = &of.thing {
        lines.push(format!("reply {reply}"));
    }
    lines
}

fn envelope(of: &Scenery) -> Vec<String> {
    let mut lines = Vec::new();
    if let Thing::Recipient(candidate) = &of.thing {
        lines.extend(recipient(&candidate.recipient));
        lines.extend(candidate.added.iter().map(|path| format!("recipient {path}")));
        lines.extend(candidate.vouched.then(|| "vouched for".to_owned()));
    }
    if let Some(transaction) = &of.transaction {
        lines.extend(letter(transaction));
    }
    lines
}

fn letter(of: &Transaction) -> Vec<String> {
    let envelope = &of.letter.envelope;
    let mut lines = vec![format!("sender {}", envelope.sender)];
    lines.extend(envelope.recipients.iter().flat_map(recipient));
    lines.extend(noted(&of.letter.properties));
    lines
}

fn recipient(of: &Recipient) -> Vec<String> {
    let fate = match &of.fate {
        Fate::Accepted => String::new(),
        Fate::Rejected(reply) => format!(", rejected: {reply}"),
        Fate::Deferred(reply) => format!(", deferred: {reply}"),
        Fate::Discarded => ", discarded".to_owned(),
        Fate::Held(why) => format!(", held: {why}"),
    };
    let mut lines = vec![format!("recipient {}{fate}", of.path)];
    lines.extend(noted(&of.properties).map(|line| format!("recipient {}: {line}", of.path)));
    lines
}

fn noted(properties: &Properties) -> impl Iterator<Item = String> {
    properties.iter().map(|(sink, key, value)| format!("property {sink}.{key} = {value}"))
}

fn header(of: &Message) -> Vec<String> {
    text_lines(of.header.raw())
}

/// Each with its type, name and size.
fn parts(of: &Message) -> Vec<String> {
    let Ok(mime) = Mime::of(of) else { return vec!["a structure that can't be read".to_owned()] };
    let part = |part: &crate::mail::mime::Part| {
        let name = part.file_name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
        let size = if part.is_multipart { String::new() } else { format!(", {}", size(part.size)) };
        format!("{}{name}{size}", part.content_type)
    };
    mime.parts().iter().map(part).collect()
}

fn body(of: &Message) -> Vec<String> {
    if of.body.len() > BODY_MAX {
        return vec![format!("({}: not compared)", size(of.body.len()))];
    }
    of.body.to_bytes().map(|octets| text_lines(&octets)).unwrap_or_default()
}

/// The lines as they can be shown.
fn text_lines(octets: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(octets);
    text.lines().map(printable).collect()
}
