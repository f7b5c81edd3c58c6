//! The sinks that ship, in force through a manifest, each doing its job on real mail; and what single recipients,
//! discarded and held messages come to.

use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::{Reply, SmtpClient};
use mailsluice::event::host::{Clock, ManualClock, SystemClock};
use mailsluice::intake::State;
use std::sync::Arc;
use std::time::Duration;

const MESSAGE: &str = "Subject: x\r\nX-Old: 1\r\n\r\ny\r\n";

/// A server with this manifest.
fn with(manifest: &str) -> Inside {
    Plan::new(Site::PLAIN).manifest(manifest).start()
}

fn send(server: &Inside, recipients: &[&str]) -> Reply {
    SmtpClient::greeted(server.address(0)).deliver("a@client.example", recipients, MESSAGE)
}

/// What a command at the end of these says.
fn said(server: &Inside, commands: &[&str]) -> Reply {
    let mut client = SmtpClient::connect(server.address(0));
    let mut reply = client.reply();
    for command in commands {
        reply = client.command(command);
    }
    reply
}

const HELLO: &str = "EHLO client.example";
const MAIL: &str = "MAIL FROM:<a@client.example>";
const RCPT: &str = "RCPT TO:<alice@example.com>";

#[test]
fn access_denies_what_each_key_names() {
    let denied = |deny: &str, commands: &[&str]| {
        let manifest = format!("[[sink]]\nname = \"a\"\nnative = \"access\"\nconfig = {{ deny = {{ {deny} }} }}\n");
        said(&with(&manifest), commands)
    };
    assert!(denied("client = '127.0.0.0/8'", &[]).must_be(554).lines[0].contains("127.0.0.1"));
    denied("helo = 'client.*'", &[HELLO]).must_be(550);
    denied("sender = '*@CLIENT.example'", &[HELLO, MAIL]).must_be(550);
    denied("recipient = ['postmaster', 'alice@example.com']", &[HELLO, MAIL, RCPT]).must_be(550);
    denied("recipient = 'bob@example.com'", &[HELLO, MAIL, RCPT]).must_be(250);
}

#[test]
fn access_allows_a_client_everything_and_tells_the_others() {
    let server = with(
        r#"
[[sink]]
name = "access"
native = "access"
config = { deny = { client = "127.0.0.0/8", sender = "*" }, allow = { client = "127.0.0.1" } }
[[sink]]
name = "grey"
native = "greylist"
[[sink.on]]
event = "in.rcpt"
when = { not = { property = { "access.allowed" = true } } }
"#,
    );
    said(&server, &[HELLO, MAIL, RCPT]).must_be(250);
}

#[test]
fn headers_edits_what_is_delivered() {
    let server = with(
        r#"
[[sink]]
name = "headers"
native = "headers"
[sink.config]
remove = ["X-Old"]
set = [{ name = "subject", value = "changed" }]
add = [{ name = "X-New", value = "2" }]
"#,
    );
    let reply = send(&server, &["alice@example.com"]).must_be(250);
    let [message] = server.arrived("alice", 1).try_into().unwrap();
    assert!(message.ends_with("\nsubject: changed\nX-New: 2\n\ny\n"), "{message}");
    let ledger = server.account(reply.id()).ledger;
    assert_eq!(ledger.entries[0].edits, ["remove X-Old", "set subject", "add X-New"]);
}

#[test]
fn archive_sends_a_copy() {
    let server = with("[[sink]]\nname = \"a\"\nnative = \"archive\"\nconfig = { to = \"bob@example.com\" }\n");
    send(&server, &["alice@example.com"]).must_be(250);
    let ([own], [copy]) =
        (server.arrived("alice", 1).try_into().unwrap(), server.arrived("bob", 1).try_into().unwrap());
    assert!(own.contains("\nDelivered-To: alice@example.com\n") && copy.contains("\nDelivered-To: bob@example.com\n"));
    assert!(!own.contains("bob"), "nobody sees that there is a copy: {own}");
}

