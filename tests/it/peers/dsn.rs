//! Reports on the real way: a hop refuses, puts off or takes a message, and the sender's mail program, for which Python's `email`
//! stands, reads in the report what the sender asked for and what the hop said, field by field.

use super::{peer, python};
use crate::hop::Hop;
use crate::server::{Server, Site, messages_in};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use mailsluice::intake::Account;
use serde_json::{Value, json};
use std::time::Duration;

/// The same script as the tests of the composer use.
const READ: &str = include_str!("../../../src/transport/report/tests/read.py");

/// A report as Python reads it.
pub(super) struct Report(Value);

/// Reads a report; there must be a Python.
#[track_caller]
pub(super) fn read_report(octets: &[u8]) -> Report {
    let report = python(&peer("python3").expect("python3"), READ, &[], octets);
    assert_eq!(report["defects"], json!([]), "{report}");
    Report(report)
}

impl Report {
    /// A field of the status part: block 0 is about the message, the others are about recipients.
    pub(super) fn status(&self, block: usize, name: &str) -> Value {
        let fields = self.0["status"][block].as_array().unwrap_or_else(|| panic!("no block {block}: {}", self.0));
        fields.iter().find(|field| field[0] == name).map_or(Value::Null, |field| field[1].clone())
    }

    /// How many blocks the status part has.
    pub(super) fn blocks(&self) -> usize {
        self.0["status"].as_array().map_or(0, Vec::len)
    }

    /// Checks the dates against the account of the message, and everything else against what is wanted.
    #[track_caller]
    fn must_be(mut self, account: &Account, wanted: &Value) {
        for block in self.0["status"].as_array_mut().expect("blocks") {
            for field in block.as_array_mut().expect("fields") {
                let soon = || (0..600).map(|after| account.time.plus(Duration::from_secs(after)).rfc5322());
                let right = match field[0].as_str() {
                    Some("Arrival-Date") => field[1] == account.time.rfc5322(),
                    Some("Last-Attempt-Date") => soon().any(|date| field[1] == date),
                    Some("Will-Retry-Until") => field[1] == account.time.plus(DAYS * 5).rfc5322(),
                    _ => continue,
                };
                assert!(right, "accepted {}, but {field}", account.time.rfc5322());
                field[1] = json!("right");
            }
        }
        for (name, wanted) in wanted.as_object().expect("wanted fields") {
            assert_eq!(self.0[name], *wanted, "{name}");
        }
    }
}

const DAYS: Duration = Duration::from_secs(24 * 60 * 60);

const LETTER: &str = "From: alice@example.com\r\nSubject: Lunch\r\nMessage-ID: <1@client.example>\r\n\r\nAt noon?\r\n";

/// A server whose next hop says this to each message, and the report that alice gets on hers.
fn report(says: &'static str, mail: &str, recipients: &[&str]) -> Option<(Account, Report)> {
    peer("python3")?;
    let hop = Hop::start();
    let server = server_before(&hop);
    let mut client = SmtpClient::greeted(server.address(0));
    client.command(&format!("MAIL FROM:<alice@example.com> {mail}")).must_be(250);
    for recipient in recipients {
        client.command(&format!("RCPT TO:{recipient}")).must_be(250);
    }
    client.command("DATA").must_be(354);
    client.content(LETTER);
    let id = client.expect(250).id().to_owned();
    client.quit();
    let folder = server.data_dir().join("mail/example.com/alice/new");
    let reports = eventually("a report for alice", || {
        hop.at_once().into_iter().for_each(|arrival| arrival.answer(says));
        Some(messages_in(&folder)).filter(|messages| !messages.is_empty())
    });
    let [report] = reports.try_into().expect("one report");
    assert!(report.starts_with(b"Return-Path: <>\n"), "{}", String::from_utf8_lossy(&report));
    Some((server.account(&id), read_report(&report)))
}

fn server_before(hop: &Hop) -> Server {
    let domains = Site::PLAIN.replace("[domains]", "[domains]\nrelay-from = [\"127.0.0.0/8\"]");
    let queue = "[queue]\nretry = [\"1s\"]\nwarn-after = \"1s\"\n";
    Site::new(&format!("{domains}{queue}[delivery]\nsmart-host = \"{}\"\n", hop.address)).start()
}

/// What all reports have, with a subject and the types of the last two parts.
fn common(subject: &str, third: &str) -> Value {
    json!({
        "type": "multipart/report",
        "report_type": "delivery-status",
        "from": ["postmaster@mx.example.com"],
        "to": "alice@example.com",
        "subject": subject,
        "auto": "auto-replied",
        "types": ["text/plain", "message/delivery-status", third],
    })
}

