//! Postfix's smtp-sink as a next hop with faults: it refuses, hangs up or takes its time wherever it can be told to.
//!
//! One server for all faults of a kind, with a domain and a smtp-sink for each.

use super::sink::Sink;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use mailsluice::intake::{Account, State};

/// What is said of each recipient in the account when smtp-sink has done its worst.
struct Fault {
    /// Of smtp-sink.
    options: &'static [&'static str],
    /// Code, status and text of the last reply.
    reply: (u64, &'static str, &'static str),
    /// What the note names: the command.
    at: &'static str,
}

const fn fault(options: &'static [&'static str], reply: (u64, &'static str, &'static str), at: &'static str) -> Fault {
    Fault { options, reply, at }
}

const SOFT: (u64, &str, &str) = (450, "4.3.0", "Error: command failed");
const HARD: (u64, &str, &str) = (500, "5.3.0", "Error: command failed");
const LEAVES: (u64, &str, &str) = (421, "4.0.0", "Server closing connection");
const GONE: (u64, &str, &str) = (451, "4.4.2", "the server closed the connection");

const PASSING: &[Fault] = &[
    fault(&["-r", "connect"], SOFT, "the greeting"),
    fault(&["-r", "ehlo"], SOFT, "the reply to EHLO"),
    fault(&["-r", "mail"], SOFT, "the reply to MAIL"),
    fault(&["-r", "rcpt"], SOFT, "the reply to RCPT"),
    fault(&["-r", "data"], SOFT, "the reply to DATA"),
    fault(&["-r", "."], SOFT, "the reply to the end of data"),
    fault(&["-r", ".", "-b", "452 4.2.2 Full"], (452, "4.2.2", "Full"), "the reply to the end of data"),
    fault(&["-q", "connect"], GONE, "the greeting"),
    fault(&["-q", "ehlo"], GONE, "the reply to EHLO"),
    fault(&["-q", "mail"], GONE, "the reply to MAIL"),
    fault(&["-q", "rcpt"], GONE, "the reply to RCPT"),
    fault(&["-q", "data"], GONE, "the reply to DATA"),
    fault(&["-q", "."], GONE, "the reply to the end of data"),
    fault(&["-Q", "connect"], LEAVES, "the greeting"),
    fault(&["-Q", "mail"], LEAVES, "the reply to MAIL"),
    fault(&["-Q", "rcpt"], LEAVES, "the reply to RCPT"),
    fault(&["-Q", "."], LEAVES, "the reply to the end of data"),
];

const LASTING: &[Fault] = &[
    fault(&["-f", "connect"], HARD, "the greeting"),
    fault(&["-f", "ehlo,helo"], HARD, "the reply to EHLO"),
    fault(&["-f", "mail"], HARD, "the reply to MAIL"),
    fault(&["-f", "rcpt"], HARD, "the reply to RCPT"),
    fault(&["-f", "data"], HARD, "the reply to DATA"),
    fault(&["-f", "."], HARD, "the reply to the end of data"),
    fault(&["-f", ".", "-B", "554 5.7.1 Spam"], (554, "5.7.1", "Spam"), "the reply to the end of data"),
];

/// What is no reason not to deliver: slow answers, few extensions, bad manners behind the end.
const HARMLESS: &[&[&str]] = &[
    &["-w", "1"],
    &["-W", ".:1"],
    &["-W", "connect:1"],
    &["-e"],
    &["-f", "ehlo"],
    &["-8", "-N", "-p", "-E"],
    &["-q", "quit"],
    &["-Q", "quit"],
    &["-f", "rset,quit"],
];

/// A smtp-sink for each row, and a server with a message on its way to each of them.
fn send<'a>(rows: impl Iterator<Item = &'a [&'a str]>) -> Option<(Vec<Sink>, Server, Vec<String>)> {
    let sinks = rows.map(Sink::start).collect::<Option<Vec<_>>>()?;
    let mut config = Site::PLAIN.replace("[domains]", "[domains]\nrelay-from = [\"127.0.0.0/8\"]");
    for (row, sink) in sinks.iter().enumerate() {
        config += &format!("[[route]]\ndomain = \"{row}.example\"\nto = {{ smtp = \"{}\" }}\n", sink.address);
    }
    let server = Site::new(&config).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let message = |row: usize| {
        let recipients = [format!("x@{row}.example"), format!("y@{row}.example")];
        let letter = format!("Subject: {row}\r\n\r\nx\r\n");
        client
            .deliver("alice@example.com", &recipients.each_ref().map(String::as_str), &letter)
            .must_be(250)
            .id()
            .to_owned()
    };
    let ids = (0..sinks.len()).map(message).collect();
    client.quit();
    Some((sinks, server, ids))
}

