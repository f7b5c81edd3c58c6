//! GNU SASL as a client: the one at hand that binds SCRAM to the TLS connection (RFC 5802, RFC 9266).

use super::submission::{STARTTLS, Submission};
use super::{absent, peer};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// gsasl, if it knows how to bind.
fn gsasl() -> Option<PathBuf> {
    let program = peer("gsasl")?;
    let known = Command::new(&program).arg("--client-mechanisms").output().expect("running gsasl").stdout;
    if !String::from_utf8_lossy(&known).split_whitespace().any(|name| name == "SCRAM-SHA-256-PLUS") {
        absent("gsasl with SCRAM-SHA-256-PLUS");
        return None;
    }
    Some(program)
}

/// Logs in to the listener with STARTTLS; whether it came in, and what was said.
fn log_in(place: &Submission, mechanism: &str, password: &str, options: &[&str]) -> (bool, String) {
    let mut command = Command::new(gsasl().expect("gsasl"));
    command.args(["--smtp", "--service=smtp", "--hostname=mx.example.com"]);
    command.arg(format!("--connect={}", place.server.address(STARTTLS)));
    // It looks for the address in the certificate. That it talks with whom it means to, SCRAM shows.
    command.arg("--x509-ca-file=").args(["-m", mechanism, "-a", "alice", "-z", "alice", "-p", password]);
    let output = command.args(options).stdin(Stdio::null()).output().expect("running gsasl");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("220 2.0.0 Go ahead with TLS"), "{said}");
    (output.status.success() && said.contains("Client authentication finished (server trusted)"), said)
}

#[test]
fn gsasl_logs_in_by_each_mechanism_and_binds_scram_to_the_connection() {
    if gsasl().is_none() {
        return;
    }
    let place = Submission::start();
    let cases: [(&str, &[&str]); 4] =
        [("PLAIN", &[]), ("LOGIN", &[]), ("SCRAM-SHA-256", &["--no-cb"]), ("SCRAM-SHA-256-PLUS", &[])];
    for (mechanism, options) in cases {
        let (came_in, said) = log_in(&place, mechanism, "pencil", options);
        assert!(came_in, "{mechanism}: {said}\n{}", place.server.log());
        place.server.logged(&format!("mechanism={mechanism} user=alice"));
        let (came_in, said) = log_in(&place, mechanism, "Pencil", options);
        assert!(!came_in && said.contains("535 5.7.8"), "{mechanism}: {said}");
    }
    // TLS 1.2 is not bound to here, and gsasl sees that it is not offered.
    let (came_in, said) = log_in(&place, "SCRAM-SHA-256-PLUS", "pencil", &["--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"]);
    assert!(!came_in && !said.contains("250 AUTH SCRAM-SHA-256-PLUS"), "{said}");
}
