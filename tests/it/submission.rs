//! The submission role, and that nothing of it is done for others. Who has authenticated, a trusted proxy says with XCLIENT.

use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::SmtpClient;

fn with(listener: &str) -> Inside {
    let config = Site::PLAIN.replace("[domains]", &format!("xclient-from = [\"127.0.0.1\"]\n{listener}\n[domains]"));
    Plan::new(&config).start()
}

/// A session of this user.
fn of(server: &Inside, user: &str) -> SmtpClient {
    let mut client = SmtpClient::greeted(server.address(0));
    client.command(&format!("XCLIENT ADDR=192.0.2.7 LOGIN={user}")).must_be(220);
    client.command("EHLO client.example").must_be(250);
    client
}

const BARE: &str = "From: boss@example.com\r\nReturn-Path: <x@y.example>\r\nBcc: bob@example.com\r\n\r\nHello.\r\n";

#[test]
fn users_send_from_their_own_addresses() {
    let server = with("role = \"submission\"");
    let mut client = of(&server, "alice");
    let refused = client.command("MAIL FROM:<bob@example.com>").must_be(553);
    assert!(refused.lines[0].starts_with("5.7.1 You may not send from this address"), "{refused:?}");
    for sender in ["alice@example.com", "Alice+news@example.com", ""] {
        client.command(&format!("MAIL FROM:<{sender}>")).must_be(250);
        client.command("RCPT TO:<b@elsewhere.example>").must_be(250);
        client.command("RSET").must_be(250);
    }
    let mut client = of(&server, "carol@elsewhere.example");
    client.command("MAIL FROM:<carol@elsewhere.example>").must_be(250);
    let server = with("role = \"submission\"\nsender-check = \"off\"");
    of(&server, "alice").command("MAIL FROM:<bob@example.com>").must_be(250);
}

#[test]
fn domains_of_one_word_are_refused() {
    let server = with("role = \"submission\"");
    let mut client = of(&server, "alice@box");
    client.command("MAIL FROM:<alice@box>").must_be(554);
    client.command("MAIL FROM:<>").must_be(250);
    client.command("RCPT TO:<bob@box>").must_be(554);
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    client.command("DATA").must_be(354);
    client.content("From: alice@box\r\n\r\nx\r\n");
    client.expect(554);
}

#[test]
fn headers_are_mended_before_anybody_sees_them() {
    let server = with("role = \"submission\"");
    of(&server, "alice").deliver("alice@example.com", &["bob@example.com"], BARE).must_be(250);
    let [message] = server.arrived("bob", 1).try_into().unwrap();
    for field in ["\nSender: alice@example.com\n", "\nDate: ", "\nMessage-ID: <", "\nBcc: bob@example.com\n"] {
        assert!(message.contains(field), "{field} in {message}");
    }
    assert!(!message.contains("x@y.example"), "{message}");
    let server = with("role = \"submission\"\nrepair-headers = false");
    of(&server, "alice").deliver("alice@example.com", &["bob@example.com"], BARE).must_be(250);
    let [message] = server.arrived("bob", 1).try_into().unwrap();
    assert!(!message.contains("\nDate: ") && message.contains("x@y.example"), "{message}");
}

#[test]
fn the_mx_role_does_nothing_of_it() {
    let server = with("");
    let mut client = of(&server, "alice");
    client.command("MAIL FROM:<bob@box>").must_be(250);
    client.command("RSET").must_be(250);
    let headers = "From: boss@box\r\nReturn-Path: <x@y.example>\r\n\r\nHello.\r\n";
    client.deliver("bob@box", &["bob@example.com"], headers).must_be(250);
    let [message] = server.arrived("bob", 1).try_into().unwrap();
    assert!(message.ends_with("From: boss@box\nReturn-Path: <x@y.example>\n\nHello.\n"), "{message}");
}
