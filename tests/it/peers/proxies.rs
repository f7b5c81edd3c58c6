//! swaks as a proxy: PROXY headers of both versions, and XCLIENT. Postfix as a filter that says XFORWARD.

use super::postfix::Postfix;
use super::{peer, run};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use std::path::Path;
use std::process::Command;

fn server(listener: &str) -> Server {
    Site::new(&Site::PLAIN.replace("[domains]", &format!("{listener}\n[domains]"))).start()
}

fn swaks(program: &Path, server: &Server, args: &[&str]) -> String {
    run(Command::new(program)
        .args(["--server", &server.address(0).to_string(), "--helo", "client.example"])
        .args(["--from", "sender@client.example", "--to", "alice@example.com"])
        .args(args))
}

fn trace(server: &Server, count: usize) -> String {
    let arrived = server.arrived("example.com", "alice", count);
    String::from_utf8(arrived.last().expect("a message").clone()).expect("UTF-8")
}

#[test]
fn swaks_says_whose_connection_it_is() {
    let Some(program) = peer("swaks") else { return };
    let server = server("proxy-protocol = [\"127.0.0.0/8\"]");
    for (count, (version, family, source, literal)) in [
        ("1", "TCP4", "203.0.113.7", "[203.0.113.7]"),
        ("2", "AF_INET", "203.0.113.8", "[203.0.113.8]"),
        ("2", "AF_INET6", "2001:db8::9", "[IPv6:2001:db8::9]"),
    ]
    .into_iter()
    .enumerate()
    {
        let dest = if source.contains(':') { "2001:db8::1" } else { "198.51.100.1" };
        let args = ["--proxy-version", version, "--proxy-family", family, "--proxy-source", source];
        let more = ["--proxy-source-port", "4711", "--proxy-dest", dest, "--proxy-dest-port", "25"];
        swaks(&program, &server, &[&args[..], &more].concat());
        let texts = server.arrived("example.com", "alice", count + 1);
        let texts: Vec<String> = texts.into_iter().map(|octets| String::from_utf8(octets).expect("UTF-8")).collect();
        assert!(texts.iter().any(|text| text.contains(literal)), "{literal} in {texts:?}");
    }
}

#[test]
fn swaks_speaks_for_another_client() {
    let Some(program) = peer("swaks") else { return };
    let server = server("xclient-from = [\"127.0.0.1\"]");
    let said = swaks(
        &program,
        &server,
        &["--xclient-name", "spike.example", "--xclient-addr", "203.0.113.7", "--xclient-port", "4711"]
            .into_iter()
            .chain(["--xclient-proto", "ESMTP", "--xclient-helo", "spike", "--xclient-login", "bob"])
            .chain(["--xclient-destaddr", "198.51.100.1", "--xclient-destport", "25"])
            .collect::<Vec<_>>(),
    );
    assert!(said.contains("<-  220 "), "{said}");
    let text = trace(&server, 1);
    assert!(text.contains("(spike.example [203.0.113.7])") && text.contains("with ESMTPA"), "{text}");
}

#[test]
fn postfix_says_where_mail_came_from() {
    let server = server("xforward-from = [\"127.0.0.1\"]");
    let settings = format!(
        "virtual_mailbox_domains =\nrelayhost = [127.0.0.1]:{}\nsmtp_send_xforward_command = yes",
        server.address(0).port()
    );
    let Some(postfix) = Postfix::start(&settings) else { return };
    let mut client = SmtpClient::greeted(postfix.address());
    client.deliver("sender@client.example", &["alice@example.com"], "Subject: x\r\n\r\ny\r\n").must_be(250);
    server.arrived("example.com", "alice", 1);
    server.logged("handed on for another client");
    let log = server.log();
    let line = log.lines().find(|line| line.contains("handed on for another client")).expect("the line");
    for fact in ["addr=127.0.0.1", "proto=ESMTP", "helo=client.example", "ident=", "source=REMOTE"] {
        assert!(line.contains(fact), "{fact} in {line}");
    }
}
