//! nmap's scripts for SMTP: no open relay, no list of users, nothing that is known to be vulnerable, and we live through it.

use super::peer;
use super::submission::{IMPLICIT, STARTTLS, Submission};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use std::net::SocketAddr;
use std::process::Command;

/// The scripts. With `+` they run whatever port it is. The one that is left out guesses passwords.
const SCRIPTS: &str = "+smtp-commands,+smtp-enum-users,+smtp-ntlm-info,+smtp-open-relay,+smtp-strangeport,+smtp-vuln-*";

/// What nmap says of one port. It tries the users whose names are in the file.
fn scan(server: &Server, address: SocketAddr) -> String {
    server.write("names", "alice\nbob\n");
    let arguments = format!("userdb={},smtp-enum-users.domain=example.com", server.path("names").display());
    let arguments = arguments + ",smtp-enum-users.methods={VRFY,EXPN}";
    let mut command = Command::new(peer("nmap").expect("nmap"));
    command.args(["-Pn", "-n", "-p", &address.port().to_string(), "--script", SCRIPTS, "--script-args", &arguments]);
    let output = command.arg(address.ip().to_string()).output().expect("running nmap");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "nmap: {}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("ERROR"), "a script did not run: {said}");
    said
}

#[track_caller]
fn says(said: &str, wanted: &[&str]) {
    for text in wanted {
        assert!(said.contains(text), "{text:?} in {said}");
    }
    for bad in ["VULNERABLE:", "State: VULNERABLE", "State: LIKELY VULNERABLE", "Server is an open relay"] {
        assert!(!said.contains(bad), "{said}");
    }
    assert!(!said.contains("smtp-ntlm-info"), "there is no NTLM to tell of itself: {said}");
}

const NO_EXIM: &str = "The SMTP server is not Exim: NOT VULNERABLE";

#[test]
fn nmap_finds_neither_relay_nor_users_nor_holes() {
    if peer("nmap").is_none() {
        return;
    }
    let server = Site::new(Site::PLAIN).start();
    let said = scan(&server, server.address(0));
    let closed = "smtp-open-relay: Server doesn't seem to be an open relay, all tests failed";
    says(&said, &[closed, "Couldn't find any accounts", NO_EXIM, "smtp-commands: mx.example.com, PIPELINING, "]);
    // It is there, and serves.
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\ny\r\n").must_be(250);
    client.quit();
}

#[test]
fn nmap_gets_nowhere_without_authentication() {
    if peer("nmap").is_none() {
        return;
    }
    let place = Submission::start();
    for listener in [STARTTLS, IMPLICIT] {
        let said = scan(&place.server, place.server.address(listener));
        let closed = "smtp-open-relay: Server isn't an open relay, authentication needed";
        says(&said, &[closed, "Couldn't perform user enumeration, authentication needed", NO_EXIM]);
    }
    place.server.told(&["status"]);
}

/// So that it is known that nmap would have found something.
#[test]
fn nmap_finds_the_relay_and_the_users_that_an_operator_opens() {
    if peer("nmap").is_none() {
        return;
    }
    let config = Site::PLAIN.replace("[domains]", "vrfy = true\n[domains]\nrelay-from = [\"127.0.0.0/8\"]");
    let server = Site::new(&config).start();
    let said = scan(&server, server.address(0));
    assert!(said.contains("smtp-open-relay: Server is an open relay"), "{said}");
    let found = said.split_once("smtp-enum-users:").unwrap_or_else(|| panic!("{said}")).1;
    assert!(found.contains("alice") && found.contains("bob"), "{said}");
}