#[test]
fn greylist_puts_off_and_lets_in() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let manifest = "[[sink]]\nname = \"g\"\nnative = \"greylist\"\nconfig = { delay = \"5m\" }\n";
    let server = Plan::new(Site::PLAIN).manifest(manifest).clock(clock.clone()).start();
    let rcpt = || said(&server, &[HELLO, MAIL, RCPT]);
    assert!(rcpt().must_be(451).lines[0].starts_with("4.7.1 Greylisted, please try again in 300 seconds"));
    clock.advance(Duration::from_secs(299));
    rcpt().must_be(451);
    clock.advance(Duration::from_secs(1));
    rcpt().must_be(250);
    said(&server, &[HELLO, MAIL, "RCPT TO:<bob@example.com>"]).must_be(451);
    said(&server, &[HELLO, "MAIL FROM:<>", RCPT]).must_be(250);
}

#[test]
fn rate_limit_counts_mails_and_recipients() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let limits = "[{ per = \"sender\", rate = \"2/1h\" }, { per = \"recipient-domain\", rate = \"3/1h\" }]";
    let manifest = format!("[[sink]]\nname = \"r\"\nnative = \"rate-limit\"\nconfig = {{ limits = {limits} }}\n");
    let server = Plan::new(Site::PLAIN).manifest(&manifest).clock(clock.clone()).start();
    said(&server, &[HELLO, MAIL, RCPT]).must_be(250);
    said(&server, &[HELLO, MAIL, RCPT]).must_be(250);
    let over = said(&server, &[HELLO, MAIL]).must_be(451);
    assert!(over.lines[0].contains("please try again in 1800 seconds"), "{over}");
    said(&server, &[HELLO, "MAIL FROM:<other@client.example>", RCPT, RCPT]).must_be(451);
    clock.advance(Duration::from_secs(1800));
    said(&server, &[HELLO, MAIL, RCPT]).must_be(250);
}

#[test]
fn log_writes_a_line_for_each_event() {
    let site = Site::new(&format!("{}[log]\nformat = \"json\"\n", Site::PLAIN));
    site.write("sinks.toml", "[[sink]]\nname = \"log\"\nnative = \"log\"\n");
    let server = site.start();
    let mut client = SmtpClient::greeted(server.address(0));
    let reply = client.deliver("a@client.example", &["alice@example.com"], MESSAGE).must_be(250);
    client.quit();
    server.logged("\"event\":\"in.disconnect\"");
    let log = server.log();
    let lines = log.lines().filter(|l| l.contains("mailsluice::sink::log")).map(|l| l.parse::<serde_json::Value>());
    let lines: Vec<serde_json::Value> = lines.map(|l| l.expect("JSON")).collect();
    let events: Vec<&str> = lines.iter().filter_map(|l| l["event"].as_str()).collect();
    for event in ["in.connect", "in.helo", "in.mail", "in.rcpt", "in.data", "in.headers", "in.message", "in.reply"] {
        assert!(events.contains(&event), "{event} is not in {events:?}");
    }
    let submit = lines.iter().find(|l| l["event"] == "transport.submit").expect("transport.submit");
    assert_eq!((&submit["id"], &submit["helo"]), (&reply.id().into(), &"client.example".into()));
}

/// One sink `policy` with these rules.
fn policy(rules: &[&str]) -> String {
    let rules: String = rules.iter().map(|rule| format!("[[sink.config.rule]]\n{rule}\n")).collect();
    format!("[[sink]]\nname = \"policy\"\nnative = \"policy\"\n{rules}")
}

