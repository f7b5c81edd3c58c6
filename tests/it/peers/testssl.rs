//! testssl.sh finds nothing at our listeners.
//!
//! All of its checks but one are run: the protocols, the kinds of ciphers, forward secrecy, what the server prefers and shows, and all
//! vulnerabilities. Left out is what finds nothing by nature and takes half of the time: which programs would connect (`-c`).

use super::peer;
use super::submission::{IMPLICIT, STARTTLS, Submission};
use std::path::Path;
use std::process::{Command, Stdio};

/// What it warns of on its own account: its OpenSSL has no GOST; with TLS 1.3 it hangs up before a ticket has come.
const ITS_OWN: [&str; 3] = ["engine_problem", "sessionresumption_ticket", "sessionresumption_ID"];

/// All findings at a listener: what, how bad, and the text.
fn findings(program: &Path, place: &Submission, listener: usize) -> Vec<[String; 3]> {
    let server = &place.server;
    let file = server.path(&format!("findings-{listener}.json"));
    let mut command = Command::new(program);
    command.args(["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1"]);
    command.arg("--add-ca").arg(server.path("ca.pem")).arg("--jsonfile").arg(&file);
    command.args(["-p", "-s", "-f", "-P", "-S", "-U"]);
    if listener == STARTTLS {
        command.args(["-t", "smtp"]);
    }
    command.arg(format!("mx.example.com:{}", server.address(listener).port()));
    let output = command.stdin(Stdio::null()).output().expect("running testssl");
    let said = String::from_utf8_lossy(&output.stdout);
    let text = std::fs::read(&file).unwrap_or_else(|e| panic!("no findings: {e}\n{said}"));
    let all: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{e}\n{said}"));
    let field = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    all.iter().map(|one| ["id", "severity", "finding"].map(|key| field(one, key))).collect()
}

#[test]
fn testssl_finds_nothing() {
    let Some(program) = peer("testssl") else { return };
    let place = Submission::start();
    let (starttls, implicit) = std::thread::scope(|scope| {
        let other = scope.spawn(|| findings(&program, &place, STARTTLS));
        let implicit = findings(&program, &place, IMPLICIT);
        (other.join().unwrap(), implicit)
    });
    for (listener, findings) in [("starttls", starttls), ("implicit", implicit)] {
        let bad: Vec<_> = findings
            .iter()
            .filter(|[id, severity, _]| match severity.as_str() {
                "OK" | "INFO" | "DEBUG" => false,
                "WARN" => !ITS_OWN.contains(&id.as_str()),
                _ => true,
            })
            .collect();
        assert!(bad.is_empty(), "{listener}: {bad:#?}");
        // It did what it was to do, and to our listener.
        for (id, severity) in [
            ("TLS1_2", "OK"),
            ("TLS1_3", "OK"),
            ("cert_commonName", "OK"),
            ("cert_trust", "OK"),
            ("cert_chain_of_trust", "OK"),
            ("heartbleed", "OK"),
            ("ROBOT", "OK"),
            ("secure_renego", "OK"),
            ("SWEET32", "OK"),
            ("LUCKY13", "OK"),
        ] {
            let found = findings.iter().find(|[name, ..]| name.split(' ').next() == Some(id));
            assert!(
                found.is_some_and(|[_, s, _]| s == severity),
                "{listener}: {id} {severity}: {found:?} in {findings:#?}"
            );
        }
    }
    place.server.told(&["status"]);
}
