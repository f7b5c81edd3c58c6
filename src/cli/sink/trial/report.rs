//! What came of a trial: the verdict, the reply that a client would see, what was changed, said and used up.

use super::change::Changes;
use crate::cli::out::{Out, Outcome, printable, size};
use crate::cli::table::Table;
use crate::event::host::log::Line;
use crate::event::{Answer, CommandAnswer, Decision, LedgerEntry, Login, Resolution, Want};
use crate::mail::Id;
use crate::manifest::build::alone::Spent;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// All of it.
pub(super) struct Report {
    pub(super) entry: LedgerEntry,
    pub(super) decision: Decision,
    /// The transaction, by which refusals in it are known.
    pub(super) transaction: Option<Id>,
    pub(super) changes: Changes,
    pub(super) console: Vec<Line>,
    /// Of modules and scripts, if the call came to an end.
    pub(super) spent: Option<Spent>,
}

impl Report {
    pub(super) fn tell(&self, as_json: bool) -> Outcome {
        let mut out = Out::new();
        if as_json {
            out.json(&self.json())?;
        } else {
            self.print(&mut out)?;
        }
        out.end()
    }

    /// The reply to the client, if the sink decided about it.
    fn reply(&self) -> Option<String> {
        match &self.decision {
            Decision::Answer(Answer::Command(answer)) => answer.reply().map(ToString::to_string),
            Decision::Reject(reply) | Decision::Defer(reply, _) | Decision::Disconnect(reply) => {
                let reply = reply.clone();
                Some(match self.transaction {
                    Some(id) => reply.tagged(id).to_string(),
                    None => reply.to_string(),
                })
            }
            _ => None,
        }
    }

    /// What else the server would do.
    fn consequence(&self) -> Option<String> {
        match &self.decision {
            Decision::Discard => Some("accepted and dropped".to_owned()),
            Decision::Hold { reason, .. } => Some(format!("accepted and parked: {reason}")),
            Decision::Disconnect(_) => Some("the connection is closed".to_owned()),
            Decision::Defer(_, Some(after)) => Some(format!("tried again after {} s", after.as_secs())),
            Decision::Answer(answer) => answered(answer),
            _ => None,
        }
    }

    fn json(&self) -> Value {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let spent = self.spent.map(|spent| {
            json!({
                "start-micros": micros(spent.start), "call-micros": micros(spent.call),
                "guest-micros": micros(spent.guest), "memory": spent.memory,
            })
        });
        json!({
            "event": self.entry.event, "sink": self.entry.sink, "verdict": self.entry.verdict,
            "fault": self.entry.fault, "reply": self.reply(), "consequence": self.consequence(),
            "edits": self.entry.edits, "changes": self.changes, "console": self.console,
            "micros": self.entry.micros, "spent": spent,
        })
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let mut facts = Table::default();
        let mut fact = |name: &str, text: &str| facts.row([name.to_owned(), printable(text)]);
        let because = if self.entry.fault.is_some() { " (its fault policy)" } else { "" };
        if let Some(fault) = &self.entry.fault {
            fact("fault", fault);
        }
        fact("verdict", &format!("{}{because}", self.entry.verdict));
        if let Some(reply) = self.reply() {
            fact("reply", &reply);
        }
        if let Some(consequence) = self.consequence() {
            fact("then", &consequence);
        }
        if !self.entry.edits.is_empty() {
            fact("edits", &self.entry.edits.join(", "));
        }
        fact("took", &self.took());
        facts.print(out)?;
        for (name, lines) in self.changes.sections() {
            writeln!(out, "\n{name}")?;
            lines.iter().try_for_each(|line| writeln!(out, "{}", printable(line)))?;
        }
        if !self.console.is_empty() {
            writeln!(out, "\nconsole")?;
        }
        for line in &self.console {
            writeln!(out, "{:5} {}", line.level.as_str(), printable(&line.text))?;
        }
        Ok(())
    }

    fn took(&self) -> String {
        match &self.spent {
            Some(Spent { start, call, guest, memory }) => format!(
                "{} in a fresh instance, of these {} its own, and {} to make the instance; {} of memory",
                time(*call),
                time(*guest),
                time(*start),
                size(*memory as u64)
            ),
            None => time(Duration::from_micros(self.entry.micros)),
        }
    }
}

/// An answer in words, if it is no reply.
fn answered(answer: &Answer) -> Option<String> {
    let or_none = |text: String, none: &str| if text.is_empty() { none.to_owned() } else { text };
    Some(match answer {
        Answer::Command(answer) => return then(answer),
        Answer::Login(Login::Identity(identity)) => format!("the user {}", identity.user),
        Answer::Login(Login::Challenge(octets)) => format!("a challenge of {} octets", octets.len()),
        Answer::Limit(octets) => format!("limit {octets} octets"),
        Answer::Resolution(Resolution::Local) => "it lives here".to_owned(),
        Answer::Resolution(Resolution::Remote) => "it is handed on".to_owned(),
        Answer::Resolution(Resolution::Rewritten(path)) => format!("it stands for {path}"),
        Answer::Resolution(Resolution::Expanded { members, sender }) => {
            let from = sender.as_ref().map(|sender| format!(", from {sender}")).unwrap_or_default();
            format!("it stands for {}{from}", or_none(joined(members), "nobody"))
        }
        Answer::Route(hops) => format!("by {}", or_none(joined(hops), "no hop")),
        Answer::Step(next) => format!("the session goes on with {next}"),
        Answer::Records(records) => or_none(joined(records), "no records"),
        Answer::Outcomes(outcomes) => {
            let each = outcomes.iter().map(|it| format!("recipient {}: {}", it.recipient, it.reply));
            or_none(each.collect::<Vec<_>>().join(", "), "no outcomes")
        }
    })
}

/// What happens behind the reply.
fn then(answer: &CommandAnswer) -> Option<String> {
    Some(match answer {
        CommandAnswer::Reply(_) => return None,
        CommandAnswer::More { want: Want::Line { max }, .. } => format!("a line of at most {max} octets is read"),
        CommandAnswer::More { want: Want::Octets { count }, .. } => format!("{count} octets are read"),
        CommandAnswer::Turn { domains, .. } => format!("roles are swapped, for {}", joined(domains)),
        CommandAnswer::Instead(line) => format!("it stands for {line}"),
    })
}

fn joined(list: &[impl ToString]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A short time with a unit that suits it.
pub(in crate::cli::sink) fn time(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        ..1e4 => format!("{:.2} µs", nanos / 1e3),
        ..1e6 => format!("{:.0} µs", nanos / 1e3),
        ..1e7 => format!("{:.2} ms", nanos / 1e6),
        ..1e9 => format!("{:.0} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_units_that_suit_them() {
        let told = [7, 1_234, 12_345, 1_234_567, 99_999_999, 2_500_000_000].map(|ns| time(Duration::from_nanos(ns)));
        assert_eq!(told, ["7 ns", "1.23 µs", "12 µs", "1.23 ms", "100 ms", "2.50 s"]);
    }
}
