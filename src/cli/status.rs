//! `mailsluice status` and `mailsluice reload`.

use super::out::{Failure, Out, Outcome, count, printable, size, span};
use super::table::Table;
use super::{metrics, site};
use crate::acme::Line;
use crate::admin::status::{Sink, Status};
use crate::admin::{Client, ClientError, Request, Response};
use clap::Args;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// How to tell it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  mailsluice status
  mailsluice status --metrics > /var/lib/node_exporter/mailsluice.prom
  mailsluice status --json | jq '.sinks[] | select(.state != \"ok\")'")]
pub(super) struct Show {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// Print it as OpenMetrics text, for a collector
    #[arg(long, conflicts_with = "json")]
    metrics: bool,
}

impl Show {
    pub(super) fn run(self, config: &Path) -> Outcome {
        let status = fetch(config)?;
        let mut out = Out::new();
        if self.json {
            out.json(&status)?;
        } else if self.metrics {
            out.write_all(metrics::text(&status).as_bytes())?;
        } else {
            print(&status, &mut out)?;
        }
        out.end()
    }
}

/// How the running server does.
pub(super) fn fetch(config: &Path) -> Result<Status, Failure> {
    let mut status = None;
    site::connect(config)?.ask(&Request::Status, |response| {
        if let Response::Status(told) = response {
            status = Some(*told);
        }
        Ok::<_, Failure>(())
    })?;
    status.ok_or_else(|| Failure::failed("the server has not said how it does"))
}

/// `mailsluice reload`.
pub(super) fn reload(config: &Path) -> Outcome {
    let generation = ask_reload(&mut site::connect(config)?).map_err(|error| match error {
        ClientError::Failed(text) => {
            Failure::Failed(format!("{}\nerror: nothing was reloaded; the server goes on as before", text.trim_end()))
        }
        other => other.into(),
    })?;
    let mut out = Out::new();
    writeln!(out, "reloaded: generation {generation} is in force")?;
    out.end()
}

/// Asks the server to reload, and returns the generation that is then in force.
pub(super) fn ask_reload(client: &mut Client) -> Result<u64, ClientError> {
    let mut generation = 0;
    client.ask(&Request::Reload, |response| {
        if let Response::Reloaded { generation: new } = response {
            generation = new;
        }
        Ok::<_, ClientError>(())
    })?;
    Ok(generation)
}

fn print(status: &Status, out: &mut impl Write) -> io::Result<()> {
    let up = span(Duration::from_secs(status.uptime));
    writeln!(out, "mailsluice {}, up {up}, generation {}", status.version, status.generation)?;
    let mut facts = Table::default().indent(2);
    let mut fact = |name: &str, text: String| facts.row([name.to_owned(), text]);
    let listeners = status.listeners.iter().map(|l| {
        // Without a name of its own a listener is called after its address.
        let unnamed = l.name.parse::<std::net::SocketAddr>().is_ok();
        let named = if unnamed { String::new() } else { format!(" `{}`", l.name) };
        format!("{} {}{named}", l.address, l.role)
    });
    fact("listeners", listeners.collect::<Vec<_>>().join(", "));
    fact("sessions", status.sessions.to_string());
    let locked = &status.logins;
    if locked.locked_users + locked.locked_networks > 0 {
        let (users, networks) = (locked.locked_users as u64, locked.locked_networks as u64);
        fact("locked out", format!("{}, {}", count(users, "user"), count(networks, "network")));
    }
    fact("queue", format!("{}, {} held", count(status.queue.messages as u64, "message"), status.queue.held));
    fact("spool", spool(status));
    if status.history.dropped > 0 {
        fact(
            "history",
            format!("{} could not be written; `why` does not know them", count(status.history.dropped, "account")),
        );
    }
    let troubled: Vec<_> = status.sinks.iter().filter(|(_, sink)| !is_well(sink)).collect();
    fact(
        "sinks",
        match troubled.len() {
            0 => format!("{}, all well", status.sinks.len()),
            n => format!("{}, {n} not well:", status.sinks.len()),
        },
    );
    for (name, sink) in troubled {
        fact("", format!("{name}: {}", printable(&trouble(sink))));
    }
    let published = status.sinks.iter().filter(|(_, sink)| !sink.metrics.is_empty());
    for (n, (name, sink)) in published.enumerate() {
        let numbers: Vec<String> = sink.metrics.iter().map(|(name, number)| format!("{name} {number}")).collect();
        fact(if n == 0 { "metrics" } else { "" }, format!("{name}: {}", printable(&numbers.join(", "))));
    }
    for (n, line) in status.certificates.iter().enumerate() {
        fact(if n == 0 { "certificates" } else { "" }, format!("{}: {}", line.name, certificate(line)));
    }
    facts.print(out)?;
    if let Some(failure) = &status.reload_failure {
        writeln!(out, "  RELOAD FAILED at {}; generation {} stays in force:\n", failure.since, status.generation)?;
        writeln!(out, "{}", failure.error.trim_end())?;
    }
    Ok(())
}

