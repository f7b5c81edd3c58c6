//! Every limit that a configuration can set, and what a client is told at it, by the server that has it. The replies of
//! the protocol's own limits, and how a session goes on behind them, are shown as dialogues.

use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::Instant;

/// A server with these `[limits]`.
fn plan(limits: &str) -> Plan {
    Plan::new(&format!("{}{limits}\n", Site::PLAIN))
}

fn with(limits: &str) -> Inside {
    plan(limits).start()
}

/// An open transaction of a client that has just said hello.
fn transaction(server: &Inside) -> SmtpClient {
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    client
}

/// What a message is told at its end.
fn told(server: &Inside, message: &str) -> String {
    let mut client = transaction(server);
    client.command("DATA").must_be(354);
    client.content(message);
    let reply = client.reply().to_string();
    client.command("NOOP").must_be(250);
    client.quit();
    reply
}

#[test]
fn connections_in_all_and_per_client() {
    for (limits, reply) in [
        ("connections = 2", "421 Too many connections at present; please try again later"),
        ("connections-per-client = 2", "421 Too many connections from your address; please try again later"),
    ] {
        let server = with(limits);
        let (first, _second) = (SmtpClient::greeted(server.address(0)), SmtpClient::greeted(server.address(0)));
        let mut third = SmtpClient::connect(server.address(0));
        assert_eq!(third.reply().to_string(), reply);
        third.closed();
        first.quit();
        eventually("room for another one", || {
            let mut client = SmtpClient::connect(server.address(0));
            (client.reply().code == 220).then_some(())
        });
    }
}

#[test]
fn the_size_of_a_message() {
    let server = with("message-size = \"2 KiB\"");
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    assert!(client.command("EHLO client.example").lines.contains(&"SIZE 2048".to_owned()));
    client.command("MAIL FROM:<a@client.example> SIZE=2048").must_be(250);
    client.command("RSET").must_be(250);
    client.command("MAIL FROM:<a@client.example> SIZE=2049").must_be(552);
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    // A refused chunk is swallowed whatever its size.
    client.send(&[&b"BDAT 100000\r\n"[..], &vec![b'x'; 100_000]].concat());
    client.expect(552);
    client.command("BDAT 0 LAST").must_be(503);
    client.quit();
    let text = |size: usize| format!("\r\n{}\r\n", "x".repeat(size - 4));
    assert!(told(&server, &text(2048)).starts_with("250 "));
    assert!(told(&server, &text(2049)).starts_with("552 5.3.4 Message too big"));
    // What comes behind the limit is heard out.
    assert!(told(&server, &text(300_000)).starts_with("552 5.3.4 Message too big"));
}

#[test]
fn the_size_of_a_header_and_its_hops() {
    let server = with("header-size = \"1 KiB\"\nhops = 3");
    let header = |size: usize| format!("X: {}\r\n\r\nbody\r\n", "x".repeat(size - 5));
    assert!(told(&server, &header(1024)).starts_with("250 "));
    assert!(told(&server, &header(1025)).starts_with("552 5.3.4 Header too big"));
    let hops = |count| format!("{}\r\nbody\r\n", "Received: from a by b; today\r\n".repeat(count));
    assert!(told(&server, &hops(3)).starts_with("250 "));
    assert!(told(&server, &hops(4)).starts_with("554 5.4.6 Too many Received fields"));
}

#[test]
fn recipients_of_a_message() {
    let server = with("recipients = 1");
    let mut client = transaction(&server);
    client.command("RCPT TO:<bob@example.com>").must_be(452);
    client.command("DATA").must_be(354);
    client.content("Subject: x\r\n\r\ny\r\n");
    let accepted = client.expect(250);
    let account = server.account(accepted.id());
    assert_eq!(account.recipients.iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), ["alice@example.com"]);
}

#[test]
fn errors_idle_commands_and_lines() {
    let server = with("errors = 2\nidle-commands = 4\nline = 600");
    let mut client = SmtpClient::greeted(server.address(0));
    client.command(&format!("NOOP {}", "x".repeat(593))).must_be(250);
    client.command(&format!("NOOP {}", "x".repeat(594))).must_be(500);
    client.command("XYZZY").must_be(500);
    client.expect(421);
    client.closed();
    let mut client = SmtpClient::greeted(server.address(0));
    for _ in 0..3 {
        client.command("NOOP").must_be(250);
    }
    client.command("NOOP").must_be(421);
    client.closed();
}

#[test]
fn free_space() {
    let server = plan("").adjust(|settings| settings.limits.free_space = u64::MAX / 2).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let reply = client.command("MAIL FROM:<a@client.example>").must_be(452);
    assert!(reply.lines[0].starts_with("4.3.1 Not enough room"), "{reply}");
    let account = server.account(reply.id());
    assert_eq!(&*account.ledger.entries[0].sink, "(guard)");
    client.command("NOOP").must_be(250);
    // A declared size counts as well.
    let server = plan("").adjust(|settings| settings.limits.message_size = u64::MAX).start();
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("MAIL FROM:<a@client.example> SIZE=1000").must_be(250);
    client.command("RSET").must_be(250);
    client.command(&format!("MAIL FROM:<a@client.example> SIZE={}", u64::MAX / 4)).must_be(452);
}