/// The block about the message.
fn message(account: &Account, envid: Option<&str>) -> Value {
    let envid = envid.map(|envid| json!(["Original-Envelope-Id", envid]));
    let rest = [
        json!(["Reporting-MTA", "dns; mx.example.com"]),
        json!(["Received-From-MTA", "dns; client.example"]),
        json!(["Arrival-Date", "right"]),
        json!(["X-Mailsluice-Id", account.id.to_string()]),
    ];
    envid.into_iter().chain(rest).collect()
}

#[test]
fn a_refusal_is_reported_to_whom_it_was_asked_for_with_the_whole_message() {
    let says = "550-5.7.1 We don't\r\n550 5.7.1 want this";
    let bob = "<bob@far.example> NOTIFY=FAILURE ORCPT=rfc822;b+2Bob@example.org";
    let carol = "<carol@far.example> NOTIFY=NEVER";
    let Some((account, report)) = report(says, "RET=FULL ENVID=QQ+2B1", &[bob, carol]) else { return };
    let text = report.0["text"].as_str().unwrap();
    assert!(text.contains("<bob@far.example>") && !text.contains("carol"), "{text}");
    let fields = report.0["returned"][0].as_array().expect("the header of what is returned");
    let [received, rest @ ..] = &fields[..] else { panic!("nothing is returned: {}", report.0) };
    let id = account.id.to_string();
    assert!(received[0] == "Received" && received[1].as_str().unwrap().contains(&id), "{received}");
    let header = [["From", "alice@example.com"], ["Subject", "Lunch"], ["Message-ID", "<1@client.example>"]];
    assert_eq!(json!(rest), json!(header));
    assert_eq!(report.0["returned"][1].as_str().unwrap().trim_end(), "At noon?");
    let mut wanted = common("Not delivered: Lunch", "message/rfc822");
    wanted["status"] = json!([
        message(&account, Some("QQ+1")),
        [
            ["Original-Recipient", "rfc822; b+ob@example.org"],
            ["Final-Recipient", "rfc822; bob@far.example"],
            ["Action", "failed"],
            ["Status", "5.7.1"],
            ["Remote-MTA", "dns; [127.0.0.1]"],
            ["Diagnostic-Code", "smtp; 550-5.7.1 We don't 550 5.7.1 want this"],
            ["Last-Attempt-Date", "right"],
        ],
    ]);
    report.must_be(&account, &wanted);
}

#[test]
fn a_delay_is_reported_with_the_header_and_the_time_until_when_it_is_tried() {
    let bob = "<bob@far.example> NOTIFY=DELAY";
    let Some((account, report)) = report("451 4.3.2 Not now", "RET=HDRS", &[bob]) else { return };
    assert!(report.0["returned"].as_str().unwrap().contains("\nSubject: Lunch\n"), "{}", report.0);
    assert!(!report.0["returned"].as_str().unwrap().contains("noon"), "{}", report.0);
    let mut wanted = common("Delayed: Lunch", "text/rfc822-headers");
    wanted["status"] = json!([
        message(&account, None),
        [
            ["Final-Recipient", "rfc822; bob@far.example"],
            ["Action", "delayed"],
            ["Status", "4.3.2"],
            ["Remote-MTA", "dns; [127.0.0.1]"],
            ["Diagnostic-Code", "smtp; 451 4.3.2 Not now"],
            ["Last-Attempt-Date", "right"],
            ["Will-Retry-Until", "right"],
        ],
    ]);
    report.must_be(&account, &wanted);
}

/// The hop does not offer DSN, so that nobody will say more (RFC 3461 5.2.2).
#[test]
fn a_success_is_reported_as_relayed_where_the_hop_will_report_none() {
    let bob = "<bob@far.example> NOTIFY=SUCCESS";
    let Some((account, report)) = report("250 2.0.0 Taken", "", &[bob]) else { return };
    let mut wanted = common("Handed on: Lunch", "text/rfc822-headers");
    wanted["status"] = json!([
        message(&account, None),
        [
            ["Final-Recipient", "rfc822; bob@far.example"],
            ["Action", "relayed"],
            ["Status", "2.0.0"],
            ["Remote-MTA", "dns; [127.0.0.1]"],
            ["Diagnostic-Code", "smtp; 250 2.0.0 Taken"],
            ["Last-Attempt-Date", "right"],
        ],
    ]);
    report.must_be(&account, &wanted);
}
