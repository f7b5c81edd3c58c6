//! Killed with SIGKILL at random moments while a next hop takes mail for one recipient and refuses the other: of each acknowledged
//! message the one has it, and the sender, who has a mailbox here, has one report of the other, and no second one.
//!
//! `MAILSLUICE_CRASHES` is heeded as in `crash`.

use crate::crash::{Shared, crashes, kill_while_sending};
use crate::hop::Hop;
use crate::server::{Server, Site, messages_in};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// Sends a message from a user here to two recipients at the next hop, one of whom it does not know.
fn send_elsewhere(shared: &Shared, smtp: &mut SmtpClient, id: &str, _: u64) -> io::Result<()> {
    smtp.try_send(
        b"MAIL FROM:<alice@example.com>\r\nRCPT TO:<x@uni.example>\r\nRCPT TO:<gone@uni.example>\r\nDATA\r\n",
    )?;
    for code in [250, 250, 250, 354] {
        smtp.try_reply()?.must_be(code);
    }
    smtp.try_send(format!("Subject: {id}\r\n\r\nx\r\n.\r\n").as_bytes())?;
    smtp.try_reply()?.must_be(250);
    shared.acknowledged.lock().unwrap().insert(id.to_owned());
    Ok(())
}

/// A site whose mail for elsewhere goes to this hop, and is tried again soon.
fn site(hop: &Hop) -> Site {
    let route = format!("[[route]]\ndomain = \"uni.example\"\nto = {{ smtp = \"{}\" }}\n", hop.address);
    let config = Site::PLAIN.replace("[recipients]", "relay-to = [\"uni.example\"]\n[recipients]");
    Site::new(&format!("{config}{route}[queue]\nretry = [\"1s\"]\n"))
}

/// Takes what comes until it is over, and says how often each message came.
fn take(hop: &Hop, over: &AtomicBool) -> BTreeMap<String, u64> {
    let mut taken = BTreeMap::new();
    while !over.load(SeqCst) {
        match hop.at_once() {
            Some(arrival) => {
                *taken.entry(last(&arrival.message, "Subject: ")).or_default() += 1;
                arrival.answer("250 mine");
            }
            None => std::thread::park_timeout(Duration::from_millis(1)),
        }
    }
    taken
}

/// What stands behind a field's name, the last time that it stands at the start of a line: in a report, that of the message.
fn last(message: &str, name: &str) -> String {
    message.lines().filter_map(|line| line.strip_prefix(name)).next_back().expect("the field").to_owned()
}

/// The reports in the sender's mailbox: by the message that each is about, its own id and how often it is there.
fn reports(server: &Server) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut reports = BTreeMap::<String, BTreeMap<String, u64>>::new();
    for file in messages_in(&server.data_dir().join("mail/example.com/alice/new")) {
        let text = String::from_utf8(file).expect("text");
        assert!(text.starts_with("Return-Path: <>\n"), "{text}");
        for line in ["Final-Recipient: rfc822; gone@uni.example", "Action: failed", "Status: 5.1.1"] {
            assert_eq!(text.matches(&format!("\n{line}\n")).count(), 1, "{line}: {text}");
        }
        assert_eq!(text.matches("\nFinal-Recipient: ").count(), 1, "{text}");
        let about = reports.entry(last(&text, "Subject: ")).or_default();
        *about.entry(last(&text, "Message-ID: ")).or_default() += 1;
    }
    reports
}

#[test]
fn who_is_refused_while_the_server_is_killed_is_reported_once() {
    let (hop, over) = (Hop::start(), Arc::new(AtomicBool::new(false)));
    let (site, shared) = (site(&hop), Arc::new(Shared::default()));
    let until = over.clone();
    let taking = std::thread::spawn(move || take(&hop, &until));
    let server = kill_while_sending(site, &shared, send_elsewhere).start();
    let acknowledged: BTreeSet<String> = std::mem::take(&mut *shared.acknowledged.lock().unwrap());
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    eventually("the reports of every acknowledged message", || {
        let reports = reports(&server);
        acknowledged.iter().all(|id| reports.contains_key(id)).then_some(())
    });
    eventually("an empty queue", || (server.status().queue.messages == 0).then_some(()));
    over.store(true, SeqCst);
    let taken = taking.join().expect("the next hop");
    let reports = reports(&server);
    let lost: Vec<_> = acknowledged.iter().filter(|id| !taken.contains_key(*id)).collect();
    assert!(lost.is_empty(), "the next hop lacks {lost:?}");
    // A crash between a delivery and its record makes one more copy, of the message as of the report; but no second report.
    let copies = reports.values().flat_map(BTreeMap::values).chain(taken.values()).max().copied().unwrap_or(0);
    assert!(copies <= crashes() + 1, "{copies} copies of one message");
    let repeated: Vec<_> = reports.iter().filter(|(_, by)| by.len() > 1).collect();
    assert!(repeated.is_empty(), "reported more than once: {repeated:?}");
    println!("{} acknowledged, {} taken, {} reported", acknowledged.len(), taken.len(), reports.len());
}
