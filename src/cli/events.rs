//! `mailsluice events`: the catalogue.

use super::out::{Out, Outcome};
use super::table::Table;
use super::typings;
use crate::event::catalogue::{AnswerKind, CATALOGUE, Kind, OnFault, Spec, VerdictKind};
use clap::Args;
use serde::Serialize;
use std::io::Write;

/// How to tell it.
#[derive(Args, Debug)]
#[command(after_help = "\
At every event a sink may say `next`, and where the server waits for the verdict `skip-rest`; the table has
what else it may say, what it may change, and what a binding may do when its sink fails, the default first.

Examples:
  mailsluice events
  mailsluice events --json | jq '.[] | select(.kind == \"decide\") | .name'
  mailsluice events --typings > mailsluice.d.ts")]
pub(super) struct Events {
    /// Print it as JSON: a list of events
    #[arg(long)]
    json: bool,
    /// Print what scripts see of it, as TypeScript declarations
    #[arg(long, conflicts_with = "json")]
    typings: bool,
}

impl Events {
    pub(super) fn run(self) -> Outcome {
        let mut out = Out::new();
        if self.json {
            out.json(&CATALOGUE.as_slice())?;
        } else if self.typings {
            out.write_all(typings::text().as_bytes())?;
        } else {
            table().print(&mut out)?;
        }
        out.end()
    }
}

fn table() -> Table {
    let mut table = Table::with_head(&["EVENT", "KIND", "VERDICTS", "ON FAULT", "EDITS"]);
    for spec in &CATALOGUE {
        table.row([
            spec.name.to_owned(),
            match spec.kind {
                Kind::Decide => "decide".to_owned(),
                Kind::Notify => "notify".to_owned(),
            },
            verdicts(spec),
            spec.faults.iter().copied().map(OnFault::as_str).collect::<Vec<_>>().join(" "),
            spec.edits.iter().map(word).collect::<Vec<_>>().join(" "),
        ]);
    }
    table
}

/// What a sink may say beside `next` and `skip-rest`; an answer with its type.
fn verdicts(spec: &Spec) -> String {
    let name = |verdict: &VerdictKind| match (verdict, spec.answer) {
        (VerdictKind::Answer, kind) if kind != AnswerKind::None => format!("answer({})", word(&kind)),
        _ => verdict.as_str().to_owned(),
    };
    spec.verdicts.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// The name under which serde writes a word of the catalogue.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_its_row() {
        let mut out = Vec::new();
        table().print(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let row = |name: &str| {
            let mut lines = text.lines().filter(|line| line.split(' ').next() == Some(name));
            lines.next().unwrap_or_else(|| panic!("{name}\n{text}")).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        CATALOGUE.iter().for_each(|spec| assert!(row(spec.name).contains(&word(&spec.kind)), "{text}"));
        assert!(row("in.command").starts_with("in.command decide answer(reply) reject defer disconnect"));
        assert!(row("in.rcpt").contains("defer continue reject hold delay rewrite add-recipient"));
        assert_eq!(row("track"), "track notify continue");
        assert_eq!(row("out.disconnect"), "out.disconnect notify continue");
    }

    #[test]
    fn the_json_has_names_and_words() {
        let json = serde_json::to_value(CATALOGUE.as_slice()).unwrap();
        let rcpt = json.as_array().unwrap().iter().find(|e| e["name"] == "in.rcpt").unwrap();
        assert_eq!(rcpt["kind"], "decide");
        assert!(rcpt["verdicts"].as_array().unwrap().contains(&"reject".into()));
    }
}