#[test]
fn policy_refuses_rewrites_and_greets() {
    let server = with(&policy(&[
        "event = 'in.connect'\ngreeting = 'at your service'\nlimit-message-size = '1 KiB'\nlimit-recipients = 1",
        "event = 'in.helo'\nadd-keyword = 'XFOO 1'\nremove-keyword = 'CHUNKING'",
        "event = 'in.mail'\nwhen = { sender = '*@spam.example' }\nreject = 'Enough'\nstatus = '5.7.9'",
        "event = 'in.rcpt'\nwhen = { recipient = 'sales@example.com' }\nrewrite = 'alice@example.com'",
        "event = 'in.data'\nwhen = { sender = '<>' }\ndisconnect = 'Go'",
        "event = 'in.command'\nwhen = { verb = 'HELP' }\nreject = 'Help yourself'",
    ]));
    said(&server, &["HELP"]).must_be(550);
    assert_eq!(said(&server, &[]).lines, ["mx.example.com at your service"]);
    let hello = said(&server, &[HELLO]).lines;
    let has = |keyword: &str| hello.iter().any(|l| l == keyword);
    assert!(has("SIZE 1024") && has("XFOO 1") && !has("CHUNKING"), "{hello:?}");
    let enough = said(&server, &[HELLO, "MAIL FROM:<x@spam.example>"]).must_be(550);
    assert!(enough.lines[0].starts_with("5.7.9 Enough ("), "{enough}");
    said(&server, &[HELLO, "MAIL FROM:<a@client.example> SIZE=1025"]).must_be(552);
    said(&server, &[HELLO, MAIL, RCPT, "RCPT TO:<bob@example.com>"]).must_be(452);
    said(&server, &[HELLO, "MAIL FROM:<>", RCPT, "DATA"]).must_be(421);
    // Whoever has no such mailbox is looked up before any sink is asked.
    said(&server, &[HELLO, MAIL, "RCPT TO:<sales@example.com>"]).must_be(550);
}

#[test]
fn policy_rewrites_a_recipient_and_its_original_is_known() {
    let users = Site::PLAIN.replace("\"bob\"", "\"bob\", \"sales\"");
    let rule = "event = 'in.rcpt'\nwhen = { recipient = 'sales@example.com' }\nrewrite = 'alice@example.com'";
    let server = Plan::new(&users).manifest(&policy(&[rule])).start();
    let reply = send(&server, &["sales@example.com"]).must_be(250);
    let [message] = server.arrived("alice", 1).try_into().unwrap();
    assert!(message.contains(" for <sales@example.com>;"), "{message}");
    let recipient = server.account(reply.id()).recipients.remove(0);
    assert_eq!(recipient.path.as_str(), "alice@example.com");
    assert_eq!(recipient.original.unwrap().as_str(), "sales@example.com");
}

#[test]
fn discarded_and_held_as_a_whole_wherever_it_is_decided() {
    for event in ["in.mail", "in.rcpt", "in.data", "in.headers", "in.message", "transport.submit"] {
        let server = with(&policy(&[
            &format!("event = '{event}'\nwhen = {{ sender = 'gone@client.example' }}\ndiscard = true"),
            &format!("event = '{event}'\nwhen = {{ sender = 'kept@client.example' }}\nhold = 'look at it'"),
        ]));
        let send = |sender: &str| {
            SmtpClient::greeted(server.address(0)).deliver(sender, &["alice@example.com"], MESSAGE).must_be(250)
        };
        let (gone, kept, fine) =
            (send("gone@client.example"), send("kept@client.example"), send("fine@client.example"));
        assert_eq!(server.account(gone.id()).state, State::Discarded, "{event}");
        let held = server.account(kept.id());
        assert_eq!((held.state, held.hold.as_deref()), (State::Held, Some("look at it")), "{event}");
        let [delivered] = server.arrived("alice", 1).try_into().unwrap();
        assert!(delivered.contains(fine.id()), "{event}: {delivered}");
    }
}

/// Rules that give each of five users another fate.
const FATES: [&str; 4] = [
    "event = 'transport.submit'\nwhen = { recipient = 'refused@*' }\nper-recipient = true\nreject = 'Not you'",
    "event = 'transport.submit'\nwhen = { recipient = 'later@*' }\nper-recipient = true\ndefer = 'Not now'",
    "event = 'transport.submit'\nwhen = { recipient = 'dropped@*' }\nper-recipient = true\ndiscard = true",
    "event = 'transport.submit'\nwhen = { recipient = 'parked@*' }\nper-recipient = true\nhold = 'Look'",
];

fn fates(role: &str) -> Inside {
    let config = Site::PLAIN
        .replace("\"bob\"", "\"refused\", \"later\", \"dropped\", \"parked\"")
        .replace("[domains]", &format!("role = \"{role}\"\n[domains]"));
    Plan::new(&config).manifest(&policy(&FATES)).start()
}

const ALL: [&str; 5] =
    ["refused@example.com", "alice@example.com", "later@example.com", "dropped@example.com", "parked@example.com"];

fn states(server: &Inside, id: &str) -> Vec<String> {
    server.account(id).recipients.iter().map(|r| r.state.clone()).collect()
}

