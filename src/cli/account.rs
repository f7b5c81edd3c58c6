//! An account in words: what came from where, what each sink said, what became of it.

use super::out::{count, printable, size, span};
use super::table::Table;
use crate::event::LedgerEntry;
use crate::intake::{Account, RecipientAccount};
use crate::mail::Timestamp;
use crate::transport::Outcome;
use std::io::{self, Write};

/// Everything, over many lines.
pub(super) fn full(account: &Account, now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}  {}  {}", account.id, account.state.as_str(), account.time)?;
    let mut facts = Table::default().indent(2);
    let mut fact = |name: &str, text: String| facts.row([name.to_owned(), printable(&text)]);
    fact("came", came(account));
    if let Some(sender) = &account.sender {
        fact("from", sender.to_string());
    }
    for (n, recipient) in account.recipients.iter().enumerate() {
        fact(if n == 0 { "to" } else { "" }, recipient_text(recipient, now));
    }
    if account.require_tls {
        fact("asks", "REQUIRETLS: verified TLS on all of the way".to_owned());
    }
    if let Some(octets) = account.size {
        fact("size", size(octets));
    }
    if let Some(reason) = &account.hold {
        fact("held", reason.clone());
    }
    if let Some(waits) = &account.waits {
        fact("waits", waits.clone());
    }
    if let Some(reply) = &account.reply {
        fact("told", reply.clone());
    }
    for (n, (sink, key, value)) in account.properties.iter().enumerate() {
        fact(if n == 0 { "noted" } else { "" }, format!("{sink}.{key} = {value}"));
    }
    let ledger = &account.ledger;
    for (n, child) in ledger.generated.iter().enumerate() {
        fact(if n == 0 { "made" } else { "" }, child.to_string());
    }
    for (n, part) in ledger.parts.iter().enumerate() {
        fact(if n == 0 { "split" } else { "" }, part.to_string());
    }
    fact(
        "sinks",
        match ledger.entries.len() {
            0 => "none was asked".to_owned(),
            n => format!("{} under generation {}", count(n as u64 + ledger.dropped, "call"), ledger.generation),
        },
    );
    facts.print(out)?;
    let mut calls = Table::default().right(&[3]).indent(4).one_line();
    ledger.entries.iter().for_each(|entry| calls.row(call(entry)));
    calls.print(out)?;
    if ledger.dropped > 0 {
        writeln!(out, "    and {} more that were not kept", ledger.dropped)?;
    }
    Ok(())
}

/// One line, and one for each call of a sink that was not just `next`.
pub(super) fn brief(account: &Account, out: &mut impl Write) -> io::Result<()> {
    let client = account.origin.client.map_or_else(|| account.origin.door.to_string(), |c| c.to_string());
    let sender = account.sender.as_ref().map_or_else(String::new, |s| format!("  {s} -> {}", recipients(account)));
    let why = reason(account).map_or_else(String::new, |why| format!("  {why}"));
    let line = format!("{}  {}  {:<9}  {client}{sender}{why}", account.time, account.id, account.state.as_str());
    writeln!(out, "{}", printable(&line))?;
    let mut calls = Table::default().right(&[3]).indent(4).one_line();
    account.ledger.entries.iter().filter(|entry| is_telling(entry)).for_each(|entry| calls.row(call(entry)));
    calls.print(out)
}

fn is_telling(entry: &LedgerEntry) -> bool {
    entry.verdict != "next" || !entry.edits.is_empty() || entry.fault.is_some()
}

/// The first recipient, and how many more there are.
pub(super) fn recipients(account: &Account) -> String {
    match account.recipients.as_slice() {
        [] => "nobody".to_owned(),
        [only] => only.path.to_string(),
        [first, more @ ..] => format!("{} +{}", first.path, more.len()),
    }
}

/// Why it is where it is, if that is known.
pub(super) fn reason(account: &Account) -> Option<String> {
    let of_one = || account.recipients.iter().find_map(|r| r.reason.clone().or_else(|| outcome(r)));
    account.hold.clone().or_else(|| account.waits.clone()).or_else(|| account.reply.clone()).or_else(of_one)
}

fn came(account: &Account) -> String {
    let origin = &account.origin;
    let mut text = format!("by {}", origin.door);
    if let Some(made) = &origin.made {
        text += &format!(" {}, of {}", made.by, made.parent);
    }
    if let Some(client) = origin.client {
        text += &format!(" from {client}");
    }
    for (name, value) in [
        ("named", origin.client_name.as_deref()),
        ("helo", origin.helo.as_deref()),
        ("user", origin.auth.as_deref()),
        ("over", origin.tls_version()),
        ("to listener", origin.listener.as_deref()),
    ] {
        text += &value.map_or_else(String::new, |value| format!(", {name} {value}"));
    }
    text + &origin.session.map_or_else(String::new, |id| format!(", session {id}"))
}

