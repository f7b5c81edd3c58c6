//! `mailsluice queue`: what waits in the running server, and changes to it.

use super::filter::Queued;
use super::out::{Failure, Out, Outcome, complain, note, printable, size, span};
use super::sites::{self, What};
use super::table::Table;
use super::{account, site, time};
use crate::admin::{Act, Filter, QueueRequest, Request, Response};
use crate::intake::Account;
use crate::mail::{Id, Timestamp};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// What to do.
#[derive(Subcommand, Debug)]
pub(super) enum Queue {
    /// List messages
    #[command(after_help = "\
Examples:
  mailsluice queue list --held
  mailsluice queue list --domain uni.example --older-than 2h --json")]
    List {
        #[command(flatten)]
        which: Queued,
        /// Print accounts as JSON: a list
        #[arg(long)]
        json: bool,
    },
    /// Show one message: its way so far, every sink's word, every recipient's state
    Show {
        /// Which one
        #[arg(value_name = "ID")]
        id: Id,
        /// Print its account as JSON
        #[arg(long)]
        json: bool,
    },
    /// Try messages at once that wait for their next attempt
    Retry(Choice),
    /// Park messages until they are released; held mail does not expire
    Hold {
        /// Why, for whoever looks at the queue later
        #[arg(long, value_name = "TEXT", default_value = "held by an operator")]
        reason: String,
        #[command(flatten)]
        choice: Choice,
    },
    /// Let held messages go on behind the sink that held them
    Release {
        /// Run all sinks again, from the first
        #[arg(long)]
        rerun: bool,
        #[command(flatten)]
        choice: Choice,
    },
    /// Drop messages for good; nobody is told
    Remove(Choice),
    /// Show the sites that have connections, are waited for or held back
    Sites {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Stop mail to a site or domain for a time; it waits, and expires as ever
    Suspend {
        #[command(flatten)]
        what: What,
        /// For so long; else until it is resumed
        #[arg(long = "for", value_name = "SPAN", value_parser = time::duration)]
        time: Option<Duration>,
        /// Why, for whoever looks later
        #[arg(long, value_name = "TEXT", default_value = "suspended by an operator")]
        reason: String,
    },
    /// Let mail to a site or domain go on that was suspended in the same words
    Resume {
        #[command(flatten)]
        what: What,
    },
    /// Give messages up: their senders are told that they could not be delivered
    Bounce {
        /// What the senders are told
        #[arg(long, value_name = "TEXT", default_value = "")]
        text: String,
        #[command(flatten)]
        choice: Choice,
    },
}

/// Which messages to change.
#[derive(Args, Debug)]
#[command(after_help = "\
Name messages by id, by any of the filters, or all of them with --all. Filters together must all hold.

Examples:
  mailsluice queue retry --domain uni.example
  mailsluice queue hold --sender '*@spam.example' --reason 'asked the customer'
  mailsluice queue release 0D4WM6Q2F0001 --rerun
  mailsluice queue remove --held --older-than 30d --dry-run")]
pub(super) struct Choice {
    #[command(flatten)]
    which: Queued,
    /// Every message in the queue
    #[arg(long)]
    all: bool,
    /// Only say which messages it would be
    #[arg(long)]
    dry_run: bool,
}

impl Queue {
    pub(super) fn run(self, config: &Path) -> Outcome {
        match self {
            Self::List { which, json } => list(config, which.filter(), json),
            Self::Show { id, json } => show(config, id, json),
            Self::Retry(choice) => change(config, Act::Retry, choice, "due now"),
            Self::Hold { reason, choice } => change(config, Act::Hold { reason }, choice, "held"),
            Self::Release { rerun, choice } => change(config, Act::Release { rerun }, choice, "released"),
            Self::Remove(choice) => change(config, Act::Remove, choice, "removed"),
            Self::Sites { json } => sites::list(config, json),
            Self::Suspend { what, time, reason } => sites::suspend(config, what, time, reason),
            Self::Resume { what } => sites::resume(config, what),
            Self::Bounce { text, choice } => change(config, Act::Bounce { text }, choice, "returned"),
        }
    }
}

fn accounts(config: &Path, request: QueueRequest) -> Result<Vec<Account>, Failure> {
    let mut accounts = Vec::new();
    site::connect(config)?.ask(&Request::Queue(request), |response| {
        if let Response::Account(account) = response {
            accounts.push(*account);
        }
        Ok::<_, Failure>(())
    })?;
    Ok(accounts)
}

/// Lists everything, for people.
pub(super) fn list_all(config: &Path) -> Outcome {
    list(config, Filter::default(), false)
}

fn list(config: &Path, filter: Filter, json: bool) -> Outcome {
    let accounts = accounts(config, QueueRequest::List { filter })?;
    let mut out = Out::new();
    if json {
        out.json(&accounts)?;
    } else if accounts.is_empty() {
        note("no message in the queue matches");
    } else {
        table(&accounts, time::now()).print(&mut out)?;
    }
    out.end()
}

fn table(accounts: &[Account], now: Timestamp) -> Table {
    let head = ["ID", "AGE", "SIZE", "STATE", "SENDER", "RECIPIENTS", "WHY"];
    let mut table = Table::with_head(&head).right(&[1, 2]).one_line();
    for account in accounts {
        table.row([
            account.id.to_string(),
            span(now.since(account.time)),
            account.size.map_or_else(String::new, size),
            account.state.as_str().to_owned(),
            account.sender.as_ref().map_or_else(String::new, |sender| printable(&sender.to_string())),
            printable(&account::recipients(account)),
            account::reason(account).map_or_else(String::new, |why| printable(&why)),
        ]);
    }
    table
}

fn show(config: &Path, id: Id, json: bool) -> Outcome {
    let mut out = Out::new();
    for account in accounts(config, QueueRequest::Show { id })? {
        if json {
            out.json(&account)?;
        } else {
            account::full(&account, time::now(), &mut out)?;
        }
    }
    out.end()
}

fn change(config: &Path, act: Act, choice: Choice, done: &str) -> Outcome {
    let (filter, dry_run) = (choice.which.filter(), choice.dry_run);
    match (filter.is_empty(), choice.all) {
        (true, false) => {
            return Err(Failure::Usage("which messages? Give ids, a filter such as --sender, or --all".to_owned()));
        }
        (false, true) => return Err(Failure::Usage("--all leaves nothing for an id or a filter to pick".to_owned())),
        _ => {}
    }
    let mut out = Out::new();
    let (mut changed, mut failed) = (0, false);
    let request = Request::Queue(QueueRequest::Act { act, filter, dry_run });
    site::connect(config)?.ask(&request, |response| {
        if let Response::Acted { id, error } = response {
            match error {
                None => writeln!(out, "{id} {}{done}", if dry_run { "would be " } else { "" })?,
                Some(error) => {
                    failed = true;
                    complain(&error);
                }
            }
            changed += 1;
        }
        Ok::<_, Failure>(())
    })?;
    if changed == 0 {
        note("no message in the queue matches");
    }
    out.end()?;
    if failed { Err(Failure::Told) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_each_message() {
        let account = |id: &str, state: &str, reason: serde_json::Value| -> Account {
            serde_json::from_value(serde_json::json!({
                "id": id, "time": 0, "state": state, "origin": {"door": "send"}, "sender": "", "size": 1536,
                "recipients": [{"path": "a@b.example", "state": "pending"}, {"path": "c@d.example", "state": "pending"}],
                "hold": reason, "ledger": {"entries": []},
            }))
            .unwrap()
        };
        let accounts = [
            account("0000000000001", "queued", serde_json::Value::Null),
            account("0000000000002", "held", "looks\nodd".into()),
        ];
        let mut out = Vec::new();
        table(&accounts, Timestamp(3_600_000)).print(&mut out).unwrap();
        let want = "\
ID             AGE     SIZE  STATE   SENDER  RECIPIENTS        WHY
0000000000001   1h  1.5 KiB  queued  <>      <a@b.example> +1
0000000000002   1h  1.5 KiB  held    <>      <a@b.example> +1  looks\\nodd
";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
