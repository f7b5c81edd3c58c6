//! Postfix on both sides of us: it relays to us, and it is the next hop that we relay to.

use super::postfix::Postfix;
use super::{added, letter};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;

/// A Postfix that hands everything on to us.
fn relaying_to(server: &Server, transport: &str) -> Option<Postfix> {
    let port = server.address(0).port();
    Postfix::start(&format!("virtual_mailbox_domains =\ndefault_transport = {transport}:[127.0.0.1]:{port}"))
}

#[test]
fn postfix_relays_to_us() {
    let server = Site::new(Site::PLAIN).start();
    let Some(postfix) = relaying_to(&server, "smtp") else { return };
    let letter = letter("relayed");
    let mut client = SmtpClient::greeted(postfix.address());
    client.deliver("sender@client.example", &["alice@example.com", "bob@example.com"], &letter).must_be(250);
    client.quit();
    for user in ["alice", "bob"] {
        let [arrived] = server.arrived("example.com", user, 1).try_into().expect("one message");
        assert_eq!(added(&letter, &arrived), ["Return-Path", "Delivered-To", "Received", "Received"]);
    }
}

#[test]
fn postfix_hands_us_local_mail_and_hears_who_does_not_exist() {
    let server = Site::new(Site::PLAIN).start();
    let Some(postfix) = relaying_to(&server, "smtp") else { return };
    postfix.sendmail("sender@client.example", "alice@example.com", &letter("local"));
    postfix.sendmail("", "nobody@example.com", &letter("nobody"));
    let [arrived] = server.arrived("example.com", "alice", 1).try_into().expect("one message");
    assert!(String::from_utf8_lossy(&arrived).contains("Subject: local\n"));
    eventually("Postfix giving up on nobody@example.com", || {
        let log = postfix.log();
        log.lines().any(|l| l.contains("said: 550 5.1.1") && l.contains("status=bounced")).then_some(())
    });
}

#[test]
fn postfix_relays_to_us_by_lmtp() {
    let server = Site::new(&Site::PLAIN.replace("[domains]", "role = \"lmtp\"\n[domains]")).start();
    let Some(postfix) = relaying_to(&server, "lmtp:inet") else { return };
    let letter = letter("by-lmtp");
    let mut client = SmtpClient::greeted(postfix.address());
    client.deliver("sender@client.example", &["alice@example.com", "bob@example.com"], &letter).must_be(250);
    client.quit();
    for user in ["alice", "bob"] {
        let [arrived] = server.arrived("example.com", user, 1).try_into().expect("one message");
        assert_eq!(added(&letter, &arrived), ["Return-Path", "Delivered-To", "Received", "Received"]);
        assert!(String::from_utf8_lossy(&arrived).contains("with LMTP"), "RFC 3848");
    }
}

#[test]
fn postfix_is_our_next_hop() {
    let Some(postfix) = Postfix::start("virtual_mailbox_domains = dest.example") else { return };
    let relay = "[domains]\nrelay-to = [\"dest.example\"]\n[[route]]\ndomain = \"dest.example\"";
    let config = Site::PLAIN.replace("[domains]", relay.split_once("\n[[route]]").unwrap().0);
    let route = format!("\n[[route]]\ndomain = \"dest.example\"\nto = {{ smtp = \"{}\" }}\n", postfix.address());
    let server = Site::new(&(config + &route)).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let plain = letter("to-postfix");
    client.deliver("sender@client.example", &["carol@dest.example", "dave@dest.example"], &plain).must_be(250);
    for arrived in postfix.arrived(2) {
        let top = ["Return-Path", "X-Original-To", "Delivered-To", "Received", "Received"];
        assert_eq!(added(&plain, &arrived), top);
    }
    let international = letter("international");
    client.command("MAIL FROM:<jörg@müller.example> SMTPUTF8 BODY=8BITMIME").must_be(250);
    client.command("RCPT TO:<carol@dest.example>").must_be(250);
    client.command("DATA").must_be(354);
    client.content(&international);
    client.expect(250);
    client.quit();
    let arrived = postfix.arrived(3);
    let text = arrived.iter().map(|m| String::from_utf8_lossy(m)).find(|m| m.contains("Subject: international"));
    assert!(text.expect("it arrived").starts_with("Return-Path: <jörg@müller.example>\n"));
}
