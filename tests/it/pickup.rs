//! The pickup directory of a running server.

use crate::server::{Server, Site};
use crate::wait::eventually;
use std::fs;

const ON: &str = "[pickup]\ndirectory = \"pickup\"\n";

fn start(more: &str) -> Server {
    let server = Site::new(&format!("{}{ON}{more}", Site::PLAIN)).start();
    eventually("the directory", || server.path("var/pickup").is_dir().then_some(()));
    server
}

/// Moves a file in, as programs should.
fn put(site: &Site, name: &str, text: &str) {
    site.write(&format!("var/{name}.new"), text);
    fs::rename(site.path(&format!("var/{name}.new")), site.path(&format!("var/pickup/{name}"))).unwrap();
}

fn is_empty(site: &Site) -> bool {
    fs::read_dir(site.path("var/pickup")).unwrap().next().is_none()
}

#[test]
fn a_file_that_is_moved_in_arrives_and_goes() {
    let server = start("");
    put(&server, "a", "x-sender: <carol@client.example>\nx-receiver: bob\nx-receiver: alice\nSubject: x\n\nbody\n");
    for user in ["alice", "bob"] {
        let [message] = server.arrived("example.com", user, 1).try_into().expect("one message");
        let text = String::from_utf8(message).unwrap();
        assert!(text.starts_with("Return-Path: <carol@client.example>\n"), "{text}");
        for part in ["\nSubject: x\n", "\nFrom: carol@client.example\n", "\nDate: ", "\nMessage-ID: <", "\n\nbody\n"] {
            assert!(text.contains(part), "{part:?}\n{text}");
        }
        assert!(!text.to_lowercase().contains("x-receiver"), "{text}");
    }
    eventually("the removal", || is_empty(&server).then_some(()));
    let told = server.told(&["why", "--recipient", "bob@*"]);
    assert!(told.contains("pickup"), "{told}");
}

#[test]
fn a_file_that_was_written_in_place_is_waited_for() {
    let server = start("");
    fs::write(server.path("var/pickup/a.eml"), "From: carol\nTo: bob\nBcc: alice\n\nbody\n").unwrap();
    for user in ["alice", "bob"] {
        let [message] = server.arrived("example.com", user, 1).try_into().expect("one message");
        assert!(!String::from_utf8(message).unwrap().contains("Bcc"));
    }
}

#[test]
fn what_a_sink_refuses_goes_to_badmail() {
    let site = Site::new(&format!("{}{ON}", Site::PLAIN));
    site.write(
        "sinks.toml",
        "[[sink]]\nname = \"house\"\nnative = \"policy\"\n[[sink.config.rule]]\nevent = \"transport.submit\"\n\
        when = { door = \"pickup\", header = { Subject = \"*casino*\" } }\nreject = \"We don't gamble\"\n",
    );
    let server = site.start();
    eventually("the directory", || server.path("var/pickup").is_dir().then_some(()));
    put(&server, "bet.eml", "From: carol\nTo: bob\nSubject: casino\n\n");
    let note = eventually("the note", || {
        let note = fs::read_to_string(server.path("var/badmail/bet.eml.txt")).ok()?;
        is_empty(&server).then_some(note)
    });
    let id = note.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')')).expect(&note).0;
    assert!(note.contains("\nReason: 550 5.7.1 We don't gamble ("), "{note}");
    assert!(server.told(&["why", id]).contains("  refused  "));
    assert!(fs::read_to_string(server.path("var/badmail/bet.eml")).unwrap().contains("Subject: casino"));
}

#[test]
fn what_one_server_drops_another_picks_up() {
    let server = start("[[route]]\ndomain = \"far.example\"\nto = { drop = \"drop\" }\n");
    let output = server.cli_with(&["send", "-f", "carol", "x@far.example"], b"Subject: far\n\nbody\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dropped = eventually("the drop", || {
        let mut names = fs::read_dir(server.path("var/drop")).ok()?.map(|item| item.unwrap().path());
        names.find(|path| path.extension().is_some_and(|e| e == "eml"))
    });
    let text = fs::read_to_string(&dropped).unwrap();
    put(&server, "back.eml", &text.replace("X-Receiver: x@far.example", "X-Receiver: bob@example.com"));
    let [message] = server.arrived("example.com", "bob", 1).try_into().expect("one message");
    let message = String::from_utf8(message).unwrap();
    assert!(message.starts_with("Return-Path: <carol@example.com>\n") && message.contains("\nSubject: far\n"));
    assert_eq!(message.matches("\nMessage-ID: ").count(), 1);
}

#[test]
fn what_waits_while_the_server_is_away_is_sent_at_the_next_start() {
    let site = start("").stop();
    put(&site, "a.eml", "From: carol\nTo: bob\n\n");
    let server = site.start();
    assert_eq!(server.arrived("example.com", "bob", 1).len(), 1);
    eventually("the removal", || is_empty(&server).then_some(()));
    let server = server.kill().start();
    assert_eq!(server.arrived("example.com", "bob", 1).len(), 1, "sent again");
}
