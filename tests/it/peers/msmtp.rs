//! msmtp as a submission client, with each mechanism that it was built with and we offer.

use super::submission::{IMPLICIT, STARTTLS, Submission, from_alice};
use super::{absent, peer};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// EX_NOPERM of sysexits, which msmtp says when nobody let it in.
const NOT_PERMITTED: i32 = 77;

/// The mechanisms that this msmtp knows, those of the list; it is said of which it knows none.
fn known(program: &Path, mechanisms: &[&'static str]) -> Vec<&'static str> {
    let said = Command::new(program).arg("--version").output().expect("running msmtp").stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let list = said.lines().skip_while(|line| !line.starts_with("Supported authentication methods")).nth(1);
    let list: Vec<&str> = list.unwrap_or_default().split_whitespace().collect();
    let (known, unknown): (Vec<_>, Vec<_>) = mechanisms.iter().partition(|mechanism| list.contains(*mechanism));
    for mechanism in unknown {
        absent(&format!("msmtp with {mechanism}"));
    }
    known
}

/// Sends a letter with this mechanism and password, or certificate.
fn submit(program: &Path, place: &Submission, listener: usize, how: &str, letter: &str) -> Output {
    let server = &place.server;
    server.write(
        "msmtprc",
        &format!(
            "account default\nhost 127.0.0.1\nport {}\ntimeout 60\ntls on\ntls_starttls {}\ntls_trust_file {}\n\
             tls_host_override mx.example.com\ndomain client.example\nfrom alice@example.com\nuser alice\n{how}\n",
            server.address(listener).port(),
            if listener == STARTTLS { "on" } else { "off" },
            server.path("ca.pem").display(),
        ),
    );
    let mut command = Command::new(program);
    command.arg("-C").arg(server.path("msmtprc")).arg("bob@example.com");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("starting msmtp");
    child.stdin.take().unwrap().write_all(letter.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn succeeded(output: &Output, place: &Submission) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "msmtp: {}\n{said}\n{}", output.status, place.server.log());
}

#[test]
fn msmtp_logs_in_with_a_password_by_each_mechanism() {
    let Some(program) = peer("msmtp") else { return };
    let place = Submission::start();
    let mut count = 0;
    for mechanism in known(&program, &["plain", "login", "scram-sha-256"]) {
        for listener in [STARTTLS, IMPLICIT] {
            let letter = from_alice(&format!("msmtp-{mechanism}-{listener}"));
            let output = submit(&program, &place, listener, &format!("auth {mechanism}\npassword pencil"), &letter);
            succeeded(&output, &place);
            count += 1;
            place.came_from_alice(count, &letter);
            place.server.logged(&format!("mechanism={} user=alice", mechanism.to_ascii_uppercase()));
        }
        let output = submit(&program, &place, STARTTLS, &format!("auth {mechanism}\npassword Pencil"), "Subject: x\n");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(NOT_PERMITTED), "{said}");
        assert!(said.contains("535 5.7.8 Authentication credentials invalid"), "{said}");
    }
}

#[test]
fn msmtp_logs_in_with_a_certificate() {
    let Some(program) = peer("msmtp") else { return };
    if known(&program, &["external"]).is_empty() {
        return;
    }
    let place = Submission::start();
    let how = |user: &str| {
        let (certificate, key) = place.certificate(user);
        format!("auth external\ntls_cert_file {}\ntls_key_file {}", certificate.display(), key.display())
    };
    let letter = from_alice("msmtp-external");
    succeeded(&submit(&program, &place, STARTTLS, &how("alice"), &letter), &place);
    place.came_from_alice(1, &letter);
    // A certificate of the same authority for somebody else.
    let output = submit(&program, &place, STARTTLS, &how("mallory"), &letter);
    assert_eq!(output.status.code(), Some(NOT_PERMITTED), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("535 5.7.8"));
}

#[cfg(feature = "http")]
#[test]
fn msmtp_logs_in_with_a_token() {
    use super::tokens::Tokens;
    let Some(program) = peer("msmtp") else { return };
    let tokens = Tokens::start("good-token", "alice");
    let introspection = format!(
        "introspection = {{ url = 'http://{}/introspect', client-id = 'mail', client-secret = {{ secret = 'idp' }} }}",
        tokens.address
    );
    let place = Submission::with(&introspection, |site| site.write("secrets/idp", "hush\n"));
    for (count, mechanism) in known(&program, &["oauthbearer", "xoauth2"]).into_iter().enumerate() {
        let letter = from_alice(&format!("msmtp-{mechanism}"));
        let how = format!("auth {mechanism}\npassword good-token");
        succeeded(&submit(&program, &place, STARTTLS, &how, &letter), &place);
        place.came_from_alice(count + 1, &letter);
        let output = submit(&program, &place, STARTTLS, &format!("auth {mechanism}\npassword bad"), &letter);
        assert_eq!(output.status.code(), Some(NOT_PERMITTED), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