fn recipient_text(recipient: &RecipientAccount, now: Timestamp) -> String {
    let mut text = format!("{}  {}", recipient.path, recipient.state);
    if let Some(original) = &recipient.original {
        text += &format!(", was {original}");
    }
    if recipient.attempts > 0 {
        text += &format!(" after {}", count(recipient.attempts.into(), "attempt"));
    }
    if let Some(next) = recipient.next {
        let wait = next.since(now);
        text += &if wait.is_zero() { ", due now".to_owned() } else { format!(", next in {}", span(wait)) };
    }
    if let Some(reason) = &recipient.reason {
        text += &format!(": {reason}");
    }
    text + &outcome(recipient).map_or_else(String::new, |last| format!("; {last}"))
}

fn outcome(recipient: &RecipientAccount) -> Option<String> {
    let last = recipient.last.as_ref()?;
    // What another version has written is shown as it stands.
    let Ok(outcome) = serde_json::from_value::<Outcome>(last.clone()) else { return Some(last.to_string()) };
    let generation = last.get("generation").and_then(serde_json::Value::as_u64);
    Some(outcome.to_string() + &generation.map_or_else(String::new, |n| format!("; under generation {n}")))
}

/// Event, sink, verdict, time, and everything else there is to say.
fn call(entry: &LedgerEntry) -> [String; 5] {
    let mut rest = Vec::new();
    rest.extend(entry.about.as_ref().map(|about| about.to_string()).filter(|about| !about.is_empty()));
    rest.extend(entry.said.clone());
    if !entry.edits.is_empty() {
        rest.push(format!("edits: {}", entry.edits.join(", ")));
    }
    rest.extend(entry.fault.as_ref().map(|fault| format!("FAULT {fault}")));
    [
        entry.event.name().to_owned(),
        entry.sink.to_string(),
        entry.verdict.to_string(),
        format!("{} µs", entry.micros),
        printable(&rest.join("; ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn account() -> Account {
        let outcome = json!({"outcome": "deferred", "reply": {"code": 451, "text": "later"}, "remote": "mx.b.example", "generation": 4});
        serde_json::from_value(json!({
            "id": "0000000000007", "time": 1_000, "state": "queued",
            "origin": {"door": "smtp", "session": "0000000000006", "client": "192.0.2.1", "helo": "\u{1b}[2J"},
            "sender": "alice@example.com", "size": 2048,
            "recipients": [
                {"path": "bob@b.example", "original": "list@b.example", "state": "pending", "attempts": 2, "next": 61_000, "last": outcome},
                {"path": "eve@b.example", "state": "held", "reason": "looks odd"},
            ],
            "properties": {"tag": {"score": 5}},
            "ledger": {"generation": 3, "entries": [
                {"event": "in.mail", "sink": "access", "verdict": "next", "micros": 3},
                {"event": "in.rcpt", "sink": "policy", "verdict": "defer", "about": "bob@b.example", "said": "451 4.7.1 later",
                 "edits": ["property score"], "fault": "panic: oh", "micros": 1200},
            ], "dropped": 1},
        }))
        .unwrap()
    }

    fn text(print: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_whole_story() {
        let want = "\
0000000000007  queued  1970-01-01T00:00:01.000Z
  came   by smtp from 192.0.2.1, helo \\u{1b}[2J, session 0000000000006
  from   <alice@example.com>
  to     <bob@b.example>  pending, was <list@b.example> after 2 attempts, next in 1m; deferred: 451 later; said
         mx.b.example; under generation 4
         <eve@b.example>  held: looks odd
  size   2.0 KiB
  noted  tag.score = 5
  sinks  3 calls under generation 3
    in.mail  access  next      3 µs
    in.rcpt  policy  defer  1200 µs  bob@b.example; 451 4.7.1 later; edits: property score; FAULT panic: oh
    and 1 more that were not kept
";
        assert_eq!(text(|out| full(&account(), Timestamp(1_000), out)), want);
    }

    #[test]
    fn in_brief_only_what_tells() {
        let want = "\
1970-01-01T00:00:01.000Z  0000000000007  queued     192.0.2.1  <alice@example.com> -> <bob@b.example> +1  deferred: 451 later; said mx.b.example; under generation 4
    in.rcpt  policy  defer  1200 µs  bob@b.example; 451 4.7.1 later; edits: property score; FAULT panic: oh
";
        assert_eq!(text(|out| brief(&account(), out)), want);
    }
}
