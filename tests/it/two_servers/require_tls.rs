//! REQUIRETLS (RFC 8689) from one server to the other: honoured where the second offers it under TLS that can be verified, else refused.

use super::{LISTENER, site, site_with};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::stream::trusting;
use crate::tls::authority::Authority;

const BODY: &str = "Subject: x\r\n\r\nnobody else's business\r\n";

/// A first server whose smart host is the second, with this said of it.
fn first(ca: &Authority, second: &Server, trust: &str) -> Site {
    let port = second.address(0).port();
    site(
        ca,
        &format!(
            "[domains]\nlocal = ['example.net']\nrelay-from = ['127.0.0.0/8']\n\
             [delivery]\nsmart-host = {{ smtp = 'localhost:{port}', {trust} }}\n"
        ),
    )
}

/// Hands the first server a message that requires TLS; its id there.
fn submit(first: &Server, ca: &Authority, to: &[&str]) -> String {
    let mut client = SmtpClient::greeted(first.address(0));
    client.command("MAIL FROM:<alice@example.net> REQUIRETLS").must_be(555);
    client.command("STARTTLS").must_be(220);
    client.secure(&trusting(&ca.certificate()));
    let offers = client.command("EHLO client.example").must_be(250).lines;
    assert!(offers.iter().any(|line| line == "REQUIRETLS"), "{offers:?}");
    client.command("MAIL FROM:<alice@example.net> REQUIRETLS RET=FULL").must_be(250);
    to.iter().for_each(|to| drop(client.command(&format!("RCPT TO:<{to}>")).must_be(250)));
    client.command("DATA").must_be(354);
    client.content(BODY);
    let id = client.reply().must_be(250).id().to_owned();
    client.quit();
    id
}

/// The report that alice gets: with this status, of the header alone, and as secret as what it is about.
fn report(first: &Server, status: &str) {
    let reports = first.arrived("example.net", "alice", 1);
    let text = String::from_utf8_lossy(&reports[0]);
    assert!(text.contains(&format!("Status: {status}")), "{text}");
    assert!(text.contains("text/rfc822-headers") && !text.contains("nobody else's business"), "RET=FULL: {text}");
    let told = first.told(&["why", "--sender", "<>"]);
    assert!(told.contains("asks   REQUIRETLS"), "{told}");
}

#[test]
fn it_crosses_verified_tls_and_both_servers_tell_so() {
    let ca = Authority::new("Test CA");
    let second = site(&ca, "[domains]\nlocal = ['example.com']\n").start();
    let first = first(&ca, &second, "tls = 'verified', ca = 'ca.pem'").start();
    let id = submit(&first, &ca, &["alice@example.com", "nobody@example.com"]);
    let arrived = second.arrived("example.com", "alice", 1);
    let text = String::from_utf8_lossy(&arrived[0]).replace("\n ", " ");
    assert!(text.contains("by mx.example.com (Mailsluice) with ESMTPS (TLSv1.3 "), "{text}");
    for server in [&first, &second] {
        let told = server.told(&["why", "--recipient", "alice@example.com"]);
        assert!(told.contains("asks   REQUIRETLS") && told.contains("over TLSv1.3"), "{told}");
        server.logged("held=false require_tls=true");
    }
    let told = first.told(&["why", &id]);
    assert!(told.contains(", verified"), "the connection to the second: {told}");
    // The second has refused the other recipient; the report of that is as secret as the message.
    report(&first, "5.1.1");
}

#[test]
fn a_server_that_does_not_promise_the_same_gets_nothing() {
    let ca = Authority::new("Test CA");
    let listener = format!("{LISTENER}requiretls = false\n");
    let second = site_with(&ca, &listener, "[domains]\nlocal = ['example.com']\n").start();
    let first = first(&ca, &second, "tls = 'verified', ca = 'ca.pem'").start();
    submit(&first, &ca, &["alice@example.com"]);
    report(&first, "5.7.30");
    first.logged("the sender requires TLS, and the server lacks REQUIRETLS");
    assert!(!second.log().contains("accepted"), "{}", second.log());
}

#[test]
fn a_server_that_can_not_be_verified_gets_nothing() {
    let ca = Authority::new("Test CA");
    let second = site(&ca, "[domains]\nlocal = ['example.com']\n").start();
    // Under TLS, and nobody has looked whose.
    let first = first(&ca, &second, "tls = 'required'").start();
    submit(&first, &ca, &["alice@example.com"]);
    report(&first, "5.7.30");
    first.logged("the sender requires TLS");
    assert!(!second.log().contains("accepted"), "{}", second.log());
}
