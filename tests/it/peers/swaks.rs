//! swaks as a submission client, with each mechanism that it has and we offer.

use super::submission::{IMPLICIT, STARTTLS, Submission, from_alice};
use super::{absent, peer};
use std::path::PathBuf;
use std::process::Command;

/// What swaks says when nobody let it in.
const NOT_AUTHENTICATED: i32 = 28;
/// What swaks says when it could not get TLS.
const NO_TLS: i32 = 29;

/// swaks, if it can do TLS.
fn swaks() -> Option<PathBuf> {
    let program = peer("swaks")?;
    let said = Command::new(&program).arg("--support").output().expect("running swaks").stdout;
    if !String::from_utf8_lossy(&said).contains("TLS supported") {
        absent("swaks with TLS (Perl's Net::SSLeay)");
        return None;
    }
    Some(program)
}

/// How it ended, and all that was said.
fn submit(place: &Submission, listener: usize, letter: &str, options: &[&str]) -> (i32, String) {
    let authority = place.server.path("ca.pem");
    let mut command = Command::new(swaks().expect("swaks"));
    command.args(["--server", &place.server.address(listener).to_string(), "--helo", "client.example"]);
    command.args(["--from", "alice@example.com", "--to", "bob@example.com", "--auth-user", "alice"]);
    command.args(["--tls-sni", "mx.example.com", "--tls-verify", "--tls-ca-path"]).arg(authority);
    // swaks puts one line end behind the last line.
    command.arg("--data").arg(letter.strip_suffix('\n').unwrap()).args(options);
    let output = command.output().expect("running swaks");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), said)
}

#[test]
fn swaks_logs_in_by_each_mechanism() {
    if swaks().is_none() {
        return;
    }
    let place = Submission::start();
    let mut count = 0;
    for (listener, tls) in [(STARTTLS, "--tls"), (IMPLICIT, "--tls-on-connect")] {
        for mechanism in ["PLAIN", "LOGIN"] {
            for version in ["tlsv1_2", "tlsv1_3"] {
                let letter = from_alice(&format!("swaks-{listener}-{mechanism}-{version}"));
                let options = [tls, "--auth", mechanism, "--auth-password", "pencil", "--tls-protocol", version];
                let (status, said) = submit(&place, listener, &letter, &options);
                assert!(status == 0 && said.contains(&format!("~> AUTH {mechanism}")), "{status}\n{said}");
                count += 1;
                place.came_from_alice(count, &letter);
            }
        }
    }
}

#[test]
fn swaks_is_not_let_in_without_what_it_takes() {
    if swaks().is_none() {
        return;
    }
    let place = Submission::start();
    let refused = |options: &[&str], code: i32, text: &str| {
        let (status, said) = submit(&place, STARTTLS, &from_alice("refused"), options);
        assert!(status == code && said.contains(text), "{options:?}: {status}\n{said}");
    };
    let wrong = "<~* 535 5.7.8 Authentication credentials invalid";
    refused(&["--tls", "--auth", "PLAIN", "--auth-password", "Pencil"], NOT_AUTHENTICATED, wrong);
    refused(&["--tls", "--auth", "LOGIN", "--auth-password", ""], NOT_AUTHENTICATED, wrong);
    // What shows the password is not there without TLS, and what is broken is not there at all.
    let none = "requested type not available";
    refused(&["--auth", "PLAIN", "--auth-password", "pencil"], NOT_AUTHENTICATED, none);
    refused(&["--tls", "--auth", "CRAM-MD5", "--auth-password", "pencil"], NOT_AUTHENTICATED, none);
    refused(&["--tls", "--auth", "PLAIN", "--auth-password", "pencil", "--tls-protocol", "tlsv1_1"], NO_TLS, "");
    assert!(!place.server.path("var/mail/example.com/bob").exists());
}
