//! `mailsluice why`: what became of a message or a refused transaction, and which sink said what.

use super::out::{Failure, Out, Outcome, note};
use super::{account, filter, site, time, track};
use crate::admin::{Request, Response};
use crate::intake::{Account, Step};
use crate::mail::Id;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// What is asked.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  mailsluice why 0D4WM6Q2F0001                       what stands in a 250, a refusal or the log
  mailsluice why --sender '*@example.com' --since 2h
  mailsluice why --client 192.0.2.0/24 --json

Then its track: a line for each step of its way, with who has decided so.
Each call of a sink is one line: event, sink, verdict, time, then what the event was about, what the
sink said, what it changed and what went wrong in it. `(guard)` is a check of the server's own.")]
pub(super) struct Why {
    /// A message, a transaction, or everything of a session
    #[arg(value_name = "ID", required_unless_present_any = ["sender", "recipient", "domain", "client", "since"])]
    id: Option<Id>,
    #[command(flatten)]
    people: filter::People,
    #[command(flatten)]
    session: filter::Session,
    /// At most so many, the newest ones
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print accounts as JSON, one on a line
    #[arg(long)]
    json: bool,
}

impl Why {
    pub(super) fn run(self, config: &Path) -> Outcome {
        let filter = self.session.add_to(self.people.filter());
        let request = Request::Why { id: self.id, filter, limit: self.limit };
        let (mut found, mut steps) = (Vec::new(), Vec::new());
        site::connect(config)?.ask(&request, |response| {
            match response {
                Response::Account(account) => found.push(*account),
                Response::Step(step) => steps.push(*step),
                _ => {}
            }
            Ok::<_, Failure>(())
        })?;
        if found.is_empty() {
            return Err(Failure::Failed(match self.id {
                Some(id) => format!("nothing is known of {id}: it never was, or it is longer ago than `ledger.keep`"),
                None => "nothing that matches is known".to_owned(),
            }));
        }
        if found.len() == self.limit {
            note(&format!("these are the newest {}; `--limit` asks for more", self.limit));
        }
        print(&found, &steps, self.json)
    }
}

/// An account, with the track of the message if that is asked for by its id.
#[derive(Serialize)]
struct Story<'a> {
    #[serde(flatten)]
    account: &'a Account,
    #[serde(skip_serializing_if = "<[Step]>::is_empty")]
    track: &'a [Step],
}

fn print(found: &[Account], steps: &[Step], json: bool) -> Outcome {
    let mut out = Out::new();
    let now = time::now();
    for (n, account) in found.iter().enumerate() {
        let track = if steps.first().is_some_and(|step| step.id == account.id) { steps } else { &[] };
        if json {
            out.json(&Story { account, track })?;
            continue;
        }
        if n > 0 {
            writeln!(out)?;
        }
        account::full(account, now, &mut out)?;
        track::print(track, &mut out)?;
    }
    out.end()
}
