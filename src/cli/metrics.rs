//! How the server does, as OpenMetrics text: what `mailsluice status --metrics` prints, for a collector that runs commands or
//! reads files. <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use crate::admin::Status;
use crate::admin::status::Sink;
use std::fmt::Write;

/// What a family of numbers is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    /// It only rises while the process lives.
    Counter,
}

/// The whole text, with its end mark.
pub(super) fn text(status: &Status) -> String {
    let mut out = String::new();
    plain(status, &mut out);
    let counted = |name: &str, help: &str, value: fn(&Sink) -> u64, out: &mut String| {
        family(out, Kind::Counter, name, help);
        for (sink, facts) in &status.sinks {
            sample(out, Kind::Counter, name, &[("sink", sink)], &value(facts).to_string());
        }
    };
    counted("sink_faults", "Faults since the sink was loaded.", |sink| sink.faults, &mut out);
    counted("sink_missed", "Notify events that it was not told.", |sink| sink.missed, &mut out);
    counted("sink_log_left_out", "Lines of its log that were left out.", |sink| sink.lines_left_out, &mut out);
    family(&mut out, Kind::Gauge, "sink_ok", "Whether its last call went well and it is called.");
    for (sink, facts) in &status.sinks {
        let value = if facts.state == "ok" { "1" } else { "0" };
        sample(&mut out, Kind::Gauge, "sink_ok", &[("sink", sink), ("kind", &facts.kind)], value);
    }
    family(&mut out, Kind::Gauge, "sink_parked", "Instances that wait to be used again.");
    for (sink, facts) in &status.sinks {
        if let Some(parked) = facts.parked {
            sample(&mut out, Kind::Gauge, "sink_parked", &[("sink", sink)], &parked.to_string());
        }
    }
    family(&mut out, Kind::Gauge, "certificate_expires_seconds", "When a certificate by ACME ends, after 1970.");
    for line in &status.certificates {
        let expires = line.expires.map_or(0, |expires| expires.0 / 1000);
        sample(&mut out, Kind::Gauge, "certificate_expires_seconds", &[("name", &line.name)], &expires.to_string());
    }
    own(status, Kind::Counter, "sink_count", "What sinks count.", &mut out);
    own(status, Kind::Gauge, "sink_value", "What sinks set.", &mut out);
    out.push_str("# EOF\n");
    out
}

/// What is not about one sink.
fn plain(status: &Status, out: &mut String) {
    let failed = status.reload_failure.as_ref();
    let since = failed.map_or(0.0, |failure| failure.since.0 as f64 / 1000.0);
    let spool = &status.spool;
    for (name, help, value) in [
        ("uptime_seconds", "Time since the start.", status.uptime.to_string()),
        ("generation", "The snapshot in force.", status.generation.to_string()),
        ("reload_failed", "Whether the last reload failed.", u8::from(failed.is_some()).to_string()),
        ("reload_failed_since_seconds", "Since when reloads fail, after 1970; 0 if they don't.", since.to_string()),
        ("sessions", "Sessions at present.", status.sessions.to_string()),
        ("queue_messages", "Messages in the queue.", status.queue.messages.to_string()),
        ("queue_held", "Messages that are parked.", status.queue.held.to_string()),
        ("spool_ok", "Whether the store takes messages.", u8::from(spool.state == "ok").to_string()),
        ("spool_messages", "Messages in the store.", spool.messages.to_string()),
        ("spool_bytes", "Octets of the messages in the store.", spool.bytes.to_string()),
        ("spool_disk_bytes", "Octets of the store on the disk.", spool.disk.to_string()),
    ] {
        family(out, Kind::Gauge, name, help);
        sample(out, Kind::Gauge, name, &[], &value);
    }
    doors(status, out);
    family(out, Kind::Counter, "history_dropped", "Accounts that could not be written.");
    sample(out, Kind::Counter, "history_dropped", &[], &status.history.dropped.to_string());
}

