//! `mailsluice tail`: what happens and what sinks log, as it happens.

use super::out::{Failure, Out, Outcome, note, printable};
use super::{account, filter, site};
use crate::admin::{Request, Response};
use crate::event::host::log::Line;
use clap::Args;
use std::io::{self, Write};
use std::path::Path;

/// What is asked.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  mailsluice tail
  mailsluice tail --sink disclaimer
  mailsluice tail --domain example.com
  mailsluice tail --json | jq .reply

A transaction is told when it is refused or accepted, a message again when it leaves the queue. Below it
stand the calls of sinks that did more than say `next`. What sinks log is told as it comes, unless senders,
recipients or clients are picked. Ends with Ctrl-C, or when the server stops.")]
pub(super) struct Tail {
    #[command(flatten)]
    people: filter::People,
    /// Only from this client address or network, such as 192.0.2.0/24
    #[arg(long, value_name = "NETWORK")]
    client: Option<String>,
    /// Only what this sink logs, and only transactions in which it was called
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Print accounts and lines as JSON, one on a line
    #[arg(long)]
    json: bool,
}

impl Tail {
    pub(super) fn run(self, config: &Path) -> Outcome {
        let mut filter = self.people.filter();
        filter.client = self.client;
        let mut out = Out::new();
        site::connect(config)?.ask(&Request::Tail { filter, sink: self.sink.clone() }, |response| {
            match response {
                Response::Account(account) if self.json => out.json(&account)?,
                Response::Account(account) => account::brief(&account, &mut out)?,
                Response::Line(line) if self.json => out.json(&line)?,
                Response::Line(line) => told(&line, &mut out)?,
                Response::Missed(n) => note(&format!("{n} were missed: they came faster than they were read")),
                Response::Following => note("following; end with Ctrl-C"),
                _ => {}
            }
            Ok::<_, Failure>(out.flush()?)
        })?;
        note("the server has stopped");
        out.end()
    }
}

/// A line of a sink's log.
fn told(line: &Line, out: &mut impl Write) -> io::Result<()> {
    let id = line.id.map(|id| format!("{id}  ")).unwrap_or_default();
    writeln!(out, "{id}{} {}: {}", line.sink, line.level.as_str(), printable(&line.text))
}
