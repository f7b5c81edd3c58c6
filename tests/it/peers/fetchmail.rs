//! fetchmail asks for the mail of its domain by ETRN (RFC 1985).
//!
//! Its other way to turn a queue, ODMR, is not tried: it authenticates with CRAM-MD5 alone, which is not offered here.

use super::peer;
use crate::hop::Hop;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const ETRN: &str = "[[sink]]\nname = 'etrn'\nnative = 'etrn'\n[sink.config]\n\
    allow = [{ domains = ['example.net', 'example.org'], clients = ['127.0.0.0/8'] }]\n[sink.allow]\nqueue = true\n";

/// fetchmail asks for these domains; its exit status, and what it said.
fn fetch(server: &Server, domain: &str) -> (Option<i32>, String) {
    let port = server.address(0).port();
    let poll = format!("poll 127.0.0.1 service {port} proto ETRN no dns timeout 60 fetchdomains \"{domain}\"\n");
    server.write("fetchmailrc", &poll);
    set_permissions(server.path("fetchmailrc"), Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(peer("fetchmail").expect("fetchmail"));
    command.args(["-v", "--nosyslog", "-f"]).arg(server.path("fetchmailrc"));
    // It writes beside these, and nowhere else.
    command.arg("--pidfile").arg(server.path("fetchmail.pid")).arg("-i").arg(server.path("fetchids"));
    let output = command.env("HOME", server.path("")).output().expect("running fetchmail");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn fetchmail_starts_the_queue() {
    if peer("fetchmail").is_none() {
        return;
    }
    let hop = Hop::start();
    let config = Site::PLAIN.replace("[domains]", "[domains]\nrelay-to = ['example.net', 'example.org']");
    let route = format!("\n[[route]]\ndomain = '*'\nto = {{ smtp = '{}' }}\n", hop.address);
    let site = Site::new(&(config + &route));
    site.write("sinks.toml", ETRN);
    let server = site.start();
    let mut client = SmtpClient::greeted(server.address(0));
    let accepted = client.deliver("bob@client.example", &["carol@example.net"], "Subject: x\r\n\r\nwaited\r\n");
    client.quit();
    hop.next().answer("451 4.7.1 later");
    eventually("the deferral", || server.account(accepted.id()).recipients[0].attempts.checked_sub(1));
    assert!(hop.at_once().is_none());

    let (_, said) = fetch(&server, "example.org");
    assert!(said.contains("ETRN example.org") && said.contains("251 2.0.0 OK, no messages waiting"), "{said}");
    assert!(hop.at_once().is_none());
    let (status, said) = fetch(&server, "example.net");
    assert!(said.contains("253 2.0.0 OK, 1 pending messages for node example.net started"), "{status:?}: {said}");
    let again = hop.next();
    assert!(again.message.contains("waited"));
    again.answer("250 ok");
    server.logged("queue started for example.net");
    // It may ask for what is its own.
    let (_, said) = fetch(&server, "example.com");
    assert!(said.contains("459 4.7.1 Node example.com not allowed"), "{said}");
}
