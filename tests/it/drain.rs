//! Stopping with SIGTERM, and a store that fails: who is told what, what may be finished, and that nothing is lost or
//! done twice.

use crate::disk::{Faulty, Plan as Faults};
use crate::hop::Hop;
use crate::inside::{Inside, Plan};
use crate::limits::Talk;
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::spool::small;
use crate::wait::eventually;
use mailsluice::intake::State;
use mailsluice::spool::{Health, MemorySpool, SegmentLog, Spool, StoreFault};
use mailsluice::transport::Operation;
use std::io::ErrorKind;
use std::sync::Arc;

/// Mail for `uni.example` goes to this hop.
fn relaying(hop: &Hop) -> String {
    let route = format!("[[route]]\ndomain = \"uni.example\"\nto = {{ smtp = \"{}\" }}\n", hop.address);
    Site::PLAIN.replace("[recipients]", "relay-to = [\"uni.example\"]\n[recipients]") + &route
}

fn message(subject: &str) -> String {
    format!("Subject: {subject}\r\n\r\nx\r\n")
}

const STOPPING: &str = "421 4.3.2 The server is stopping; please try again";

#[test]
fn idle_clients_are_told_and_nobody_else_gets_in() {
    let server = Site::new(Site::PLAIN).start();
    let address = server.address(0);
    let mut idle = SmtpClient::greeted(address);
    let mut open = SmtpClient::greeted(address);
    open.command("MAIL FROM:<a@client.example>").must_be(250);
    open.command("RCPT TO:<alice@example.com>").must_be(250);
    let mut asked = SmtpClient::greeted(address);
    asked.command("MAIL FROM:<a@client.example>").must_be(250);
    asked.command("RCPT TO:<alice@example.com>").must_be(250);
    asked.command("DATA").must_be(354);
    server.stop();
    for client in [&mut idle, &mut open, &mut asked] {
        let reply = client.reply().to_string();
        assert!(reply.starts_with(STOPPING), "{reply}");
    }
    [idle, open, asked].into_iter().for_each(SmtpClient::closed);
    assert!(SmtpClient::try_connect(address).and_then(|mut c| c.try_reply()).is_err());
}

#[test]
fn a_message_that_is_coming_in_may_be_finished() {
    let server = Site::new(Site::PLAIN).start();
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    client.send(b"BDAT 9\r\nSubject: ");
    client.expect(250);
    server.terminate();
    server.logged("stopping");
    client.send(b"BDAT 9 LAST\r\nx\r\n\r\nyyyy");
    let accepted = client.expect(250);
    assert_eq!(client.reply().to_string(), STOPPING);
    client.closed();
    let server = server.stopped().start();
    let [delivered] = server.arrived("example.com", "alice", 1).try_into().unwrap();
    let delivered = String::from_utf8(delivered).unwrap();
    assert!(delivered.contains(accepted.id()) && delivered.ends_with("\nSubject: x\n\nyyyy"), "{delivered}");
}

#[tokio::test]
async fn a_message_that_does_not_end_is_given_ten_seconds() {
    let server = Plan::new(Site::PLAIN).open().await;
    let mut client = Talk::greeted(server.address(0)).await;
    client.begin(10).await;
    server.server.stopping.cancel();
    let (reply, seconds) = client.waited().await;
    assert!(reply.starts_with("421 4.3.2 The server is stopping; please try again"), "{reply}");
    assert_eq!(seconds, 10);
}

#[test]
fn a_delay_that_a_sink_asked_for_ends() {
    let site = Site::new(Site::PLAIN);
    let log = "[[sink]]\nname = \"log\"\nnative = \"log\"\n[[sink.on]]\nevent = \"in.mail\"\npriority = 0\n";
    let rule = "[[sink.config.rule]]\nevent = \"in.mail\"\ndelay = \"60s\"\n";
    site.write("sinks.toml", &format!("{log}[[sink]]\nname = \"p\"\nnative = \"policy\"\n{rule}"));
    let server = site.start();
    let mut client = SmtpClient::greeted(server.address(0));
    client.send(b"MAIL FROM:<a@client.example>\r\n");
    server.logged(" in.mail event");
    server.stop();
    client.expect(250);
    let reply = client.reply().to_string();
    assert!(reply.starts_with(STOPPING), "{reply}");
}

