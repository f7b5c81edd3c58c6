//! The real server: STARTTLS and implicit TLS, what comes before the handshake, and certificates that change while it runs.

use super::authority::{Authority, Leaf};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::stream::trusting;
use crate::wait::eventually;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

/// One listener with STARTTLS, one that begins with the handshake, one that wants nothing before STARTTLS.
const LISTENERS: &str = "tls = { mode = 'starttls', certificate = 'c.pem', key = 'k.pem' }
[[listener]]
address = '127.0.0.1:0'
name = 'smtps'
tls = { mode = 'implicit', certificate = 'c.pem', key = 'k.pem' }
[[listener]]
address = '127.0.0.1:0'
name = 'strict'
tls = { mode = 'starttls', required = true, certificate = 'c.pem', key = 'k.pem' }
[domains]";

fn put(site: &Site, leaf: &Leaf) {
    for (name, text) in [("k.pem", &leaf.key), ("c.pem", &leaf.certificate)] {
        site.write(name, text);
        set_permissions(site.path(name), Permissions::from_mode(0o600)).unwrap();
    }
}

fn start() -> (Server, Authority, Arc<ClientConfig>) {
    let ca = Authority::new("Test CA");
    let site = Site::new(&Site::PLAIN.replace("[domains]", LISTENERS));
    put(&site, &ca.server(&["mx.example.com"]));
    let trust = trusting(&ca.certificate());
    (site.start(), ca, trust)
}

fn upgraded(server: &Server, listener: usize, trust: &Arc<ClientConfig>) -> SmtpClient {
    let mut client = SmtpClient::greeted(server.address(listener));
    client.command("STARTTLS").must_be(220);
    client.secure(trust);
    client
}

const LETTER: &str = "Subject: x\r\n\r\ny\r\n";

#[test]
fn mail_comes_in_encrypted_and_the_trace_says_so() {
    let (server, _, trust) = start();
    let mut client = upgraded(&server, 0, &trust);
    assert!(!client.command("EHLO client.example").must_be(250).lines.iter().any(|line| line == "STARTTLS"));
    let reply = client.deliver("a@client.example", &["alice@example.com"], LETTER).must_be(250);
    client.quit();
    assert!(server.told(&["why", reply.id()]).contains("over TLSv1.3"));
    assert_eq!(server.status().tls.handshakes["TLSv1.3"], 1);
    let mut client = SmtpClient::connect(server.address(1));
    client.secure(&trust);
    client.expect(220);
    client.command("EHLO client.example").must_be(250);
    client.deliver("a@client.example", &["bob@example.com"], LETTER).must_be(250);
    client.quit();
    for user in ["alice", "bob"] {
        let [message] = server.arrived("example.com", user, 1).try_into().expect("one message");
        let text = String::from_utf8(message).unwrap().replace("\n ", " ");
        assert!(text.contains(" with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id "), "{text}");
    }
}

#[test]
fn a_message_of_some_size_comes_through() {
    let (server, _, trust) = start();
    let mut client = upgraded(&server, 0, &trust);
    client.command("EHLO client.example").must_be(250);
    let letter = format!("Subject: x\r\n\r\n{}", "0123456789abcdef\r\n".repeat(60_000));
    client.deliver("a@client.example", &["alice@example.com"], &letter).must_be(250);
    client.quit();
    let [message] = server.arrived("example.com", "alice", 1).try_into().expect("one message");
    assert!(message.ends_with(&letter.replace('\r', "").as_bytes()[13..]));
}

/// CVE-2011-0411: what somebody puts behind the command in the clear must not be taken for a part of the encrypted session.
#[test]
fn what_comes_with_starttls_is_never_executed() {
    let (server, _, trust) = start();
    for behind in ["RSET\r\n", "MAIL FROM:<injected@client.example>\r\n", "EHLO injected.example\r\n", "\r\n", "x"] {
        let mut client = SmtpClient::greeted(server.address(0));
        client.send(format!("STARTTLS\r\n{behind}").as_bytes());
        client.expect(503);
        client.closed();
    }
    // What comes later, between the reply and the handshake, is no handshake.
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("STARTTLS").must_be(220);
    client.send(b"MAIL FROM:<injected@client.example>\r\n");
    assert!(client.try_secure(&trust).is_err());
    server.logged("the TLS handshake failed");
    let tls = server.status().tls;
    assert_eq!((tls.handshakes.len(), tls.failed), (0, 1), "{tls:?}");
}

#[test]
fn nothing_that_was_said_before_survives() {
    let (server, _, trust) = start();
    let mut client = upgraded(&server, 0, &trust);
    client.command("MAIL FROM:<a@client.example>").must_be(503);
    client.command("EHLO other.example").must_be(250);
    client.deliver("a@client.example", &["alice@example.com"], LETTER).must_be(250);
    client.command("STARTTLS").must_be(503);
    client.quit();
    let [message] = server.arrived("example.com", "alice", 1).try_into().expect("one message");
    let text = String::from_utf8(message).unwrap();
    assert!(text.contains("from other.example") && !text.contains("client.example ("), "{text}");
}

#[test]
fn where_it_is_required_there_is_no_mail_without() {
    let (server, _, trust) = start();
    let mut client = SmtpClient::greeted(server.address(2));
    client.command("MAIL FROM:<a@client.example>").must_be(530);
    client.command("STARTTLS now").must_be(501);
    client.command("STARTTLS").must_be(220);
    client.secure(&trust);
    client.command("EHLO client.example").must_be(250);
    client.deliver("a@client.example", &["alice@example.com"], LETTER).must_be(250);
    client.quit();
}

#[test]
fn who_speaks_smtp_where_the_handshake_comes_first_is_told_nothing() {
    let (server, ..) = start();
    let mut client = SmtpClient::connect(server.address(1));
    client.send(b"EHLO client.example\r\n");
    // What there is to read is an alert.
    assert!(!client.rest().starts_with(b"2"));
    server.logged("listener=\"smtps\"");
}

#[test]
fn new_certificates_come_into_force_without_an_end_of_sessions() {
    let (server, ca, trust) = start();
    let der = |leaf: &Leaf| CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap().to_vec();
    let mut before = upgraded(&server, 0, &trust);
    let mut waiting = SmtpClient::greeted(server.address(0));
    let fresh = ca.server(&["mx.example.com", "new.example.com"]);
    put(&server, &fresh);
    eventually("the new certificate", || {
        let client = upgraded(&server, 0, &trust);
        (client.shown() == Some(&der(&fresh)[..])).then_some(())
    });
    // Who had connected before has it with the handshake; who had done that goes on.
    waiting.command("STARTTLS").must_be(220);
    waiting.secure(&trust);
    assert_eq!(waiting.shown(), Some(&der(&fresh)[..]));
    before.command("EHLO client.example").must_be(250);
    before.deliver("a@client.example", &["alice@example.com"], LETTER).must_be(250);
    before.quit();
    // What can't be used changes nothing, and is told.
    let generation = server.status().generation;
    server.write("k.pem", &ca.server(&["mx.example.com"]).key);
    server.logged("this key is not the one of the certificate in");
    let mut client = upgraded(&server, 0, &trust);
    assert_eq!(client.shown(), Some(&der(&fresh)[..]));
    client.command("EHLO client.example").must_be(250);
    client.quit();
    assert_eq!(server.status().generation, generation);
}

#[test]
fn keys_are_not_kept_with_the_manifest() {
    let (server, ..) = start();
    let mut folders = vec![server.path("var")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(!path.ends_with("k.pem"), "{}", path.display());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}
