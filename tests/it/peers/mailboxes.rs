//! Dovecot behind us: it takes our mail by LMTP, and what it took is read back over IMAP and POP3, octet for octet.

use super::dovecot::Dovecot;
use super::dsn::read_report;
use super::{added, letter, peer, python};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use mailsluice::intake::State;
use serde_json::json;
use std::net::SocketAddr;

const OVER_IMAP: &str = r#"
import imaplib, json, sys
ip, port, user = sys.argv[1:]
with imaplib.IMAP4(ip, int(port), timeout=60) as server:
    server.login(user, "secret")
    server.select("INBOX", readonly=True)
    status, told = server.fetch("1:*", "(BODY.PEEK[])")
    assert status == "OK", told
    # Each message is a pair; what closes the parenthesis is none.
    print(json.dumps([part[1].decode("latin-1") for part in told if isinstance(part, tuple)]))
"#;

/// poplib takes the line ends off; that they were right is seen over IMAP.
const OVER_POP3: &str = r#"
import json, poplib, sys
ip, port, user = sys.argv[1:]
server = poplib.POP3(ip, int(port), timeout=60)
server.user(user)
server.pass_("secret")
retrieved = [server.retr(number + 1)[1] for number in range(server.stat()[0])]
server.quit()
print(json.dumps([b"".join(line + b"\r\n" for line in lines).decode("latin-1") for lines in retrieved]))
"#;

/// What a user has, read with this script.
fn read(script: &str, at: SocketAddr, user: &str) -> Vec<Vec<u8>> {
    let program = peer("python3").expect("python3");
    let args = [&at.ip().to_string(), &at.port().to_string(), &format!("{user}@example.com")];
    let read = python(&program, script, &args.map(String::as_str), b"");
    // A character for each octet.
    let octets = |text: &str| text.chars().map(|c| u8::try_from(c).expect("an octet")).collect();
    read.as_array().expect("a list").iter().map(|m| octets(m.as_str().expect("a text"))).collect()
}

/// A server that hands its mail to Dovecot. It knows somebody whom Dovecot does not know.
fn server_before(lmtp: &str) -> Server {
    let users = Site::PLAIN.replace("\"bob\"", "\"bob\", \"full\", \"carol\"");
    Site::new(&format!("{users}\n[delivery]\nlocal = {{ lmtp = \"{lmtp}\" }}\n")).start()
}

/// Messages that are easily spoilt, by subject.
fn letters() -> Vec<(&'static str, Vec<u8>)> {
    let with = |subject: &'static str, body: &[u8]| {
        let header = format!("From: sender@client.example\r\nSubject: {subject}\r\n\r\n");
        (subject, [header.as_bytes(), body].concat())
    };
    let line = |first: &str| format!("{first}{}\r\n", "x".repeat(998 - first.len()));
    let high: Vec<u8> = (0x80..=0xff).chain(*b"\r\n").collect();
    vec![
        ("usual", letter("usual").into_bytes()),
        with("dots", b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n"),
        with("octets", &high.repeat(3)),
        with("longest", [line(""), line("."), line("..")].concat().as_bytes()),
        with("ends", b"\r\n\r\n \r\n\t\r\n\r\n"),
        with("empty", b""),
        with("large", line("0123456789").repeat(400).as_bytes()),
    ]
}

/// Sends a message as it is, which DATA can't: no dot is doubled.
fn send(client: &mut SmtpClient, sender: &str, recipients: &[&str], message: &[u8]) -> String {
    client.command(&format!("MAIL FROM:<{sender}> BODY=8BITMIME")).must_be(250);
    for recipient in recipients {
        client.command(&format!("RCPT TO:<{recipient}>")).must_be(250);
    }
    client.send(format!("BDAT {} LAST\r\n", message.len()).as_bytes());
    client.send(message);
    client.expect(250).id().to_owned()
}

/// Checks that each letter is there once, octet for octet, with what Dovecot and we put on top of it.
#[track_caller]
fn check(arrived: &[Vec<u8>]) {
    let letters = letters();
    assert_eq!(arrived.len(), letters.len());
    for (subject, sent) in letters {
        let same: Vec<_> = arrived.iter().filter_map(|message| message.strip_suffix(&sent[..])).collect();
        let [trace] = same[..] else { panic!("{subject}: {} came as they were sent", same.len()) };
        assert_eq!(added("", trace), ["Return-Path", "Received", "Received"], "{subject}");
    }
}

/// All letters to two who are there, read back both ways.
fn everything_comes_through(dovecot: &Dovecot, server: &Server) {
    let mut client = SmtpClient::greeted(server.address(0));
    for (_, letter) in letters() {
        send(&mut client, "sender@client.example", &["alice@example.com", "bob@example.com"], &letter);
    }
    client.quit();
    for user in ["alice", "bob"] {
        dovecot.await_mail(user, letters().len());
        check(&read(OVER_POP3, dovecot.pop3, user));
        check(&read(OVER_IMAP, dovecot.imap, user));
    }
}

#[test]
fn dovecot_takes_our_mail_at_its_socket() {
    let (Some(dovecot), Some(_)) = (Dovecot::start(), peer("python3")) else { return };
    let server = server_before(&format!("unix:{}", dovecot.socket().display()));
    everything_comes_through(&dovecot, &server);
}

#[test]
fn dovecot_takes_our_mail_by_tcp() {
    let (Some(dovecot), Some(_)) = (Dovecot::start(), peer("python3")) else { return };
    let server = server_before(&dovecot.lmtp.to_string());
    everything_comes_through(&dovecot, &server);
}

/// Of three, one does not exist, which RCPT tells, and one mailbox is full, which only the end of the message tells.
#[test]
fn dovecot_says_of_each_recipient_what_became_of_it() {
    let (Some(dovecot), Some(_)) = (Dovecot::start(), peer("python3")) else { return };
    let server = server_before(&format!("unix:{}", dovecot.socket().display()));
    let mut client = SmtpClient::greeted(server.address(0));
    let recipients = ["carol@example.com", "full@example.com", "bob@example.com"];
    let id = send(&mut client, "alice@example.com", &recipients, &letters()[0].1);
    client.quit();
    dovecot.await_mail("bob", 1);
    dovecot.await_mail("alice", 1);
    let account = eventually("the end of it", || Some(server.account(&id)).filter(|a| a.state == State::Failed));
    let told = account.recipients.iter().map(|r| {
        let last = r.last.as_ref().expect("an outcome");
        (r.attempts, last["reply"]["code"].as_u64().unwrap(), last["reply"]["status"].as_str().unwrap().to_owned())
    });
    let wanted = [(1, 550, "5.1.1"), (1, 552, "5.2.2"), (1, 250, "2.0.0")];
    assert_eq!(told.collect::<Vec<_>>(), wanted.map(|(n, code, status)| (n, code, status.to_owned())));
    let [report] = read(OVER_IMAP, dovecot.imap, "alice").try_into().expect("one report");
    let report = read_report(&report);
    let field = |block: usize, name: &str| report.status(block, name);
    assert_eq!(field(0, "X-Mailsluice-Id"), json!(id));
    for (block, who, status) in [(1, "carol", "5.1.1"), (2, "full", "5.2.2")] {
        assert_eq!(field(block, "Final-Recipient"), json!(format!("rfc822; {who}@example.com")));
        assert_eq!(field(block, "Action"), json!("failed"));
        assert_eq!(field(block, "Status"), json!(status));
    }
    assert_eq!(report.blocks(), 3, "bob has it, and nothing is told of him");
}
