//! The command line against a running server, through the real binary.

use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use serde_json::Value;
use std::process::Output;

const SINKS: &str = r#"
[[sink]]
name = "house"
native = "policy"
[[sink.config.rule]]
event = "transport.submit"
when = { header = { Subject = "*casino*" } }
reject = "We don't gamble"
[[sink.config.rule]]
event = "transport.submit"
when = { header = { Subject = "*hold*" } }
hold = "looks odd"
"#;

fn start() -> Server {
    let site = Site::new(Site::PLAIN);
    site.write("sinks.toml", SINKS);
    site.start()
}

/// What a verb printed, as JSON.
#[track_caller]
fn json(site: &Site, args: &[&str]) -> Value {
    let text = site.told(args);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}\n{text}"))
}

#[track_caller]
fn fails(output: &Output, code: i32, told: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(errors.contains(told), "{told}\n{errors}");
}

/// Sends a message and returns its id.
#[track_caller]
fn send(site: &Site, args: &[&str], message: &str) -> String {
    let output = site.cli_with(&[&["send"], args].concat(), message.as_bytes());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn without_a_server_each_verb_says_so() {
    let site = Site::new(Site::PLAIN);
    for verb in
        [&["status"][..], &["reload"], &["tail"], &["queue", "list"], &["why", "--since", "1h"], &["send", "bob"]]
    {
        fails(&site.cli(verb), 1, "the server does not run (no socket at ");
    }
    fails(&site.cli(&["queue", "remove"]), 2, "which messages?");
    fails(&site.cli(&["dance"]), 2, "unrecognized subcommand");
    fails(&site.cli(&["sink", "dance", "x"]), 2, "unrecognized subcommand");
}

#[test]
fn status_tells_what_scripts_rely_on() {
    let server = start();
    let mut client = SmtpClient::greeted(server.address(0));
    let status = json(&server, &["status", "--json"]);
    assert_eq!(
        (&status["generation"], &status["sessions"], &status["queue"]["messages"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert_eq!((&status["sinks"]["house"]["state"], &status["sinks"]["house"]["faults"]), (&"ok".into(), &0.into()));
    assert_eq!(status["listeners"][0]["address"], server.address(0).to_string());
    assert!(server.told(&["status"]).contains("sinks      1, all well"));
    client.command("NOOP").must_be(250);
    client.quit();
}

#[test]
fn a_sent_message_gets_what_it_lacks_and_arrives() {
    let server = start();
    let message = "From root Mon Nov 23\nTo: bob\nBcc: Alice <alice@example.com>\nSubject: x\n\nbody\n.\nnot sent\n";
    let id = send(&server, &["-t", "-f", "carol"], message);
    for user in ["alice", "bob"] {
        let [message] = server.arrived("example.com", user, 1).try_into().expect("one message");
        let text = String::from_utf8(message).unwrap();
        assert!(text.starts_with("Return-Path: <carol@example.com>\n"), "{text}");
        assert!(text.contains(&format!("with local id {id}")), "{text}");
        for part in ["\nFrom: carol@example.com\n", "\nDate: ", "\nMessage-ID: <", "\nSubject: x\n", "\n\nbody\n"] {
            assert!(text.contains(part), "{part:?}\n{text}");
        }
        assert!(!text.contains("Bcc") && !text.contains("not sent"), "{text}");
    }
    send(&server, &["-oi", "bob"], "Subject: dots\n\n.\nmore\n");
    let dots = server.arrived("example.com", "bob", 2);
    assert!(dots.iter().any(|message| message.ends_with(b"\n\n.\nmore\n")));
}

#[test]
fn why_tells_what_each_sink_said() {
    let server = start();
    let output = server.cli_with(&["send", "alice"], b"Subject: casino\n\n\n");
    fails(&output, 1, "550 5.7.1 We don't gamble (");
    let told = server.told(&["why", "--recipient", "alice@*"]);
    assert!(told.contains("  refused  ") && told.contains("transport.submit  house  reject"), "{told}");
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    let reply = client.command("RCPT TO:<nobody@example.com>").must_be(550);
    let refused = reply.id().to_owned();
    client.quit();
    let account = eventually("the refusal's account", || {
        let output = server.cli(&["why", &refused, "--json"]);
        serde_json::from_slice::<Value>(&output.stdout).ok()
    });
    assert_eq!((&account["id"], &account["origin"]["client"]), (&refused.as_str().into(), &"127.0.0.1".into()));
    assert!(server.told(&["why", "--client", "127.0.0.0/8", "--since", "1h"]).contains("(guard)"));
    let session = account["origin"]["session"].as_str().unwrap();
    assert!(server.told(&["why", session]).contains(&refused));
    fails(&server.cli(&["why", "0000000000001"]), 1, "nothing is known of 0000000000001");
    fails(&server.cli(&["why", "nonsense"]), 2, "an id has 13 letters and digits");
}

#[test]
fn the_queue_is_looked_at_and_changed() {
    let server = start();
    let id = send(&server, &["bob"], "Subject: hold it\n\n");
    let kept = send(&server, &["alice"], "Subject: hold it\n\n");
    let listed = json(&server, &["queue", "list", "--held", "--json"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["hold"]), (2, &"looks odd".into()));
    assert!(server.told(&["queue", "list", "--recipient", "bob@*"]).contains("looks odd"));
    assert!(server.told(&["queue", "show", &id]).contains("\n  held   looks odd\n"));
    assert_eq!(server.told(&["queue", "release", &id, "--dry-run"]), format!("{id} would be released\n"));
    assert_eq!(server.told(&["queue", "release", &id]), format!("{id} released\n"));
    assert_eq!(server.arrived("example.com", "bob", 1).len(), 1);
    eventually("delivery", || server.told(&["why", &id]).contains("  delivered  ").then_some(()));
    assert_eq!(
        server.told(&["queue", "remove", "--held", "--recipient", "alice@example.com"]),
        format!("{kept} removed\n")
    );
    fails(&server.cli(&["queue", "retry", &kept]), 1, "is not in the queue");
    assert_eq!(json(&server, &["queue", "list", "--json"]), Value::Array(Vec::new()));
    assert_eq!(json(&server, &["why", &kept, "--json"])["state"], "removed");
}

#[test]
fn a_reload_that_does_not_pass_says_why_and_status_remembers() {
    let server = Site::new(&format!("{}[reload]\nwatch = false\n", Site::PLAIN)).start();
    assert_eq!(server.told(&["reload"]), "reloaded: generation 2 is in force\n");
    server.configure("[domains]\nlocl = []\n");
    fails(&server.cli(&["reload"]), 1, "did you mean `local`?");
    // The socket is found all the same.
    let status = json(&server, &["status", "--json"]);
    assert_eq!(status["generation"], 2);
    assert!(status["reload_failure"]["error"].as_str().unwrap().contains("did you mean `local`?"));
    assert!(server.told(&["status"]).contains("RELOAD FAILED"));
}

#[test]
fn a_second_server_does_not_take_the_socket_and_a_killed_one_leaves_it() {
    let server = start();
    let socket = server.socket();
    let site = server.kill();
    assert!(socket.exists(), "a crash leaves the file");
    let server = site.start();
    assert_eq!(json(&server, &["status", "--json"])["generation"], 1);
    let site = server.stop();
    assert!(!socket.exists());
    fails(&site.cli(&["status"]), 1, "the server does not run");
}
