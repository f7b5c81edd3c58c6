//! `mailsluice sink bench FILE`: what a sink costs, from the core's call to its decision.
//!
//! One thread, one event after the other, so that nothing but the sink is measured. What it reaches outside is in it.

use super::alone::{One, TermsOfOne, name, workshop};
use super::trial::{Props, Scenery, event, runtime, time};
use crate::cli::out::{Failure, Out, Outcome, complain, note, printable, size};
use crate::cli::table::Table;
use crate::event::{Dispatcher, Event, Natives};
use crate::manifest::build::alone::measured;
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Calls that are not counted.
const WARM_UP: usize = 20;
/// The most calls that are counted.
const CALLS_MAX: usize = 200_000;
/// What is sent if no message is given.
const SAMPLE: &[u8] = b"From: Carol <carol@example.org>\r\nTo: Alice <alice@example.com>\r\nSubject: Figures\r\n\
    Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nThe figures are as expected.\r\n";

/// What to measure.
#[derive(Args, Debug)]
#[command(after_help = "\
Warm is an instance that is used again (reuse = \"pool\"), fresh is one made for the call (\"call\", the default
of manifests); each as the middle of all calls and as what 99 of 100 stay below.

Examples:
  mailsluice sink bench disclaimer.wasm --set config.text=Confidential --message mail.eml
  mailsluice sink bench tag.js --event transport.submit --json")]
pub(in crate::cli) struct Bench {
    /// A module or script
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only this event; may be given again [default: each that it hears]
    #[arg(long, value_name = "EVENT")]
    event: Vec<String>,
    /// The message, from a file [default: a short one]
    #[arg(long, value_name = "FILE")]
    message: Option<PathBuf>,
    /// How long to measure each case
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = crate::cli::time::duration)]
    time: Duration,
    #[command(flatten)]
    props: Props,
    #[command(flatten, next_help_heading = "The terms of the FILE")]
    terms: TermsOfOne,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// What was measured at one event.
struct Row {
    event: Event,
    warm: Cost,
    fresh: Cost,
    /// The part of a fresh call in which the instance is made.
    start: Duration,
    memory: usize,
}

/// The times of many calls.
struct Cost {
    calls: usize,
    middle: Duration,
    most: Duration,
}

impl Bench {
    pub(in crate::cli) fn run(self, natives: Natives) -> Outcome {
        if cfg!(debug_assertions) {
            note("this program was built without optimisation: the server's own part takes longer than in a release");
        }
        let (pool, load) = self.load("pool", natives.clone())?;
        let (call, _) = self.load("call", natives)?;
        let message = match &self.message {
            Some(path) => {
                std::fs::read(path).map_err(|e| Failure::Failed(format!("cannot read `{}`: {e}", path.display())))?
            }
            None => SAMPLE.to_vec(),
        };
        let heard = pool.built.sinks.first().map(|sink| sink.registered.interest.events.clone()).unwrap_or_default();
        let asked = self.event.iter().map(|name| event(name)).collect::<Result<Vec<_>, _>>()?;
        if let Some(deaf) = asked.iter().find(|event| !heard.contains(event)) {
            return Err(Failure::Failed(format!("`{}` does not hear `{deaf}`", self.file.display())));
        }
        let mut rows = Vec::new();
        for event in if asked.is_empty() { heard } else { asked } {
            let scenery = self.props.scenery(event, || Ok(message.clone()))?;
            rows.push(self.row(&scenery, &pool, &call)?);
        }
        self.tell(load, &rows)
    }

    /// The file, and how long it took to be ready.
    fn load(&self, reuse: &str, natives: Natives) -> Result<(One, Duration), Failure> {
        let workshop = workshop(natives);
        workshop.sandbox.get().map_err(Failure::Failed)?;
        let began = Instant::now();
        let one = One::load(&self.file, &self.terms.clone().setting(format!("reuse={reuse}")), &workshop)?;
        let took = began.elapsed();
        let wrong = one.wrong(&self.file);
        for (text, help) in &wrong {
            let help = help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default();
            complain(&format!("{}: {text}{help}", self.file.display()));
        }
        if wrong.is_empty() { Ok((one, took)) } else { Err(Failure::Told) }
    }

    fn row(&self, scenery: &Scenery, pool: &One, call: &One) -> Result<Row, Failure> {
        let runtime = runtime()?;
        let event = scenery.event();
        let (warm, fresh) = runtime.block_on(async {
            let warm = self.measure(&pool.built.dispatcher, scenery).await;
            (warm, self.measure(&call.built.dispatcher, scenery).await)
        });
        let spent = call.built.sinks.first().and_then(|sink| {
            let (sink, meter) = measured(&sink.registered);
            let binding = crate::event::Binding::new(Arc::new(sink), event);
            let mut scenery = scenery.clone();
            runtime.block_on(Dispatcher::new(vec![binding]).raise(event, &mut scenery.stage()));
            meter.last()
        });
        let spent = spent.unwrap_or_default();
        Ok(Row { event, warm: warm?, fresh: fresh?, start: spent.start, memory: spent.memory })
    }

    /// Calls again and again. A fault ends it: what a failing sink costs is not worth knowing.
    async fn measure(&self, dispatcher: &Dispatcher, scenery: &Scenery) -> Result<Cost, Failure> {
        let event = scenery.event();
        let mut times = Vec::new();
        let until = Instant::now() + self.time;
        for round in 0.. {
            let mut fresh = scenery.clone();
            let mut stage = fresh.stage();
            let began = Instant::now();
            dispatcher.raise(event, &mut stage).await;
            let took = began.elapsed();
            if let Some(fault) = fresh.last_fault() {
                return Err(Failure::Failed(format!("it failed at {event}: {}", printable(fault))));
            }
            if round >= WARM_UP {
                times.push(took);
            }
            if times.len() >= CALLS_MAX || (!times.is_empty() && Instant::now() > until) {
                break;
            }
        }
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        Ok(Cost { calls: times.len(), middle: at(50), most: at(99) })
    }

    fn tell(&self, load: Duration, rows: &[Row]) -> Outcome {
        let mut out = Out::new();
        if self.json {
            let rows: Vec<Value> = rows.iter().map(Row::json).collect();
            let load = u64::try_from(load.as_micros()).unwrap_or(u64::MAX);
            out.json(&json!({ "sink": name(&self.file), "load-micros": load, "events": rows }))?;
            return out.end();
        }
        writeln!(out, "{}: ready after {} (compiled, one instance made, tested)\n", self.file.display(), time(load))?;
        let head = ["EVENT", "WARM", "99 %", "FRESH", "99 %", "OF IT START", "MEMORY"];
        let mut table = Table::with_head(&head).right(&[1, 2, 3, 4, 5, 6]);
        for row in rows {
            table.row([
                row.event.name().to_owned(),
                time(row.warm.middle),
                time(row.warm.most),
                time(row.fresh.middle),
                time(row.fresh.most),
                time(row.start),
                size(row.memory as u64),
            ]);
        }
        table.print(&mut out)?;
        out.end()
    }
}

impl Row {
    fn json(&self) -> Value {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let cost = |cost: &Cost| json!({ "calls": cost.calls, "p50": nanos(cost.middle), "p99": nanos(cost.most) });
        json!({
            "event": self.event, "warm-nanos": cost(&self.warm), "fresh-nanos": cost(&self.fresh),
            "start-nanos": nanos(self.start), "memory": self.memory,
        })
    }
}
