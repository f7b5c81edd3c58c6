//! `mailsluice sink list`: what the manifest declares, beside what the running server says about it.

use crate::admin::status::{self, Status};
use crate::cli::out::{Failure, Out, Outcome, complain, note, printable};
use crate::cli::status::{fetch, trouble};
use crate::cli::table::Table;
use crate::config::{Diagnostics, Settings};
use crate::manifest::{Manifest, SinkDecl, Source};
use clap::Args;
use serde::Serialize;
use std::path::Path;

/// How to tell it.
#[derive(Args, Debug)]
pub(in crate::cli) struct List {
    /// Print it as JSON: a list of sinks
    #[arg(long)]
    json: bool,
}

/// One sink.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// `native`, `module` or `script`.
    kind: &'static str,
    source: String,
    /// The file that declares it.
    file: String,
    enabled: bool,
    /// Its bindings' events; none: all that it hears.
    events: Vec<String>,
    /// How it does, if the server runs and has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<status::Sink>,
}

impl List {
    pub(in crate::cli) fn run(self, config: &Path) -> Outcome {
        let mut found = Diagnostics::default();
        let settings = Settings::read(config, &mut found);
        let path = settings.and_then(|settings| settings.manifest);
        let manifest = path.and_then(|path| Manifest::read(&path, &mut found)).unwrap_or_default();
        let running = fetch(config).ok();
        let rows: Vec<Row> = manifest.sinks.iter().map(|decl| row(decl, &found, running.as_ref())).collect();
        let mut out = Out::new();
        if self.json {
            out.json(&rows)?;
        } else if rows.is_empty() {
            note("the manifest declares no sinks");
        } else {
            table(&rows, running.is_some()).print(&mut out)?;
        }
        out.end()?;
        if found.has_errors() {
            complain(&found.to_string());
            return Err(Failure::Told);
        }
        Ok(())
    }
}

fn row(decl: &SinkDecl, found: &Diagnostics, running: Option<&Status>) -> Row {
    let (kind, source) = match &decl.source.value {
        Source::Native(name) => ("native", name.clone()),
        Source::Module(path) => ("module", path.display().to_string()),
        Source::Script(path) => ("script", path.display().to_string()),
    };
    Row {
        name: decl.name.value.clone(),
        kind,
        source,
        file: found.sources.name(decl.name.span.source).to_owned(),
        enabled: decl.enabled,
        events: decl.on.iter().filter(|on| on.enabled).map(|on| on.event.value.clone()).collect(),
        status: running.and_then(|status| status.sinks.get(&decl.name.value)).cloned(),
    }
}

fn table(rows: &[Row], running: bool) -> Table {
    let mut table = Table::with_head(&["NAME", "SOURCE", "STATE", "EVENTS"]);
    for row in rows {
        let state = match (&row.status, row.enabled) {
            (Some(sink), _) if sink.faults + sink.missed > 0 => trouble(sink),
            (Some(sink), _) => sink.state.clone(),
            (None, false) => "disabled".to_owned(),
            (None, true) if running => "not in force".to_owned(),
            (None, true) => "enabled".to_owned(),
        };
        let events = if row.events.is_empty() { "all that it hears".to_owned() } else { row.events.join(" ") };
        table.row([row.name.clone(), format!("{} {}", row.kind, printable(&row.source)), printable(&state), events]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_beside_what_the_server_says() {
        let mut found = Diagnostics::default();
        let text = "[[sink]]\nname = 'a'\nnative = 'log'\n[[sink.on]]\nevent = 'in.mail'\n[[sink.on]]\nevent = 'in.rcpt'\nenabled = false\n\
            [[sink]]\nname = 'b'\nnative = 'access'\nenabled = false\n[[sink]]\nname = 'c'\nnative = 'log'\n";
        let manifest = Manifest::parse(Path::new("sinks.toml"), text, &mut found);
        let sink =
            serde_json::json!({"state": "open", "faults": 5, "streak": 5, "missed": 0, "last_fault": "panic: x"});
        let mut status: Status = serde_json::from_value(serde_json::json!({
            "version": "0", "started": 0, "uptime": 0, "generation": 1, "sessions": 0, "listeners": [],
            "queue": {"messages": 0, "held": 0}, "history": {"dropped": 0}, "sinks": {"a": sink},
            "spool": {"state": "ok", "messages": 0, "bytes": 0, "disk": 0, "segments": 0},
        }))
        .unwrap();
        let print = |running: Option<&Status>| {
            let rows: Vec<Row> = manifest.sinks.iter().map(|decl| row(decl, &found, running)).collect();
            let mut out = Vec::new();
            table(&rows, running.is_some()).print(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let want = "\
NAME  SOURCE         STATE     EVENTS
a     native log     enabled   in.mail
b     native access  disabled  all that it hears
c     native log     enabled   all that it hears
";
        assert_eq!(print(None), want);
        let text = print(Some(&status));
        assert!(text.contains("open, 5 faults; last: panic: x"), "{text}");
        assert!(text.lines().last().unwrap().contains("not in force"), "{text}");
        status.sinks.clear();
        assert_eq!(print(Some(&status)).matches("not in force").count(), 2);
    }
}