/// How clients come in: logins and TLS.
fn doors(status: &Status, out: &mut String) {
    let logins = &status.logins;
    family(out, Kind::Counter, "logins", "Logins since the start.");
    for (outcome, count) in
        [("succeeded", logins.succeeded), ("failed", logins.failed), ("turned-away", logins.turned_away)]
    {
        sample(out, Kind::Counter, "logins", &[("outcome", outcome)], &count.to_string());
    }
    family(out, Kind::Gauge, "locked_out", "Who is locked out at present.");
    for (who, count) in [("user", logins.locked_users), ("network", logins.locked_networks)] {
        sample(out, Kind::Gauge, "locked_out", &[("who", who)], &count.to_string());
    }
    family(out, Kind::Counter, "tls_handshakes", "TLS handshakes of clients that went well.");
    for (version, count) in &status.tls.handshakes {
        sample(out, Kind::Counter, "tls_handshakes", &[("version", version)], &count.to_string());
    }
    family(out, Kind::Counter, "tls_handshakes_failed", "TLS handshakes of clients that failed.");
    sample(out, Kind::Counter, "tls_handshakes_failed", &[], &status.tls.failed.to_string());
}

/// What sinks publish about themselves: whole numbers are counters.
fn own(status: &Status, kind: Kind, family_name: &str, help: &str, out: &mut String) {
    family(out, kind, family_name, help);
    for (sink, facts) in &status.sinks {
        let fitting = facts.metrics.iter().filter(|(_, value)| value.is_u64() == (kind == Kind::Counter));
        for (name, value) in fitting {
            sample(out, kind, family_name, &[("sink", sink), ("name", name)], &value.to_string());
        }
    }
}

fn family(out: &mut String, kind: Kind, name: &str, help: &str) {
    let kind = if kind == Kind::Counter { "counter" } else { "gauge" };
    // A string takes everything that is written.
    let _ = write!(out, "# TYPE mailsluice_{name} {kind}\n# HELP mailsluice_{name} {help}\n");
}

fn sample(out: &mut String, kind: Kind, name: &str, labels: &[(&str, &str)], value: &str) {
    let total = if kind == Kind::Counter { "_total" } else { "" };
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(out, "mailsluice_{name}{total}{labels} {value}");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_family_after_the_other_and_an_end() {
        let status = json!({
            "version": "1.2.3", "started": 0, "uptime": 3720, "generation": 4, "sessions": 2, "listeners": [],
            "queue": {"messages": 1, "held": 0},
            "spool": {"state": "ok", "messages": 1, "bytes": 2048, "disk": 1 << 26, "segments": 1},
            "history": {"dropped": 0},
            "logins": {"succeeded": 3, "failed": 2, "turned_away": 1, "locked_users": 1, "locked_networks": 0},
            "tls": {"handshakes": {"TLSv1.2": 4, "TLSv1.3": 9}, "failed": 5},
            "reload_failure": {"since": 1500, "error": "x"},
            "sinks": {
                "a": {"kind": "module", "reuse": "pool", "parked": 3, "state": "ok", "faults": 3, "streak": 0, "missed": 0,
                      "lines_left_out": 7, "metrics": {"seen": 5, "load": 0.5}},
                "b": {"kind": "native", "state": "open", "faults": 5, "streak": 5, "missed": 1},
            },
        });
        let text = text(&serde_json::from_value(status).unwrap());
        for line in [
            "# TYPE mailsluice_generation gauge\n# HELP mailsluice_generation The snapshot in force.\nmailsluice_generation 4",
            "mailsluice_reload_failed 1",
            "mailsluice_reload_failed_since_seconds 1.5",
            "mailsluice_sink_faults_total{sink=\"b\"} 5",
            "mailsluice_logins_total{outcome=\"turned-away\"} 1",
            "mailsluice_locked_out{who=\"user\"} 1",
            "mailsluice_tls_handshakes_total{version=\"TLSv1.3\"} 9",
            "mailsluice_tls_handshakes_failed_total 5",
            "mailsluice_sink_log_left_out_total{sink=\"a\"} 7",
            "mailsluice_sink_ok{sink=\"b\",kind=\"native\"} 0",
            "mailsluice_sink_parked{sink=\"a\"} 3",
            "mailsluice_sink_count_total{sink=\"a\",name=\"seen\"} 5",
            "mailsluice_sink_value{sink=\"a\",name=\"load\"} 0.5",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n") && !text.contains("sink_parked{sink=\"b\"}"));
        let families = text.lines().filter(|line| line.starts_with("# TYPE"));
        let names: std::collections::BTreeSet<&str> = families.clone().collect();
        assert_eq!(names.len(), families.count(), "each family once");
    }
}
