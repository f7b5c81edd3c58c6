//! Clients behind proxies: PROXY headers, XCLIENT and XFORWARD, with the server around them.

use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::stream::trusting;
use crate::tls::authority::Authority;
use mailsluice::intake::Account;

/// A server whose listener has these lines, too.
fn with(listener: &str, manifest: &str) -> Inside {
    let config = Site::PLAIN.replace("[domains]", &format!("{listener}\n[domains]\nrelay-from = [\"203.0.113.0/24\"]"));
    Plan::new(&config).manifest(manifest).start()
}

const TRUSTED: &str = "proxy-protocol = [\"127.0.0.0/8\"]";
const LINE: &[u8] = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 25\r\n";
/// Nobody is refused, and whoever is says how the server sees him.
const TELL: &str = r#"
[[sink]]
name = "tell"
native = "policy"
[[sink.config.rule]]
event = "in.connect"
when = { client = "192.0.2.66" }
reject = "Not you"
[[sink.config.rule]]
event = "in.mail"
when = { property = { "proxy.authority" = "mx.example.com", "proxy.tls" = "TLSv1.3" } }
reject = "Seen by the proxy"
"#;

fn v2(kind: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[kind, family][..], &len, rest].concat()
}

fn greeted(server: &Inside, header: &[u8]) -> SmtpClient {
    let mut client = SmtpClient::connect(server.address(0));
    client.send(header);
    client.expect(220);
    client.command("EHLO client.example").must_be(250);
    client
}

/// Sends a message to somebody elsewhere, which only a client of `relay-from` may, and one to alice.
fn account(server: &Inside, client: &mut SmtpClient) -> Account {
    let reply = client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\ny\r\n").must_be(250);
    server.account(reply.id())
}

#[test]
fn the_client_is_whom_the_header_names() {
    let server = with(TRUSTED, TELL);
    let mut client = greeted(&server, LINE);
    let account = account(&server, &mut client);
    assert_eq!(account.origin.client, Some("203.0.113.7".parse().unwrap()));
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<b@elsewhere.example>").must_be(250);
    let [message] = server.arrived("alice", 1).try_into().unwrap();
    assert!(message.contains("Received: from client.example ([203.0.113.7])"), "{message}");

    let six = [[0x20, 1, 0xd, 0xb8], [0; 4], [0; 4], [0, 0, 0, 7]].concat();
    let six = [&six[..], &six, &[0, 1, 0, 25]].concat();
    let mut client = greeted(&server, &v2(0x21, 0x21, &six));
    assert_eq!(self::account(&server, &mut client).origin.client, Some("2001:db8::7".parse().unwrap()));
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<b@elsewhere.example>").must_be(550);
}

