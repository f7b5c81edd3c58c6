//! Whoever has a ticket comes in, and as whom.

use super::client::{Initiator, login, session};
use super::{CONFIG, Realm, server, site};
use crate::peers::{peer, run};
use std::process::Command;

/// No security layer, and nobody else.
const PLAIN: &[u8] = &[1, 0, 0, 0];

#[test]
fn a_ticket_is_as_good_as_a_password() {
    let Some(realm) = Realm::start() else { return };
    let server = server(&realm, CONFIG);
    let mut client = session(&server);
    assert_eq!(Initiator::of(&realm, "alice").exchange(&mut client, "AUTH GSSAPI", PLAIN), 235);
    client.command("MAIL FROM:<bob@example.com>").must_be(553);
    client.command("MAIL FROM:<alice@example.com>").must_be(250);
    server.logged("mechanism=GSSAPI user=alice");
    // The user's own names, with and without the realm, name nobody else.
    for choice in [&b"\x01\0\0\0alice"[..], b"\x01\0\0\0alice@EXAMPLE.COM"] {
        assert_eq!(login(&realm, &server, "alice", choice), 235);
    }
}

#[test]
fn without_a_user_file_the_realm_says_who_there_is() {
    let Some(realm) = Realm::start() else { return };
    let config = CONFIG.replace("users = \"accounts\"\n", "");
    let server = site(&realm, &config).start();
    assert_eq!(login(&realm, &server, "dave", PLAIN), 235);
    server.logged("mechanism=GSSAPI user=dave@EXAMPLE.COM");
}

#[test]
fn x_exps_stands_for_it() {
    let Some(realm) = Realm::start() else { return };
    let site = site(&realm, &format!("manifest = \"sinks.toml\"\n{CONFIG}"));
    site.write("sinks.toml", "[[sink]]\nname = 'x'\nnative = 'x-exps'\n[sink.config]\nmechanisms = ['GSSAPI']\n");
    site.write("accounts", &super::accounts());
    let server = site.start();
    let mut client = crate::smtp_client::SmtpClient::greeted(server.address(0));
    let told = client.command("EHLO client.example");
    for keyword in ["AUTH GSSAPI", "X-EXPS GSSAPI"] {
        assert!(told.lines.iter().any(|line| line == keyword), "{keyword}: {told:?}");
    }
    assert_eq!(Initiator::of(&realm, "alice").exchange(&mut client, "X-EXPS GSSAPI", PLAIN), 235);
}

#[test]
fn msmtp_logs_in_and_sends() {
    let Some(realm) = Realm::start() else { return };
    let Some(msmtp) = peer("msmtp") else { return };
    let server = server(&realm, CONFIG);
    let letter = realm.path("letter");
    std::fs::write(&letter, "Subject: by a ticket\n\nHello.\n").unwrap();
    run(Command::new(msmtp)
        .args(["--host=localhost", "--auth=gssapi", "--user=alice", "--tls=off", "--from=alice@example.com"])
        .arg(format!("--port={}", server.address(0).port()))
        .arg("bob@example.com")
        .stdin(std::fs::File::open(letter).unwrap())
        .envs(realm.environment())
        .env("KRB5CCNAME", realm.tickets_of("alice")));
    let arrived = server.arrived("example.com", "bob", 1);
    let text = String::from_utf8_lossy(&arrived[0]);
    assert!(text.contains("ESMTPA") && text.contains("Subject: by a ticket"), "{text}");
}
