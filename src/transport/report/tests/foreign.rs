//! Reports as Python's `email` reads them.
//!
//! Without Python the test does nothing but say so, unless `MAILSLUICE_REQUIRE_PEERS` is set: then it fails.

use super::super::Action;
use super::*;
use crate::mail::{OriginalRecipient, Ret};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// What Python reads; none if it is not there.
fn read(case: &Case) -> Option<Value> {
    let mut command = Command::new("python3");
    command.args(["-I", "-c", include_str!("read.py")]).env("PYTHONIOENCODING", "utf-8");
    let mut child = match command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            let required = std::env::var_os("MAILSLUICE_REQUIRE_PEERS").is_some();
            assert!(!required, "absent peer: python3: {error} (run `make peers`)");
            writeln!(std::io::stderr(), "absent peer: python3").unwrap();
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(&case.octets()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut read: Value = serde_json::from_slice(&output.stdout).unwrap();
    // People's text is another test's subject; that it is there is enough here.
    let text = read.as_object_mut().unwrap().remove("text").unwrap();
    for recipient in &case.envelope.recipients {
        assert!(text.as_str().unwrap().contains(&format!("<{}>", recipient.path.as_str())), "{text}");
    }
    Some(read)
}

#[test]
fn a_failure_with_all_that_there_is() {
    let reply = Reply::foreign(550, Some(EnhancedCode(5, 7, 1)), "We don't\nAction: delivered\nwant this");
    let mut case = Case::new(LETTER).told("bob@example.net", Action::Failed, reply);
    case.envelope.ret = Some(Ret::Full);
    case.envelope.envid = Some("QQ+2B1".to_owned());
    case.envelope.recipients[0].orcpt =
        Some(OriginalRecipient { kind: "rfc822".to_owned(), address: "b+2Bob@example.org".to_owned() });
    let wanted = json!({
        "type": "multipart/report",
        "report_type": "delivery-status",
        "from": ["postmaster@mx.example.com"],
        "to": "alice@example.com",
        "subject": "Not delivered: Lunch",
        "date": "2023-11-15T03:13:20+00:00",
        "auto": "auto-replied",
        "types": ["text/plain", "message/delivery-status", "message/rfc822"],
        "status": [
            [
                ["Original-Envelope-Id", "QQ+1"],
                ["Reporting-MTA", "dns; mx.example.com"],
                ["Received-From-MTA", "dns; client.example"],
                ["Arrival-Date", "Tue, 14 Nov 2023 22:13:20 +0000"],
                ["X-Mailsluice-Id", "0000000000001"],
            ],
            [
                ["Original-Recipient", "rfc822; b+ob@example.org"],
                ["Final-Recipient", "rfc822; bob@example.net"],
                ["Action", "failed"],
                ["Status", "5.7.1"],
                ["Remote-MTA", "dns; mx.example.net"],
                ["Diagnostic-Code", "smtp; 550-5.7.1 We don't 550-5.7.1 Action: delivered 550 5.7.1 want this"],
                ["Last-Attempt-Date", "Wed, 15 Nov 2023 02:13:20 +0000"],
            ],
        ],
        "returned": [
            [
                ["Received", "from client.example by mx.example.com; Tue, 14 Nov 2023 22:13:20 +0000"],
                ["From", "alice@example.com"],
                ["Subject", "Lunch"],
                ["Message-ID", "<1@client.example>"],
            ],
            "At noon?\r\n",
        ],
        "defects": [],
    });
    read(&case).into_iter().for_each(|read| assert_eq!(read, wanted));
}

#[test]
fn a_delay_and_a_success_in_plain_characters() {
    let mut case = Case::new(&b"Subject: caf\xc3\xa9\r\n\r\nx\r\n"[..])
        .told("bøb@example.net", Action::Delayed, Reply::foreign(451, None, "spüter"))
        .told("carol@example.net", Action::Delivered, Reply::foreign(250, None, "ok"));
    case.origin.helo = None;
    case.abouts[1].remote = None;
    let wanted = json!({
        "type": "multipart/report",
        "report_type": "delivery-status",
        "from": ["postmaster@mx.example.com"],
        "to": "alice@example.com",
        "subject": "Delayed: café",
        "date": "2023-11-15T03:13:20+00:00",
        "auto": "auto-replied",
        "types": ["text/plain", "message/delivery-status", "text/rfc822-headers"],
        "status": [
            [
                ["Reporting-MTA", "dns; mx.example.com"],
                ["Arrival-Date", "Tue, 14 Nov 2023 22:13:20 +0000"],
                ["X-Mailsluice-Id", "0000000000001"],
            ],
            [
                ["Final-Recipient", "utf-8; b\\x{F8}b@example.net"],
                ["Action", "delayed"],
                ["Status", "4.0.0"],
                ["Remote-MTA", "dns; mx.example.net"],
                ["Diagnostic-Code", "smtp; 451 sp\\x{FC}ter"],
                ["Last-Attempt-Date", "Wed, 15 Nov 2023 02:13:20 +0000"],
                ["Will-Retry-Until", "Sun, 19 Nov 2023 22:13:20 +0000"],
            ],
            [
                ["Final-Recipient", "rfc822; carol@example.net"],
                ["Action", "delivered"],
                ["Status", "2.0.0"],
                ["Diagnostic-Code", "smtp; 250 ok"],
                ["Last-Attempt-Date", "Wed, 15 Nov 2023 02:13:20 +0000"],
            ],
        ],
        "returned": "Subject: café\r\n",
        "defects": [],
    });
    read(&case).into_iter().for_each(|read| assert_eq!(read, wanted));
}

#[test]
fn an_international_failure() {
    let mut case = Case::new("From: älice@example.com\r\nSubject: Grüße\r\n\r\nx\r\n").told(
        "bøb@example.net",
        Action::Failed,
        Reply::foreign(550, None, "nö"),
    );
    case.envelope.sender = ReversePath::parse("älice@example.com").unwrap();
    case.envelope.ret = Some(Ret::Full);
    let wanted = json!({
        "type": "multipart/report",
        "report_type": "global-delivery-status",
        "from": ["postmaster@mx.example.com"],
        "to": "älice@example.com",
        "subject": "Not delivered: Grüße",
        "date": "2023-11-15T03:13:20+00:00",
        "auto": "auto-replied",
        "types": ["text/plain", "message/global-delivery-status", "message/global"],
        "status": [
            [
                ["Reporting-MTA", "dns; mx.example.com"],
                ["Received-From-MTA", "dns; client.example"],
                ["Arrival-Date", "Tue, 14 Nov 2023 22:13:20 +0000"],
                ["X-Mailsluice-Id", "0000000000001"],
            ],
            [
                ["Final-Recipient", "utf-8; bøb@example.net"],
                ["Action", "failed"],
                ["Status", "5.0.0"],
                ["Remote-MTA", "dns; mx.example.net"],
                ["Diagnostic-Code", "smtp; 550 nö"],
                ["Last-Attempt-Date", "Wed, 15 Nov 2023 02:13:20 +0000"],
            ],
        ],
        "returned": [[["From", "älice@example.com"], ["Subject", "Grüße"]], "x\r\n"],
        "defects": [],
    });
    read(&case).into_iter().for_each(|read| assert_eq!(read, wanted));
}