/// Waits until the message to this smtp-sink is in this state, with so many attempts.
fn tried(server: &Server, id: &str, options: &[&str], state: State, attempts: u32) -> Account {
    eventually(&format!("smtp-sink {options:?}: {state:?} after {attempts} attempts"), || {
        let all = |account: &Account| account.recipients.iter().all(|r| r.attempts == attempts);
        Some(server.account(id)).filter(|account| account.state == state && all(account))
    })
}

/// Checks what is said of both recipients.
#[track_caller]
fn check(account: &Account, fault: &Fault, outcome: &str) {
    let options = fault.options;
    assert_eq!(account.recipients.len(), 2);
    for recipient in &account.recipients {
        let last = recipient.last.as_ref().expect("an outcome");
        let (code, status, text) = fault.reply;
        assert_eq!(last["outcome"], outcome, "{options:?}: {last}");
        assert_eq!(last["reply"], serde_json::json!({ "code": code, "status": status, "text": text }), "{options:?}");
        assert!(last["note"].as_str().is_some_and(|note| note.contains(fault.at)), "{options:?}: {last}");
    }
}

#[test]
fn what_passes_is_waited_for_and_the_message_arrives_once_it_has_passed() {
    let Some((sinks, server, ids)) = send(PASSING.iter().map(|fault| fault.options)) else { return };
    for (fault, id) in PASSING.iter().zip(&ids) {
        let account = tried(&server, id, fault.options, State::Queued, 1);
        check(&account, fault, "deferred");
        assert!(account.recipients.iter().all(|r| r.next.is_some()), "{:?}: {account:?}", fault.options);
    }
    let sinks: Vec<_> = sinks.into_iter().map(|sink| sink.replace(&[])).collect();
    server.told(&["queue", "retry", "--all"]);
    for ((fault, id), sink) in PASSING.iter().zip(&ids).zip(&sinks) {
        tried(&server, id, fault.options, State::Delivered, 2);
        assert_eq!(sink.got(1).len(), 1, "{:?}: both at once, and once", fault.options);
    }
    assert!(!server.data_dir().join("mail/example.com/alice/new").exists(), "nobody is told of it");
}

#[test]
fn what_lasts_is_told_to_the_sender() {
    let Some((_sinks, server, ids)) = send(LASTING.iter().map(|fault| fault.options)) else { return };
    for (fault, id) in LASTING.iter().zip(&ids) {
        let account = tried(&server, id, fault.options, State::Failed, 1);
        check(&account, fault, "failed");
    }
    let reports = server.arrived("example.com", "alice", LASTING.len());
    let reports: Vec<_> = reports.iter().map(|report| String::from_utf8_lossy(report)).collect();
    assert_eq!(reports.len(), LASTING.len());
    for (fault, id) in LASTING.iter().zip(&ids) {
        let about = format!("X-Mailsluice-Id: {id}\n");
        let report = reports.iter().find(|report| report.contains(&about)).expect("a report for each");
        let (code, status, text) = fault.reply;
        let said = format!("Diagnostic-Code: smtp; {code} {status} {text}\n");
        assert_eq!(report.matches(&said).count(), 2, "{:?}: {report}", fault.options);
    }
}

#[test]
fn what_does_no_harm_does_not_keep_the_message() {
    let Some((sinks, server, ids)) = send(HARMLESS.iter().copied()) else { return };
    for ((options, id), sink) in HARMLESS.iter().zip(&ids).zip(&sinks) {
        tried(&server, id, options, State::Delivered, 1);
        assert_eq!(sink.got(1).len(), 1, "{options:?}: once");
    }
}
