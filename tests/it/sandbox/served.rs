//! Guests in a server, looked at from outside: what is delivered of half a change, who waits for whom, whose mail is made of
//! mail, what is told of secrets, and what is left when the server dies meanwhile.

use super::guests;
use crate::disk::{Faulty, Plan as Fails};
use crate::inside::Plan;
use crate::server::{Server, Site};
use crate::smtp_client::{Reply, SmtpClient};
use crate::spool::small;
use crate::wait::eventually;
use mailsluice::spool::SegmentLog;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A sink for a guest, with more of the manifest behind it.
fn sink(name: &str, more: &str) -> String {
    format!("[[sink]]\nname = \"{name}\"\nmodule = {:?}\n{more}\n", guests::path(name))
}

fn on_fault(policy: &str) -> String {
    format!("[[sink.on]]\nevent = \"transport.submit\"\non-fault = \"{policy}\"\n")
}

fn server(manifest: &str) -> Server {
    let site = Site::new(Site::PLAIN);
    site.write("sinks.toml", manifest);
    site.start()
}

fn send(server: &Server, act: &str) -> Reply {
    let message = format!("Subject: x\r\nX-Act: {act}\r\n\r\nbody\r\n");
    SmtpClient::greeted(server.address(0)).deliver("a@client.example", &["alice@example.com"], &message)
}

fn delivered(server: &Server, count: usize) -> Vec<String> {
    let all = server.arrived("example.com", "alice", count);
    all.into_iter().map(|octets| String::from_utf8(octets).unwrap()).collect()
}

/// Waits until nothing is in the queue.
fn idle(server: &Server) {
    eventually("an empty queue", || (server.status().queue.messages == 0).then_some(()));
}

#[test]
fn of_half_a_change_nothing_is_delivered() {
    let server = server(&sink("halfway", &format!("limits = {{ cpu = \"20 ms\" }}\n{}", on_fault("continue"))));
    for (n, act) in ["panic", "fault", "spin", "illegal"].into_iter().enumerate() {
        let reply = send(&server, act).must_be(250);
        let message = delivered(&server, n + 1).into_iter().find(|text| text.contains(&format!("X-Act: {act}\n")));
        let message = message.expect("the message of this act");
        assert!(message.ends_with(&format!("\nSubject: x\nX-Act: {act}\n\nbody\n")), "{message}");
        assert!(!message.contains("poiled"), "{message}");
        let account = server.account(reply.id());
        let entry = &account.ledger.entries[0];
        assert!(entry.fault.is_some() && entry.edits.is_empty() && entry.verdict == "next", "{entry:?}");
        assert!(account.sender.is_some_and(|sender| sender.as_str() == "a@client.example"));
    }
    assert!(!server.data_dir().join("mail/example.com/bob/new").exists(), "nobody was added");
}

#[test]
fn what_is_smuggled_into_a_body_is_its_text() {
    let server = server(&sink("smuggles", "limits = { cpu = \"5 s\" }"));
    send(&server, "dots").must_be(250);
    let message = delivered(&server, 1).remove(0);
    assert!(message.ends_with("\n\nbefore\n.\nMAIL FROM:<b@example.com>\n.\n..\n"), "{message}");
    send(&server, "bare").must_be(250);
    eventually("the second", || (delivered(&server, 2).len() == 2).then_some(()));
}

#[test]
fn the_slow_keep_themselves_waiting_and_nobody_else() {
    let slow = "limits = { concurrency = 4 }\n[[sink.on]]\nevent = \"transport.submit\"\ndeadline = \"30 s\"\nwhen = { recipient = \"alice@example.com\" }\n";
    let server = server(&sink("sleeps", slow));
    let began = Instant::now();
    std::thread::scope(|scope| {
        // Fifty calls of 100 ms, four at a time.
        let slow: Vec<_> = (0..50).map(|_| scope.spawn(|| send(&server, "100"))).collect();
        let mut client = SmtpClient::greeted(server.address(0));
        let mut others = 0;
        while slow.iter().any(|call| !call.is_finished()) {
            client.deliver("b@client.example", &["bob@example.com"], "Subject: quick\r\n\r\ny\r\n").must_be(250);
            others += 1;
        }
        slow.into_iter().for_each(|call| drop(call.join().unwrap().must_be(250)));
        assert!(others > 50, "others were kept waiting: {others}");
    });
    assert!(began.elapsed() >= Duration::from_millis(1200), "no more than four at a time: {:?}", began.elapsed());
    assert_eq!(delivered(&server, 50).len(), 50);
}

#[test]
fn who_never_answers_is_given_up_at_the_deadline_and_never_asked_again() {
    let deadline = "reuse = \"pool\"\n[[sink.on]]\nevent = \"transport.submit\"\ndeadline = \"100 ms\"\n";
    let server = server(&sink("sleeps", deadline));
    for n in 0..12 {
        // Every other one is well, so that the breaker stays closed.
        let reply = send(&server, if n % 2 == 0 { "hour" } else { "0" });
        assert_eq!(reply.code, if n % 2 == 0 { 451 } else { 250 }, "{reply}");
        let account = server.account(reply.id());
        let fault = account.ledger.entries[0].fault.as_deref();
        assert_eq!(fault, (n % 2 == 0).then_some("overrun: no answer within 100 ms"));
    }
}

