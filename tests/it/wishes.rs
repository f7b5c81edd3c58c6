//! What clients may ask of the way of their mail, over sockets: what each listener offers, and what is granted to whom.

use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::SmtpClient;

const CONFIG: &str = r#"
[[listener]]
address = "127.0.0.1:0"
role = "submission"
future-release = "1h"
deliver-by = "1m"
mt-priority = true
[[listener]]
address = "127.0.0.1:1"
[domains]
local = ["example.com"]
[limits]
free-space = "0 B"
"#;

fn inside(more: &str) -> Inside {
    Plan::new(&CONFIG.replace("[domains]\n", &format!("[domains]\n{more}"))).delivers_nothing().start()
}

fn say(client: &mut SmtpClient, line: &str) -> String {
    client.command(line).to_string()
}

/// The replies to these MAILs, with RSET in between.
fn replies(client: &mut SmtpClient, params: &[&str]) -> Vec<String> {
    let mut replies = Vec::new();
    for param in params {
        replies.push(say(client, &format!("MAIL FROM:<carol@example.org> {param}")));
        say(client, "RSET");
    }
    replies
}

fn begins(replies: &[String], starts: &[&str]) {
    assert_eq!(replies.len(), starts.len());
    for (reply, start) in replies.iter().zip(starts) {
        assert!(reply.starts_with(start), "{reply}\nshould begin with {start}");
    }
}

#[test]
fn each_listener_offers_what_its_settings_say() {
    let inside = inside("");
    let offers = |listener| say(&mut SmtpClient::greeted(inside.address(listener)), "EHLO client.example.org");
    let submission = offers(0);
    assert!(submission.contains("FUTURERELEASE 3600 20"), "{submission}");
    assert!(submission.contains("DELIVERBY 60") && submission.contains("MT-PRIORITY"), "{submission}");
    assert!(!submission.contains("REQUIRETLS"), "not before there is TLS: {submission}");
    let mx = offers(1);
    assert!(!mx.contains("FUTURERELEASE") && !mx.contains("DELIVERBY") && !mx.contains("MT-PRIORITY"), "{mx}");
}

#[test]
fn a_client_gets_no_more_than_the_settings_allow() {
    let inside = inside("");
    let mut client = SmtpClient::greeted(inside.address(0));
    let asked = ["HOLDFOR=3600", "HOLDFOR=3700", "HOLDUNTIL=2999-01-01T00:00:00Z", "BY=59;R", "BY=60;R", "BY=1;N"];
    let replies = replies(&mut client, &asked);
    begins(
        &replies,
        &["250 2.1.0", "501 5.5.4 Held for too long", "501 5.5.4", "555 5.5.4 BY with R", "250 2.1.0", "250 2.1.0"],
    );
}

#[test]
fn strangers_do_not_go_before_others_and_are_told_so() {
    let asked = ["MT-PRIORITY=3", "MT-PRIORITY=-3", "MT-PRIORITY=0"];
    for (more, starts) in [
        ("", ["250 2.3.6 0 ", "250 2.1.0", "250 2.1.0"]),
        ("relay-from = [\"127.0.0.0/8\"]\n", ["250 2.1.0", "250 2.1.0", "250 2.1.0"]),
    ] {
        let inside = inside(more);
        let mut client = SmtpClient::greeted(inside.address(0));
        begins(&replies(&mut client, &asked), &starts);
    }
}

#[test]
fn a_sink_has_the_last_word_on_a_priority() {
    let manifest = r#"
[[sink]]
name = "classes"
native = "policy"
[[sink.config.rule]]
event = "in.mail"
when = { property = { "queue.priority" = "> 3" } }
property = { "queue:priority" = 3 }
[[sink.config.rule]]
event = "in.mail"
when = { property = { "queue.priority" = "<= -8" } }
property = { "queue:priority" = -1 }
"#;
    let config = CONFIG.replace("[domains]\n", "[domains]\nrelay-from = [\"127.0.0.0/8\"]\n");
    let inside = Plan::new(&config).manifest(manifest).delivers_nothing().start();
    let mut client = SmtpClient::greeted(inside.address(0));
    let asked = ["MT-PRIORITY=9", "MT-PRIORITY=3", "MT-PRIORITY=-7", "MT-PRIORITY=-8"];
    begins(&replies(&mut client, &asked), &["250 2.3.6 3 ", "250 2.1.0", "250 2.1.0", "250 2.3.6 -1 "]);
}

#[test]
fn what_was_granted_is_kept_with_the_message() {
    let inside = inside("");
    let mut client = SmtpClient::greeted(inside.address(0));
    for line in
        ["MAIL FROM:<carol@example.org> HOLDFOR=600 BY=60;NT MT-PRIORITY=-3", "RCPT TO:<alice@example.com>", "DATA"]
    {
        say(&mut client, line);
    }
    let reply = say(&mut client, "Subject: x\r\n\r\nHello.\r\n.");
    assert!(reply.starts_with("250"), "{reply}");
    let kept = inside.wait(inside.kept());
    let [(entry, text)] = kept.as_slice() else { panic!("{} messages", kept.len()) };
    let envelope = &entry.envelope;
    let (hold, by) = (envelope.hold.unwrap(), envelope.deliver_by.unwrap());
    assert_eq!(entry.due(), Some(hold), "nobody is due before");
    assert_eq!(entry.waits_since(), hold);
    assert_eq!((by.until.since(hold).as_secs(), by.trace), (60, true), "its time begins with its release");
    assert_eq!(entry.properties.get("queue", "priority"), Some(&(-3).into()));
    assert!(String::from_utf8_lossy(text).contains(" PRIORITY -3;"));
}

#[test]
fn a_hold_outlives_a_server_that_is_killed() {
    let site = Site::new(CONFIG.replace(":1\"", ":0\"").as_str());
    let server = site.start();
    let mut client = SmtpClient::greeted(server.address(0));
    for line in ["MAIL FROM:<carol@example.org> HOLDFOR=3000", "RCPT TO:<alice@example.com>", "DATA"] {
        client.command(line);
    }
    let id = client.command("Subject: x\r\n\r\nHello.\r\n.").must_be(250).id().to_owned();
    let before = server.account(&id);
    assert!(
        before.waits.as_deref().is_some_and(|why| why.starts_with("its sender has it held until 20")),
        "{before:?}"
    );
    let server = server.kill().start();
    let after = server.account(&id);
    assert_eq!((after.waits, after.recipients), (before.waits, before.recipients));
    assert!(server.told(&["queue", "list"]).contains("its sender has it held"), "the list does not say why it waits");
    server.told(&["queue", "release", &id]);
    server.arrived("example.com", "alice", 1);
}