#[test]
fn a_delivery_that_runs_is_finished_and_not_done_again() {
    let hop = Hop::start();
    let server = Site::new(&relaying(&hop)).start();
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("a@client.example", &["x@uni.example"], &message("first")).must_be(250);
    let first = hop.next();
    server.terminate();
    server.logged("stopping");
    client.expect(421);
    first.answer("250 mine");
    let server = server.stopped().start();
    SmtpClient::greeted(server.address(0))
        .deliver("a@client.example", &["x@uni.example"], &message("second"))
        .must_be(250);
    let second = hop.next();
    assert!(second.message.contains("Subject: second\n"), "the first came again: {}", second.message);
    second.answer("250 mine");
}

/// What the end of the data is told.
fn told(server: &Inside) -> String {
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("a@client.example", &["x@uni.example"], &message("x")).to_string()
}

/// What MAIL is told.
fn mail(server: &Inside) -> String {
    SmtpClient::greeted(server.address(0)).command("MAIL FROM:<a@client.example>").to_string()
}

#[test]
fn a_disk_that_fails_turns_new_mail_away_and_leaves_what_was_accepted() {
    for (error, reply, at_mail) in [
        (ErrorKind::StorageFull, "452 4.3.1 Insufficient system storage (", "452 4.3.1 Not enough room for mail"),
        (ErrorKind::Other, "451 4.3.0 Local error in processing (", "451 4.3.0 Mail can't be stored at present"),
    ] {
        let (dir, hop) = (tempfile::tempdir().unwrap(), Hop::start());
        let files = Faulty::new(Faults::Never, error);
        let spool: Arc<dyn Spool> =
            Arc::new(SegmentLog::open_on(Arc::new(files.clone()), dir.path(), small()).unwrap());
        let server = Plan::new(&relaying(&hop)).spool(spool.clone()).start();
        let mut client = SmtpClient::greeted(server.address(0));
        let first = client.deliver("a@client.example", &["x@uni.example"], &message("first")).must_be(250);
        let at_hop = hop.next();
        files.plan(Faults::WritesFrom(files.operations()));
        assert!(told(&server).starts_with(reply), "{error}");
        assert!(matches!(spool.health(), Health::Sick { .. }));
        assert!(mail(&server).starts_with(at_mail), "before anything is sent");
        // What the hop has taken can't be recorded now; it is not forgotten, and not sent again.
        at_hop.answer("250 mine");
        files.plan(Faults::Never);
        eventually("the spool to recover", || (spool.health() == Health::Ok).then_some(()));
        eventually("the record of it", || (server.account(first.id()).state == State::Delivered).then_some(()));
        client.deliver("a@client.example", &["x@uni.example"], &message("second")).must_be(250);
        let second = hop.next();
        assert!(second.message.contains("Subject: second\n"), "{}", second.message);
        second.answer("250 mine");
        assert!(hop.at_once().is_none());
    }
}

#[test]
fn nothing_is_delivered_that_could_not_be_recorded() {
    let (spool, hop) = (Arc::new(MemorySpool::new()), Hop::start());
    let before = Plan::new(&relaying(&hop)).spool(spool.clone()).delivers_nothing().start();
    let mut client = SmtpClient::greeted(before.address(0));
    let accepted = client.deliver("a@client.example", &["x@uni.example"], &message("x")).must_be(250);
    drop(before);
    spool.refuse_with(Some(StoreFault::Full("no room".into())));
    let server = Plan::new(&relaying(&hop)).spool(spool.clone()).start();
    // When an operator finds it idle, its turn has come and gone.
    eventually("the message to be left alone", || {
        let refused = server.operate(accepted.id(), &Operation::Retry).expect_err("the spool refuses it");
        refused.contains("no room").then_some(())
    });
    assert!(hop.at_once().is_none(), "delivered, and nobody would know");
    spool.refuse_with(None);
    // Its own turn may have come before the operator's.
    eventually("the message to be tried", || match server.operate(accepted.id(), &Operation::Retry) {
        Ok(()) => Some(()),
        Err(why) => why.contains("is being delivered").then_some(()),
    });
    hop.next().answer("250 mine");
    eventually("its end", || (server.account(accepted.id()).state == State::Delivered).then_some(()));
}