#[test]
fn mail_is_not_made_of_what_was_made() {
    let server = server(&sink("breeder", "allow = { submit = true }\nlimits = { cpu = \"5 s\", output = \"64 MiB\" }"));
    send(&server, "one").must_be(250);
    let all = delivered(&server, 2);
    assert_eq!(all.iter().filter(|text| text.contains("Subject: made\n")).count(), 1, "{all:?}");
    let reply = send(&server, "many").must_be(451);
    let account = server.account(reply.id());
    let fault = account.ledger.entries[0].fault.clone().unwrap();
    assert!(fault.starts_with("limit: "), "{fault}");
    // Nothing goes round.
    idle(&server);
    assert_eq!(delivered(&server, 2).len(), 2);
}

#[test]
fn secrets_are_the_sink_s_alone() {
    let site = Site::new(Site::PLAIN);
    site.write("secrets/token", "hunter2-hunter2");
    let with = "config = { token = { secret = \"token\" } }";
    let other = sink("config", "").replace("name = \"config\"", "name = \"other\"");
    site.write("sinks.toml", &format!("{}{other}", sink("config", with)));
    let server = site.start();
    for act in ["fault", "panic", "log"] {
        let reply = send(&server, act);
        let told = server.told(&["why", reply.id()]);
        assert!(!told.contains("hunter2"), "{act}: {told}");
    }
    assert!(!server.log().contains("hunter2"), "{}", server.log());
    server.logged("the token is");
    let status = server.told(&["status", "--json"]);
    assert!(!status.contains("hunter2"), "{status}");
    // To the one it is 15 octets, to the other nothing.
    send(&server, "length").must_be(250);
    let message = delivered(&server, 2).into_iter().find(|text| text.contains("X-Length")).unwrap();
    assert!(message.contains("X-Length: 0\n"), "the other one came last: {message}");
}

#[test]
fn a_configuration_larger_than_it_may_be_is_refused_and_a_large_one_is_its_guest_s_affair() {
    let with = |size: usize| {
        let token = "x".repeat(size);
        sink("config", &format!("config = {{ token = \"{token}\" }}\nlimits = {{ memory = \"2 MiB\" }}"))
    };
    let site = Site::new(Site::PLAIN);
    site.write("sinks.toml", &with(5 << 20));
    let (_, told) = site.try_start().err().expect("a server with five MiB of configuration");
    assert!(told.contains("the configuration of sink `config` is too large"), "{told}");
    let server = server(&with(900 << 10));
    let reply = send(&server, "length").must_be(451);
    let fault = server.account(reply.id()).ledger.entries[0].fault.clone().unwrap();
    assert!(fault.starts_with("limit: it asked for"), "{fault}");
}

#[test]
fn what_a_guest_was_busy_with_when_the_server_died_was_never_accepted() {
    let server = server(&sink("sleeps", "[[sink.on]]\nevent = \"transport.submit\"\ndeadline = \"1 h\"\n"));
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    client.command("DATA").must_be(354);
    client.content("Subject: x\r\nX-Act: hour\r\n\r\nbody\r\n");
    send(&server, "").must_be(250);
    delivered(&server, 1);
    idle(&server);
    let server = server.kill().start();
    assert!(client.try_reply().is_err(), "no answer came");
    send(&server, "").must_be(250);
    idle(&server);
    assert_eq!(delivered(&server, 2).len(), 2);
}

#[test]
fn bytes_other_than_those_of_the_pin_are_refused() {
    let site = Site::new(Site::PLAIN);
    let module = std::fs::read(guests::path("nothing")).unwrap();
    let pinned = |digest: blake3::Hash| sink("nothing", &format!("digest = \"blake3:{}\"", digest.to_hex()));
    site.write("sinks.toml", &pinned(blake3::hash(b"another")));
    let output = site.cli(&["check"]);
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("has other bytes: blake3:"), "{told}");
    site.write("sinks.toml", &pinned(blake3::hash(&module)));
    site.told(&["check"]);
}

#[test]
fn what_a_guest_has_changed_is_gone_when_it_can_t_be_stored() {
    let (dir, files) = (tempfile::tempdir().unwrap(), Faulty::new(Fails::Never, ErrorKind::Other));
    let spool = Arc::new(SegmentLog::open_on(Arc::new(files.clone()), dir.path(), small()).unwrap());
    let manifest = sink("smuggles", "limits = { cpu = \"5 s\" }");
    let inside = Plan::new(Site::PLAIN).manifest(&manifest).spool(spool).delivers_nothing().start();
    let mut client = SmtpClient::greeted(inside.address(0));
    let mut send = || client.deliver("a@client.example", &["alice@example.com"], "X-Act: dots\r\n\r\nbody\r\n");
    files.plan(Fails::From(0));
    let refused = send().must_be(451);
    let account = inside.account(refused.id());
    assert_eq!(account.ledger.entries[0].edits, ["replace the body by 45 octets"], "the guest did its work");
    files.plan(Fails::Never);
    assert!(inside.wait(inside.kept()).is_empty(), "neither the one body nor the other is there");
}