#[test]
fn over_smtp_those_refused_among_others_fail() {
    let server = fates("mx");
    let reply = send(&server, &ALL).must_be(250);
    server.arrived("alice", 1);
    let account = crate::wait::eventually("alice's part to be recorded", || {
        let account = server.account(reply.id());
        (account.recipients[1].state == "done" && account.recipients[0].state != "pending").then_some(account)
    });
    let states: Vec<&str> = account.recipients.iter().map(|r| r.state.as_str()).collect();
    assert_eq!(states, ["rejected", "done", "deferred", "discarded", "held"]);
    assert_eq!(account.recipients[0].last.as_ref().unwrap()["reply"]["text"], "Not you");
    // Nobody but the refused: refused as a whole, for now if any of them is.
    let none = send(&server, &["refused@example.com"]).must_be(550);
    assert!(none.lines[0].starts_with("5.7.1 Not you ("), "{none}");
    let none = send(&server, &["refused@example.com", "later@example.com"]).must_be(451);
    assert!(none.lines[0].starts_with("4.7.1 Not now ("), "{none}");
    assert_eq!(server.account(none.id()).state, State::Refused);
    let dropped = send(&server, &["refused@example.com", "dropped@example.com"]).must_be(250);
    let failed = || self::states(&server, dropped.id()) == ["rejected", "discarded"];
    crate::wait::eventually("the failure", || failed().then_some(()));
    assert_eq!(server.account(send(&server, &["dropped@example.com"]).id()).state, State::Discarded);
}

/// The replies to a message for these, over LMTP.
fn lmtp(server: &Inside, recipients: &[&str]) -> Vec<Reply> {
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    client.command("LHLO client.example").must_be(250);
    client.command(MAIL).must_be(250);
    for recipient in recipients {
        client.command(&format!("RCPT TO:<{recipient}>")).must_be(250);
    }
    client.command("DATA").must_be(354);
    client.content(MESSAGE);
    let replies = recipients.iter().map(|_| client.reply()).collect();
    client.quit();
    replies
}

#[test]
fn over_lmtp_each_recipient_has_its_reply() {
    let server = fates("lmtp");
    let replies = lmtp(&server, &ALL);
    assert_eq!(replies.iter().map(|r| r.code).collect::<Vec<_>>(), [550, 250, 451, 250, 250]);
    assert!(replies[0].lines[0].starts_with("5.7.1 Not you ("), "{}", replies[0]);
    let id = replies[1].id();
    server.arrived("alice", 1);
    crate::wait::eventually("alice's part to be recorded", || (states(&server, id)[1] == "done").then_some(()));
    // The client was told, so nothing is kept of those who were refused.
    assert_eq!(states(&server, id), ["rejected", "done", "deferred", "discarded", "held"]);
    // Each of them, also when none is accepted.
    let replies = lmtp(&server, &["refused@example.com", "later@example.com"]);
    assert_eq!(replies.iter().map(|r| r.code).collect::<Vec<_>>(), [550, 451]);
    assert_eq!(server.account(replies[0].id()).state, State::Refused);
}

#[test]
fn vouched_for() {
    let guests = r#"
[[sink]]
name = "guests"
native = "policy"
[[sink.config.rule]]
event = "in.rcpt"
when = { recipient = ["guest-*@example.com", "*@friend.example"] }
vouch = true
[[sink.on]]
event = "in.rcpt"
when = { standing = ["unknown", "denied"] }
"#;
    let server = with(guests);
    send(&server, &["guest-1@example.com"]).must_be(250);
    server.arrived("guest-1", 1);
    said(&server, &[HELLO, MAIL, "RCPT TO:<nobody@example.com>"]).must_be(550);
    // To vouch for what may not be relayed is a fault, unless it is granted.
    said(&server, &[HELLO, MAIL, "RCPT TO:<x@friend.example>"]).must_be(451);
    let granted = guests.replace("[[sink.config", "allow = { relay = true }\n[[sink.config");
    let server = with(&granted);
    said(&server, &[HELLO, MAIL, "RCPT TO:<x@friend.example>"]).must_be(250);
    said(&server, &[HELLO, MAIL, "RCPT TO:<x@elsewhere.example>"]).must_be(550);
}
