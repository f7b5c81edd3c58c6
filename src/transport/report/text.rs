//! The part for people, and the subject: the template with what it stands for.
//!
//! Values are made one line each before they go in, so that no value looks like a line of ours.

use super::about::{About, Action, Report};
use super::advice::advice;
use super::field::inert;
use super::host;
use crate::config::dsn::Dsn;
use crate::config::dsn_template::{Piece, Value, Words};
use crate::mail::{ForwardPath, mime};

/// The longest subject that is quoted, in characters.
const QUOTED_MAX: usize = 100;
/// The longest subject of a report, in octets.
const SUBJECT_MAX: usize = 300;
/// Stands between the texts for several actions.
const RULE: &str = "\n----------\n\n";

/// What is the same for all of a report.
pub(super) struct Text<'a> {
    report: &'a Report<'a>,
    settings: &'a Dsn,
    hostname: String,
    postmaster: &'a str,
}

impl<'a> Text<'a> {
    pub(super) fn new(report: &'a Report<'a>, settings: &'a Dsn, postmaster: &'a str) -> Self {
        Self { report, settings, hostname: host::ours(report.hostname), postmaster }
    }

    /// One line, about the worst that has happened.
    pub(super) fn subject(&self) -> String {
        let Some((action, group)) = self.groups().next() else { return String::new() };
        let mut subject = self.render(&self.words(action).subject, &group);
        subject.truncate(subject.floor_char_boundary(SUBJECT_MAX));
        subject.trim().to_owned()
    }

    /// The whole text, its lines ended by CRLF.
    pub(super) fn body(&self) -> String {
        let texts: Vec<String> =
            self.groups().map(|(action, group)| self.render(&self.words(action).text, &group)).collect();
        texts.join(RULE).replace('\n', "\r\n")
    }

    /// The recipients by action, the worst first.
    fn groups(&self) -> impl Iterator<Item = (Action, Vec<&About<'a>>)> {
        let of = |action| self.report.recipients.iter().filter(|about| about.action == action).collect::<Vec<_>>();
        let groups = Action::ALL.map(|action| (action, of(action)));
        groups.into_iter().filter(|(_, group)| !group.is_empty())
    }

    fn words(&self, action: Action) -> &Words {
        let template = &self.settings.template;
        match action {
            Action::Failed => &template.failed,
            Action::Delayed => &template.delayed,
            Action::Delivered => &template.delivered,
            Action::Relayed => &template.relayed,
            Action::Expanded => &template.expanded,
        }
    }

    fn render(&self, pieces: &[Piece], group: &[&About<'_>]) -> String {
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(value) => out.push_str(&self.value(*value, group)),
            }
        }
        out
    }

    fn value(&self, value: Value, group: &[&About<'_>]) -> String {
        let report = self.report;
        match value {
            Value::Hostname => self.hostname.clone(),
            Value::Id => report.about_id.to_string(),
            Value::Subject => self.quoted(),
            Value::Sender => inert(report.envelope.sender.as_str(), true).into_owned(),
            Value::Arrived => report.arrived.rfc5322(),
            Value::RetryUntil => {
                let last = group.iter().filter_map(|about| about.retry_until).max();
                last.map_or_else(|| "-".to_owned(), |time| time.rfc5322())
            }
            Value::Postmaster => self.postmaster.to_owned(),
            Value::Recipients => self.recipients(group),
            Value::Advice => paragraphs(group),
        }
    }

    /// The subject of the message; cut if it is long.
    fn quoted(&self) -> String {
        let subject = mime::decoded_header(&self.report.message.header, "Subject").unwrap_or_default();
        let subject = inert(&subject, true);
        match subject.char_indices().nth(QUOTED_MAX) {
            Some((end, _)) => format!("{}…", subject.get(..end).unwrap_or_default()),
            None => subject.into_owned(),
        }
    }

    fn recipients(&self, group: &[&About<'_>]) -> String {
        let all: Vec<String> = group.iter().map(|about| self.recipient(about)).collect();
        all.join("\n\n")
    }

    /// The address, and indented below it what was said.
    fn recipient(&self, about: &About<'_>) -> String {
        let shown = |path: &ForwardPath| format!("<{}>", inert(path.as_str(), true));
        let last = shown(&about.recipient.path);
        let mut out = match about.recipient.original.as_ref().map(shown).filter(|first| *first != last) {
            Some(first) => format!("    {first} -> {last}"),
            None => format!("    {last}"),
        };
        let remote = about.remote.map(host::remote).filter(|host| !host.is_empty());
        let said = said(remote.unwrap_or(&self.hostname), about);
        for line in said.split('\n').filter(|line| !line.trim().is_empty()) {
            out.push_str("\n        ");
            out.push_str(inert(line, true).trim_end());
        }
        out
    }
}

/// Who said what, in lines as they came.
fn said(by: &str, about: &About<'_>) -> String {
    match about.reply.map(|reply| (reply, reply.status())) {
        None => format!("{by}: {}", about.status),
        Some((reply, None)) => format!("{by}: {} {}", reply.code(), reply.text()),
        Some((reply, Some(status))) => format!("{by}: {} {status} {}", reply.code(), reply.text()),
    }
}

/// What to do, each advice once.
fn paragraphs(group: &[&About<'_>]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for advice in group.iter().map(|about| advice(about.status)) {
        if !all.contains(&advice) {
            all.push(advice);
        }
    }
    all.join("\n\n")
}