#[test]
fn who_talks_first() {
    let server = with("greeting-delay = \"4m\"");
    let mut client = SmtpClient::connect(server.address(0));
    client.send(b"EHLO client.example\r\n");
    client.expect(554);
    client.closed();
    let server = with("greeting-delay = \"10ms\"");
    SmtpClient::greeted(server.address(0)).quit();
    // Who goes away instead is just gone.
    drop(TcpStream::connect(server.address(0)).unwrap());
    gone(&server);
}

/// Waits until no session is left.
fn gone(server: &Inside) {
    eventually("the end of the session", || (server.server.gate.count() == 0).then_some(()));
}

#[test]
fn other_protocols() {
    let server = with("");
    for hello in
        [&b"GET / HTTP/1.1\r\nHost: mx.example.com\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]
    {
        let mut client = SmtpClient::connect(server.address(0));
        client.expect(220);
        client.send(hello);
        client.expect(554);
        client.closed();
    }
}

#[test]
fn who_does_not_read_its_replies_is_not_waited_for() {
    let server = with("idle = \"200ms\"\nidle-commands = 4000000000");
    let mut client = TcpStream::connect(server.address(0)).unwrap();
    client.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let commands = b"HELP\r\n".repeat(10_000);
    while client.write_all(&commands).is_ok() {}
    gone(&server);
}

/// A client in the time of the test.
pub(crate) struct Talk(BufReader<tokio::net::TcpStream>);

impl Talk {
    pub(crate) async fn greeted(address: SocketAddr) -> Self {
        let mut talk = Self(BufReader::new(tokio::net::TcpStream::connect(address).await.unwrap()));
        assert!(talk.reply().await.starts_with("220 "));
        assert!(talk.command("EHLO client.example").await.starts_with("250 "));
        talk
    }

    /// The last line of a reply.
    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn command(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    async fn send(&mut self, octets: &[u8]) {
        self.0.get_mut().write_all(octets).await.unwrap();
    }

    /// An open transaction with a first chunk of so many octets.
    pub(crate) async fn begin(&mut self, octets: usize) {
        for line in ["MAIL FROM:<a@client.example>", "RCPT TO:<alice@example.com>"] {
            assert!(self.command(line).await.starts_with("250 "));
        }
        self.send(format!("BDAT {octets}\r\n").as_bytes()).await;
        self.send(&b"\r\n".repeat(octets / 2)).await;
        assert!(self.reply().await.starts_with("250 "));
    }

    /// What is said when all there is to do is to wait, and after how long; the connection ends with it.
    pub(crate) async fn waited(&mut self) -> (String, u64) {
        // Everybody waits: time jumps to the first who has waited long enough.
        tokio::time::pause();
        let began = Instant::now();
        let reply = self.reply().await;
        assert_eq!(self.reply().await, "", "it is closed");
        let waited = began.elapsed();
        tokio::time::resume();
        (reply, waited.as_secs_f64().round() as u64)
    }
}

#[tokio::test]
async fn a_client_that_says_nothing() {
    let server = plan("idle = \"3m\"").open().await;
    let mut client = Talk::greeted(server.address(0)).await;
    let (reply, seconds) = client.waited().await;
    assert_eq!((reply.as_str(), seconds), ("421 4.4.2 Nothing heard for too long; closing", 180));
}

#[tokio::test]
async fn a_session_that_is_too_old() {
    let server = plan("idle = \"5m\"\nsession = \"20m\"\nmin-data-rate = 0").open().await;
    let mut client = Talk::greeted(server.address(0)).await;
    for _ in 0..4 {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(240)).await;
        tokio::time::resume();
        assert_eq!(client.command("NOOP").await, "250 2.0.0 Ok");
    }
    // A message that is under way is not cut off by it.
    client.begin(10).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(250)).await;
    tokio::time::resume();
    assert!(client.command("BDAT 0 LAST").await.starts_with("250 "));
    let (reply, seconds) = client.waited().await;
    assert_eq!((reply.as_str(), seconds), ("421 4.4.2 The session has lasted too long; closing", 0));
}

#[tokio::test]
async fn a_session_that_is_too_old_and_never_pauses() {
    let server = plan("idle = \"5m\"\nsession = \"20m\"\nidle-commands = 4000000000").open().await;
    let mut client = Talk::greeted(server.address(0)).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(290)).await;
    tokio::time::resume();
    assert_eq!(client.command("NOOP").await, "250 2.0.0 Ok");
    // From here on there is always something to read.
    client.send(&b"NOOP\r\n".repeat(4000)).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1000)).await;
    tokio::time::resume();
    let mut replies = 0;
    while client.reply().await.starts_with("250 ") {
        replies += 1;
    }
    assert!(replies < 4000, "it was heard out");
}

#[tokio::test]
async fn a_message_that_comes_too_slowly() {
    let server = plan("idle = \"5m\"\nmin-data-rate = 1000").open().await;
    let mut client = Talk::greeted(server.address(0)).await;
    client.begin(9000).await;
    let (reply, seconds) = client.waited().await;
    assert!(reply.starts_with("421 4.4.2 The message comes too slowly; closing"), "{reply}");
    assert_eq!(seconds, 30 + 9, "half a minute of grace, and what its octets are worth");
}

#[tokio::test]
async fn a_message_that_comes_fast_enough() {
    let server = plan("idle = \"5m\"\nmin-data-rate = 100").open().await;
    let mut client = Talk::greeted(server.address(0)).await;
    client.begin(9000).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(119)).await;
    tokio::time::resume();
    assert!(client.command("BDAT 0 LAST").await.starts_with("250 "));
}
