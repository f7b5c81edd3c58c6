//! `mailsluice sink order`: who is called at which event, in order.
//!
//! Read from the dispatcher that a server would have, not from the manifest: what is printed is what happens.

use super::when::inline;
use crate::cli::check;
use crate::cli::out::{Failure, Out, Outcome, complain, note};
use crate::cli::table::Table;
use crate::config::Diagnostics;
use crate::event::catalogue::{CATALOGUE, Event};
use crate::event::{Binding, Dispatcher, Natives};
use crate::manifest::Manifest;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// Of what.
#[derive(Args, Debug)]
#[command(after_help = "\
This is of the files as they are now. `mailsluice status` tells which generation the server has in force.

Examples:
  mailsluice sink order
  mailsluice sink order in.rcpt")]
pub(in crate::cli) struct Order {
    /// Only at this event
    #[arg(value_name = "EVENT", value_parser = event)]
    event: Option<Event>,
    /// Print it as JSON: a list of bindings
    #[arg(long)]
    json: bool,
}

/// One binding.
#[derive(Debug, Serialize)]
struct Row {
    event: Event,
    priority: u16,
    sink: String,
    /// The rule; none: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    deadline_ms: u64,
    on_fault: &'static str,
    /// Called even after `skip-rest`.
    always: bool,
}

fn event(name: &str) -> Result<Event, String> {
    Event::by_name(name).ok_or_else(|| "there is no such event; `mailsluice events` lists them".to_owned())
}

impl Order {
    pub(in crate::cli) fn run(self, config: &Path, natives: Natives) -> Outcome {
        let load = check::build(config, natives).map_err(|found| {
            complain(&found.to_string());
            Failure::Told
        })?;
        let mut found = Diagnostics::default();
        let path = load.settings.manifest.as_deref();
        let manifest = path.and_then(|path| Manifest::read(path, &mut found)).unwrap_or_default();
        let wanted =
            CATALOGUE.iter().map(|spec| spec.event).filter(|event| self.event.is_none_or(|only| only == *event));
        let rows: Vec<Row> = wanted.flat_map(|event| rows(event, &load.built.dispatcher, &manifest)).collect();
        let mut out = Out::new();
        if self.json {
            out.json(&rows)?;
        } else if rows.is_empty() {
            note("no sink is called");
        } else {
            print(&rows, &mut out)?;
        }
        out.end()
    }
}

fn rows(event: Event, dispatcher: &Dispatcher, manifest: &Manifest) -> Vec<Row> {
    let chain = dispatcher.order(event);
    let row = |(at, binding): (usize, &Binding)| Row {
        event,
        priority: binding.priority,
        sink: binding.sink.name.to_string(),
        when: when(event, chain.get(..at).unwrap_or_default(), binding, manifest),
        deadline_ms: u64::try_from(binding.deadline.as_millis()).unwrap_or(u64::MAX),
        on_fault: binding.on_fault.as_str(),
        always: binding.always,
    };
    chain.iter().enumerate().map(row).collect()
}

/// The text of a binding's rule. Bindings of one sink with one priority stand in the order of their declarations.
fn when(event: Event, before: &[Binding], binding: &Binding, manifest: &Manifest) -> Option<String> {
    let same = |other: &&Binding| other.sink.name == binding.sink.name && other.priority == binding.priority;
    let decl = manifest.sinks.iter().find(|decl| *decl.name.value == *binding.sink.name)?;
    let mut bound = decl
        .on
        .iter()
        .filter(|on| on.enabled && on.priority == binding.priority && Event::by_name(&on.event.value) == Some(event));
    bound.nth(before.iter().filter(same).count())?.when.as_ref().map(inline)
}

fn print(rows: &[Row], out: &mut impl Write) -> std::io::Result<()> {
    for (n, spec) in CATALOGUE.iter().filter(|spec| rows.iter().any(|row| row.event == spec.event)).enumerate() {
        writeln!(out, "{}{}", if n > 0 { "\n" } else { "" }, spec.name)?;
        let mut table = Table::default().right(&[0]).indent(2);
        for row in rows.iter().filter(|row| row.event == spec.event) {
            let always = if row.always { ", always" } else { "" };
            table.row([
                row.priority.to_string(),
                row.sink.clone(),
                format!("{}, then {}{always}", deadline(row.deadline_ms), row.on_fault),
                row.when.as_ref().map_or_else(String::new, |when| format!("when {when}")),
            ]);
        }
        table.print(out)?;
    }
    Ok(())
}

fn deadline(ms: u64) -> String {
    if ms.is_multiple_of(1000) { format!("{} s", ms / 1000) } else { format!("{ms} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::host::SystemClock;
    use crate::kv::MemoryKv;
    use crate::manifest::build::{Workshop, build, natives};
    use std::sync::Arc;

    #[test]
    fn the_order_with_each_binding_s_own_rule() {
        let text = "[[sink]]\nname = 'b'\nnative = 'log'\n\
            [[sink.on]]\nevent = 'in.rcpt'\nwhen = { sender = 'two@x' }\n\
            [[sink.on]]\nevent = 'in.rcpt'\nenabled = false\nwhen = { sender = 'never@x' }\n\
            [[sink.on]]\nevent = 'in.rcpt'\nwhen = { sender = 'three@x' }\nalways = true\n\
            [[sink.on]]\nevent = 'in.rcpt'\npriority = 7\ndeadline = '1500 ms'\non-fault = 'reject'\n\
            [[sink]]\nname = 'a'\nnative = 'log'\n[[sink.on]]\nevent = 'onArrival'\nwhen = { sender = '<>' }\n";
        let mut found = Diagnostics::default();
        let manifest = Manifest::parse(Path::new("sinks.toml"), text, &mut found);
        let clock = Arc::new(SystemClock);
        let kv = Arc::new(MemoryKv::new(clock.clone(), crate::kv::Quota::default()));
        let built = build(&manifest, &Workshop::new(natives(), kv, clock), &[], &mut found);
        assert!(!found.has_errors(), "{found}");
        let rows: Vec<Row> = CATALOGUE.iter().flat_map(|spec| rows(spec.event, &built.dispatcher, &manifest)).collect();
        let mut out = Vec::new();
        print(&rows, &mut out).unwrap();
        let want = "\
in.rcpt
      7  b  1500 ms, then reject
  24575  b  5 s, then defer          when { sender = \"two@x\" }
  24575  b  5 s, then defer, always  when { sender = \"three@x\" }

transport.submit
  24575  a  5 s, then defer  when { sender = \"<>\" }
";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
