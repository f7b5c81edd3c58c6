//! `mailsluice why`: what became of a message or a refused transaction, and which sink said what.

use super::out::{Failure, Out, Outcome, note};
use super::{account, filter, site, time};
use crate::admin::{Request, Response};
use crate::intake::Account;
use crate::mail::Id;
use clap::Args;
use std::io::Write;
use std::path::Path;

/// What is asked.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  mailsluice why 0D4WM6Q2F0001                       what stands in a 250, a refusal or the log
  mailsluice why --sender '*@example.com' --since 2h
  mailsluice why --client 192.0.2.0/24 --json

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
        let mut found = Vec::new();
        site::connect(config)?.ask(&request, |response| {
            if let Response::Account(account) = response {
                found.push(*account);
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
        print(&found, self.json)
    }
}

fn print(found: &[Account], json: bool) -> Outcome {
    let mut out = Out::new();
    let now = time::now();
    for (n, account) in found.iter().enumerate() {
        if json {
            out.json(account)?;
            continue;
        }
        if n > 0 {
            writeln!(out)?;
        }
        account::full(account, now, &mut out)?;
    }
    out.end()
}
