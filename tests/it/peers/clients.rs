//! Foreign clients that send to us.

use super::{added, letter, peer, python, run};
use crate::server::{Server, Site};
use std::io::Write;
use std::process::Command;

/// What delivery to a Maildir puts on top of a message, in this order.
const TRACE: [&str; 3] = ["Return-Path", "Delivered-To", "Received"];

/// A server, a letter, and a file of it in the form that a client wants.
fn with_letter(subject: &str, form: impl Fn(&str) -> String) -> (Server, String, tempfile::NamedTempFile) {
    let server = Site::new(Site::PLAIN).start();
    let letter = letter(subject);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(form(&letter).as_bytes()).unwrap();
    (server, letter, file)
}

#[test]
fn swaks_sends_to_us() {
    let Some(swaks) = peer("swaks") else { return };
    // swaks makes CRLF out of LF, and puts one more behind the last line.
    let (server, letter, file) =
        with_letter("swaks", |letter| letter.strip_suffix("\r\n").unwrap().replace("\r\n", "\n"));
    let said = run(Command::new(swaks)
        .args(["--server", &server.address(0).to_string(), "--helo", "client.example"])
        .args(["--from", "sender@client.example", "--to", "alice@example.com,bob@example.com"])
        .arg("--data")
        .arg(format!("@{}", file.path().display())));
    assert!(said.contains("<-  250 2.0.0"), "{said}");
    for user in ["alice", "bob"] {
        let [arrived] = server.arrived("example.com", user, 1).try_into().expect("one message");
        assert_eq!(added(&letter, &arrived), TRACE);
    }
}

#[test]
fn swaks_is_told_who_does_not_exist() {
    let Some(swaks) = peer("swaks") else { return };
    let server = Site::new(Site::PLAIN).start();
    let output = Command::new(swaks)
        .args(["--server", &server.address(0).to_string(), "--helo", "client.example"])
        .args(["--from", "sender@client.example", "--to", "nobody@example.com"])
        .output()
        .expect("running swaks");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(24), "swaks says 24 when no recipient was accepted\n{said}");
    assert!(said.contains("<** 550 5.1.1"), "{said}");
}

#[test]
fn curl_sends_to_us() {
    let Some(curl) = peer("curl") else { return };
    let (server, letter, file) = with_letter("curl", str::to_owned);
    run(Command::new(curl)
        .args(["--silent", "--show-error", "--max-time", "60"])
        .arg("--url")
        .arg(format!("smtp://{}/client.example", server.address(0)))
        .args(["--mail-from", "sender@client.example", "--mail-rcpt", "alice@example.com", "--upload-file"])
        .arg(file.path()));
    let [arrived] = server.arrived("example.com", "alice", 1).try_into().expect("one message");
    assert_eq!(added(&letter, &arrived), TRACE);
}

const SMTP: &str = r#"
import json, smtplib, sys
letter = sys.stdin.buffer.read()
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example", timeout=60) as server:
    server.ehlo()
    refused = server.sendmail(
        "jörg@müller.example", ["alice@example.com", "nobody@example.com", "bob+lists@example.com"], letter,
        mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    features = sorted(server.esmtp_features)
print(json.dumps({"features": features, "refused": {who: code for who, (code, text) in refused.items()}}))
"#;

#[test]
fn python_sends_eight_bits_and_an_international_sender_to_those_who_exist() {
    let Some(program) = peer("python3") else { return };
    let server = Site::new(Site::PLAIN).start();
    let letter = letter("smtplib");
    let port = server.address(0).port().to_string();
    let told = python(&program, SMTP, &[&port], letter.as_bytes());
    assert_eq!(told["refused"], serde_json::json!({ "nobody@example.com": 550 }));
    for feature in ["8bitmime", "chunking", "dsn", "enhancedstatuscodes", "pipelining", "size", "smtputf8"] {
        assert!(told["features"].as_array().unwrap().iter().any(|f| f == feature), "{feature} in {told}");
    }
    for user in ["alice", "bob"] {
        let [arrived] = server.arrived("example.com", user, 1).try_into().expect("one message");
        assert_eq!(added(&letter, &arrived), TRACE);
        let text = String::from_utf8(arrived).unwrap();
        assert!(text.starts_with("Return-Path: <jörg@müller.example>\n"), "{text}");
        assert!(text.contains("with UTF8SMTP"), "RFC 6531 4.3: {text}");
    }
}

/// `sendmail` of smtplib's LMTP reads one reply and takes it for all recipients, so the script reads them itself.
const LMTP: &str = r#"
import json, smtplib, sys
letter = sys.stdin.buffer.read()
with smtplib.LMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example") as server:
    server.ehlo()
    codes = [server.mail("sender@client.example")[0]]
    codes += [server.rcpt(name + "@example.com")[0] for name in ["alice", "nobody", "bob"]]
    codes += [server.data(letter)[0], server.getreply()[0]]
print(json.dumps(codes))
"#;

#[test]
fn python_hears_of_each_recipient_over_lmtp() {
    let Some(program) = peer("python3") else { return };
    let server = Site::new(&Site::PLAIN.replace("[domains]", "role = \"lmtp\"\n[domains]")).start();
    let letter = letter("lmtp");
    let port = server.address(0).port().to_string();
    let codes = python(&program, LMTP, &[&port], letter.as_bytes());
    assert_eq!(codes, serde_json::json!([250, 250, 550, 250, 250, 250]));
    for user in ["alice", "bob"] {
        let [arrived] = server.arrived("example.com", user, 1).try_into().expect("one message");
        assert_eq!(added(&letter, &arrived), TRACE);
    }
}

#[test]
fn two_hundred_messages_from_smtp_source_arrive() {
    let Some(source) = peer("smtp-source") else { return };
    let server = Site::new(Site::PLAIN).start();
    run(Command::new(source)
        .args(["-d", "-s", "10", "-m", "200", "-l", "4000", "-M", "client.example"])
        .args(["-f", "sender@client.example", "-t", "alice@example.com"])
        .arg(server.address(0).to_string()));
    let arrived = server.arrived("example.com", "alice", 200);
    let ids: std::collections::BTreeSet<_> = arrived.iter().map(|m| message_id(m)).collect();
    assert_eq!((arrived.len(), ids.len()), (200, 200), "each exactly once");
}

fn message_id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let field = text.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
    field.unwrap_or_else(|| panic!("no Message-ID in {text}")).to_owned()
}
