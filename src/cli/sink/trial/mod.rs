//! `mailsluice sink try`: one event, one sink, no server. Nothing that the sink does lasts.

mod change;
mod lines;
mod props;
mod report;
mod way;

pub(super) use props::{Props, Scenery, event};

pub(super) use report::time;

use super::alone::{One, TermsOfOne, workshop};
use crate::cli::out::{Failure, Outcome, complain};
use crate::cli::site;
use crate::event::host::{Journal, log::Line};
use crate::event::{Binding, Decision, Dispatcher, Event, Files, LedgerEntry, Natives};
use crate::manifest::build::alone::{Meter, measured};
use crate::manifest::build::{Built, Workshop};
use crate::manifest::load::load;
use change::Changes;
use clap::Args;
use props::from_stdin;
use report::Report;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::broadcast::error::TryRecvError;

/// What to try.
#[derive(Args, Debug)]
#[command(after_help = "\
The message is read from standard input where the event has one: in.headers, in.message, transport.submit, and the events
of a pass. A leg of its way is that of the last recipient's domain.
A FILE is tried on the terms that the options name; nothing is granted unless --allow says so. A sink of the
manifest, by its NAME, has its own. Either way kv is empty at the start and forgotten at the end, while dns and
http reach out. Exit code 1 if the sink failed.

Examples:
  mailsluice sink try tag.js --event transport.submit --set config.tag=news < mail.eml
  mailsluice sink try quota.wasm --event in.rcpt --rcpt bob@example.com --allow kv
  mailsluice sink try disclaimer --event transport.submit --sender me@example.com < mail.eml")]
pub(in crate::cli) struct Try {
    /// A module or script, or the name of a sink in the manifest
    #[arg(value_name = "FILE|NAME")]
    what: String,
    /// The event
    #[arg(long, value_name = "EVENT")]
    event: String,
    #[command(flatten)]
    props: Props,
    #[command(flatten, next_help_heading = "The terms of a FILE")]
    terms: TermsOfOne,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl Try {
    pub(in crate::cli) fn run(self, config: Option<&Path>, natives: Natives) -> Outcome {
        let event = event(&self.event)?;
        let workshop = workshop(natives);
        let bindings = bindings(&self.what, event, &self.terms, config, &workshop)?;
        let scenery = self.props.scenery(event, from_stdin)?;
        let report = run(&bindings, &scenery, &workshop.journal)?;
        let failed = report.entry.fault.is_some();
        report.tell(self.json)?;
        if failed { Err(Failure::Told) } else { Ok(()) }
    }
}

/// The bindings of a sink at an event.
pub(super) fn bindings(
    what: &str,
    event: Event,
    terms: &TermsOfOne,
    config: Option<&Path>,
    workshop: &Workshop,
) -> Result<Vec<Binding>, Failure> {
    let path = Path::new(what);
    let (built, name) = if path.is_file() || what.contains(['/', '.']) {
        (loaded(path, terms, workshop)?, super::alone::name(path))
    } else if terms.is_empty() {
        (of_manifest(what, config, workshop)?, what.to_owned())
    } else {
        let text = format!("the sink `{what}` has its terms in the manifest: `mailsluice sink set` changes them");
        return Err(Failure::Usage(text));
    };
    let mine = built.dispatcher.order(event).iter().filter(|binding| *binding.sink.name == *name);
    let bindings: Vec<Binding> = mine.cloned().collect();
    if bindings.is_empty() {
        let sink = built.sinks.iter().find(|sink| *sink.registered.name == *name);
        let heard = sink.map(|sink| sink.registered.interest.events.as_slice()).unwrap_or_default();
        let verb = if heard.contains(&event) { "is not bound to" } else { "does not hear" };
        let heard = heard.iter().map(|event| event.name()).collect::<Vec<_>>().join(", ");
        return Err(Failure::Failed(format!("`{what}` {verb} `{event}`; it hears: {heard}")));
    }
    Ok(bindings)
}

fn loaded(file: &Path, terms: &TermsOfOne, workshop: &Workshop) -> Result<Built, Failure> {
    if !file.is_file() {
        return Err(Failure::Failed(format!("there is no file `{}`", file.display())));
    }
    let one = One::load(file, terms, workshop)?;
    let wrong = one.wrong(file);
    if wrong.is_empty() {
        return Ok(one.built);
    }
    for (text, help) in wrong {
        let help = help.map(|help| format!("\n  help: {help}")).unwrap_or_default();
        complain(&format!("{}: {text}{help}", file.display()));
    }
    Err(Failure::Told)
}

fn of_manifest(name: &str, config: Option<&Path>, workshop: &Workshop) -> Result<Built, Failure> {
    let config = site::config(config)?;
    let load = load(&config, workshop, &[], &mut Files::default());
    let built = load.map_err(|found| Failure::Failed(found.to_string()))?.built;
    if built.sinks.iter().any(|sink| *sink.registered.name == *name) {
        return Ok(built);
    }
    let names: Vec<&str> = built.sinks.iter().map(|sink| &*sink.registered.name).collect();
    Err(Failure::Failed(format!(
        "there is no file and no sink `{name}`; the manifest has: {}",
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    )))
}

fn run(bindings: &[Binding], before: &Scenery, journal: &Journal) -> Result<Report, Failure> {
    let mut console = journal.follow();
    let mut after = before.clone();
    let runtime = runtime()?;
    let called = bindings.iter().find_map(|binding| runtime.block_on(call(binding, &mut after)));
    let Some((entry, decision, meter)) = called else {
        return Err(Failure::failed("not called: the rule does not hold, or names no such standing"));
    };
    Ok(Report {
        entry,
        decision,
        transaction: after.transaction.as_ref().map(|transaction| transaction.id),
        changes: Changes::between(before, &after),
        console: lines(&mut console),
        spent: meter.last(),
    })
}

/// Calls the sink by one binding. Nothing if its rule does not hold.
async fn call(binding: &Binding, scenery: &mut Scenery) -> Option<(LedgerEntry, Decision, Arc<Meter>)> {
    let (sink, meter) = measured(&binding.sink);
    let binding = Binding { sink: Arc::new(sink), ..binding.clone() };
    let dispatcher = Dispatcher::new(vec![binding]);
    let event = scenery.event;
    let mut stage = scenery.stage();
    let decision = dispatcher.raise(event, &mut stage).await;
    scenery.delay = stage.delay;
    Some((scenery.last()?.clone(), decision, meter))
}

fn lines(console: &mut tokio::sync::broadcast::Receiver<Line>) -> Vec<Line> {
    let mut lines = Vec::new();
    loop {
        match console.try_recv() {
            Ok(line) => lines.push(line),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return lines,
        }
    }
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::Failed(format!("cannot start the runtime: {e}")))
}