fn is_well(sink: &Sink) -> bool {
    sink.state == "ok" && sink.missed == 0 && sink.lines_left_out == 0
}

/// What is wrong with a sink.
pub(super) fn trouble(sink: &Sink) -> String {
    let mut text = format!("{}, {}", sink.state, count(sink.faults, "fault"));
    if sink.missed > 0 {
        text += &format!(", {} missed", count(sink.missed, "event"));
    }
    if sink.lines_left_out > 0 {
        text += &format!(", {} of its log left out", count(sink.lines_left_out, "line"));
    }
    if let Some(fault) = &sink.last_fault {
        text += &format!("; last: {fault}");
    }
    text
}

/// How it stands with a certificate that is fetched by ACME.
fn certificate(line: &Line) -> String {
    let mut text = match line.expires {
        Some(expires) => format!("until {}", expires.rfc3339_seconds()),
        None => "NONE YET".to_owned(),
    };
    if line.trying {
        return text + ", the authority is being asked";
    }
    if let (Some(error), Some(at)) = (&line.error, line.last_try) {
        text += &format!(", FAILED at {}: {}", at.rfc3339_seconds(), printable(error));
    }
    match line.next_try {
        Some(next) => text + &format!(", asked next at {}", next.rfc3339_seconds()),
        None => text,
    }
}

fn spool(status: &Status) -> String {
    let spool = &status.spool;
    let holds = format!(
        "{}, {}; {} on disk in {}",
        count(spool.messages, "message"),
        size(spool.bytes),
        size(spool.disk),
        count(spool.segments, "segment")
    );
    match (&spool.why, spool.since) {
        (Some(why), Some(since)) => format!("SICK since {since}: {why}; new mail is turned away; {holds}"),
        _ if spool.recovering => format!("{}, reading what was there at the start; beside it {holds}", spool.state),
        _ => format!("{}: {holds}", spool.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_stands_out_and_the_rest_is_short() {
        let mut status = json!({
            "version": "1.2.3", "started": 0, "uptime": 3720, "generation": 4, "sessions": 2,
            "listeners": [{"name": "in", "address": "127.0.0.1:2525", "role": "mx"}],
            "queue": {"messages": 1, "held": 0},
            "spool": {"state": "ok", "messages": 1, "bytes": 2048, "disk": 1 << 26, "segments": 1},
            "history": {"dropped": 0},
            "sinks": {"a": {"state": "ok", "faults": 3, "streak": 0, "missed": 0}},
        });
        let text = |status: &serde_json::Value| {
            let mut out = Vec::new();
            print(&serde_json::from_value(status.clone()).unwrap(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let want = "\
mailsluice 1.2.3, up 1h 2m, generation 4
  listeners  127.0.0.1:2525 mx `in`
  sessions   2
  queue      1 message, 0 held
  spool      ok: 1 message, 2.0 KiB; 64.0 MiB on disk in 1 segment
  sinks      1, all well
";
        assert_eq!(text(&status), want);
        status["spool"]["state"] = "sick".into();
        status["spool"]["since"] = 0.into();
        status["spool"]["why"] = "can't sync x".into();
        status["sinks"]["b"] = json!({"state": "open", "faults": 5, "streak": 5, "missed": 1, "last_fault": "panic: \u{7}", "metrics": {"load": -0.5, "seen": 7}});
        status["reload_failure"] = json!({"since": 0, "error": "error: bad\n"});
        status["history"]["dropped"] = 1.into();
        status["certificates"] = json!([
            {"name": "mx.example.com", "names": [], "last_try": 1_000, "error": "no", "next_try": 301_000},
            {"name": "b.example.com", "names": [], "expires": 3_600_000, "trying": true},
        ]);
        let text = text(&status);
        for part in [
            "SICK since 1970-01-01T00:00:00.000Z: can't sync x; new mail",
            "2, 1 not well:\n                b: open, 5 faults, 1 event missed; last: panic: \\u{7}\n",
            "  metrics       b: load -0.5, seen 7\n",
            "RELOAD FAILED at 1970-01-01T00:00:00.000Z; generation 4 stays in force:\n\nerror: bad\n",
            "  certificates  mx.example.com: NONE YET, FAILED at 1970-01-01T00:00:01Z: no, asked next at 1970-01-01T00:05:01Z\n",
            "                b.example.com: until 1970-01-01T01:00:00Z, the authority is being asked\n",
            "history       1 account could not be written",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