#[test]
fn the_header_comes_in_plain_before_the_handshake_where_tls_comes_first() {
    let ca = Authority::new("Test CA");
    let leaf = ca.server(&["mx.example.com"]);
    let tls = "tls = { mode = 'implicit', certificate = 'c.pem', key = 'k.pem' }";
    let config = Site::PLAIN.replace("[domains]", &format!("{TRUSTED}\n{tls}\n[domains]"));
    let server = Plan::new(&config).file("c.pem", &leaf.certificate).file("k.pem", &leaf.key).start();
    let trust = trusting(&ca.certificate());
    for header in [LINE.to_vec(), v2(0x21, 0x11, &[203, 0, 113, 7, 198, 51, 100, 1, 0x12, 0x67, 0, 25])] {
        let mut client = SmtpClient::connect(server.address(0));
        client.send(&header);
        client.secure(&trust);
        client.expect(220);
        client.command("EHLO client.example").must_be(250);
        let account = account(&server, &mut client);
        assert_eq!(account.origin.client, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(account.origin.tls_version(), Some("TLSv1.3"));
    }
    // Without it there is no handshake, and within TLS it is what any client could say.
    let mut client = SmtpClient::connect(server.address(0));
    assert!(client.try_secure(&trust).is_err());
    let mut client = SmtpClient::connect(server.address(0));
    client.send(LINE);
    client.secure(&trust);
    client.expect(220);
    client.command("PROXY TCP4 192.0.2.66 198.51.100.1 4711 25").must_be(500);
}

#[test]
fn rules_and_sinks_see_what_the_header_says() {
    let server = with(TRUSTED, TELL);
    let mut client = SmtpClient::connect(server.address(0));
    client.send(b"PROXY TCP4 192.0.2.66 198.51.100.1 4711 25\r\n");
    client.expect(554);
    let address = [203, 0, 113, 7, 198, 51, 100, 1, 0x12, 0x67, 0, 25];
    let tlvs = [&b"\x02\0\x0emx.example.com\x05\0\x02ab\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.3"[..]].concat();
    let mut client = greeted(&server, &v2(0x21, 0x11, &[&address[..], &tlvs].concat()));
    assert!(client.command("MAIL FROM:<a@client.example>").must_be(550).lines[0].contains("Seen by the proxy"));
}

#[test]
fn the_proxy_s_own_connections_come_from_the_proxy() {
    let server = with(TRUSTED, "");
    for header in [v2(0x20, 0, b""), b"PROXY UNKNOWN\r\n".to_vec(), v2(0x21, 0, b"")] {
        let mut client = greeted(&server, &header);
        assert_eq!(account(&server, &mut client).origin.client, Some("127.0.0.1".parse().unwrap()));
    }
}

#[test]
fn connections_are_counted_by_the_client_behind_the_proxy() {
    let config = Site::PLAIN
        .replace("[domains]", &format!("{TRUSTED}\n[domains]"))
        .replace("[limits]", "[limits]\nconnections-per-client = 1");
    let server = Plan::new(&config).start();
    let _first = greeted(&server, LINE);
    let mut second = SmtpClient::connect(server.address(0));
    second.send(LINE);
    second.expect(421);
    greeted(&server, b"PROXY TCP4 203.0.113.8 198.51.100.1 4711 25\r\n");
}

/// The log's words are those of the real server.
#[test]
fn who_sends_no_header_or_is_no_proxy_is_closed_and_the_log_says_why() {
    let site = |listener: &str| Site::new(&Site::PLAIN.replace("[domains]", &format!("{listener}\n[domains]"))).start();
    let server = site(TRUSTED);
    for (octets, why) in [
        (&b"EHLO client.example\r\n"[..], "it does not begin with a PROXY header"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 x\r\n", "its PROXY line is malformed"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", "its PROXY header is too long"),
    ] {
        let before = server.log().len();
        let mut client = SmtpClient::connect(server.address(0));
        client.send(octets);
        client.closed();
        server.logged_since(before, why);
        server.logged_since(before, "peer=127.0.0.1");
    }
    let server = site("proxy-protocol = [\"192.0.2.1\"]");
    let client = SmtpClient::connect(server.address(0));
    client.closed();
    server.logged("it is from none of the proxies in `proxy-protocol`");
}

#[test]
fn where_no_header_is_wanted_it_is_no_command() {
    let server = with("", "");
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    client.send(LINE);
    client.expect(500);
}

#[test]
fn a_client_named_with_xclient_is_the_client_everywhere() {
    let server = with("xclient-from = [\"127.0.0.1\"]", TELL);
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("XCLIENT NAME=spike.example ADDR=203.0.113.7 LOGIN=bob").must_be(220);
    client.command("EHLO client.example").must_be(250);
    let account = account(&server, &mut client);
    assert_eq!(account.origin.client, Some("203.0.113.7".parse().unwrap()));
    assert_eq!(account.origin.client_name.as_deref(), Some("spike.example"));
    assert_eq!(account.origin.auth.as_deref(), Some("bob"));
    let [message] = server.arrived("alice", 1).try_into().unwrap();
    assert!(message.contains("from client.example (spike.example [203.0.113.7])"), "{message}");
    assert!(message.contains("with ESMTPA"), "{message}");
    // The name and the login are those of this client and no other.
    client.command("XCLIENT ADDR=203.0.113.8 LOGIN=[UNAVAILABLE]").must_be(220);
    client.command("EHLO client.example").must_be(250);
    let next = self::account(&server, &mut client);
    assert_eq!((next.origin.client_name, next.origin.auth), (None, None));
    // What the server may relay for is asked of the client, and no more of the proxy.
    client.command("XCLIENT ADDR=[UNAVAILABLE]").must_be(220);
    client.command("EHLO client.example").must_be(250);
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<b@elsewhere.example>").must_be(550);
}

#[test]
fn in_connect_is_raised_again_for_the_new_client() {
    let server = with("xclient-from = [\"127.0.0.1\"]", TELL);
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("XCLIENT ADDR=192.0.2.66").must_be(554);
    client.closed();
}

#[test]
fn what_was_forwarded_stays_with_the_message_and_with_no_other() {
    let server = with("xforward-from = [\"127.0.0.1\"]", "");
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("XFORWARD NAME=spike.example ADDR=IPV6:2001:db8::7 IDENT=4F2A").must_be(250);
    let first = account(&server, &mut client);
    let told = |account: &Account, key: &str| account.properties.get("xforward", key).cloned();
    assert_eq!(told(&first, "addr"), Some("2001:db8::7".into()));
    assert_eq!(told(&first, "ident"), Some("4F2A".into()));
    assert_eq!(first.origin.client, Some("127.0.0.1".parse().unwrap()));
    let second = account(&server, &mut client);
    assert_eq!(told(&second, "addr"), None, "the facts were those of one message");
}
