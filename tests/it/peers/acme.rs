//! Certificates from Pebble: fetched by either challenge, renewed in their time, kept when the authority can't or won't.

use super::pebble::{KEY, KEY_ID, Manners, Pebble, Places};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::stream::trusting;
use crate::tls::authority::{Authority, Wanted};
use crate::wait::eventually;
use rustls::ClientConfig;
use std::fs::{Permissions, metadata, set_permissions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

const LETTER: &str = "Subject: x\r\n\r\ny\r\n";
const KEPT: &str = "var/acme/mx.example.com.pem";
const FETCHED: &str = "a certificate was fetched";

/// A site with these names at a listener with STARTTLS, and with this beside what every `[acme]` has.
fn site(places: &Places, names: &str, acme: &str) -> Site {
    let site = Site::new(&config(places, &format!("tls = {{ mode = 'starttls', acme = {names} }}"), acme));
    site.write("ca.pem", &places.ca());
    site
}

fn config(places: &Places, listener: &str, acme: &str) -> String {
    let directory = places.directory();
    let acme = format!("[acme]\ndirectory = '{directory}'\naccept-terms = true\nca-file = 'ca.pem'\n{acme}\n");
    Site::PLAIN.replace("[domains]", &format!("{listener}\n{acme}[domains]"))
}

fn http(places: &Places) -> String {
    format!("http-listen = '{}'", places.http)
}

/// Puts a certificate there that is to be renewed by now.
fn ends_soon(site: &Site) -> Authority {
    let ca = Authority::new("Test CA");
    let leaf = ca.issue(&Wanted { names: &["mx.example.com"], from: -80, to: 5, ..Wanted::default() });
    site.write(KEPT, &format!("{}{}", leaf.key, leaf.certificate));
    set_permissions(site.path(KEPT), Permissions::from_mode(0o600)).unwrap();
    ca
}

fn secured(address: SocketAddr, trust: &Arc<ClientConfig>) -> SmtpClient {
    let mut client = SmtpClient::greeted(address);
    client.command("STARTTLS").must_be(220);
    client.secure(trust);
    client
}

/// What is shown once it is what Pebble has issued.
fn shown(server: &Server, pebble: &Pebble) -> (Arc<ClientConfig>, Vec<u8>) {
    let trust = trusting(&pebble.root());
    let certificate = eventually("the certificate in force", || {
        let mut client = SmtpClient::greeted(server.address(0));
        if !offers_tls(&mut client) {
            return None;
        }
        if client.command("STARTTLS").code != 220 {
            return None;
        }
        client.try_secure(&trust).ok()?;
        client.shown().map(<[u8]>::to_vec)
    });
    (trust, certificate)
}

fn offers_tls(client: &mut SmtpClient) -> bool {
    client.command("EHLO client.example").must_be(250).lines.iter().any(|line| line == "STARTTLS")
}

#[test]
fn by_http_01_once_the_authority_is_there_and_anew_when_asked_for() {
    let Some(places) = Places::new() else { return };
    let server = site(&places, "['mx.example.com', 'mail.example.com']", &http(&places)).start();
    server.logged("no certificate, and there is none that counts");
    let mut client = SmtpClient::greeted(server.address(0));
    assert!(!offers_tls(&mut client), "there is nothing to show");
    client.command("STARTTLS").must_be(502);
    let [line] = server.status().certificates.try_into().expect("one certificate");
    assert!(line.expires.is_none() && line.error.is_some() && line.next_try > line.last_try, "{line:?}");
    assert!(server.told(&["status"]).contains("mx.example.com: NONE YET, FAILED at "));

    let pebble = places.start(Manners::default());
    assert!(server.told(&["renew", "mx.example.com"]).contains("mx.example.com: the authority is being asked"));
    let (trust, first) = shown(&server, &pebble);
    assert_eq!(metadata(server.path(KEPT)).unwrap().permissions().mode() & 0o777, 0o600);
    let mut open = secured(server.address(0), &trust);
    open.command("EHLO client.example").must_be(250);
    // Who had connected before hears of it with the next EHLO.
    assert!(offers_tls(&mut client));

    server.told(&["renew"]);
    eventually("another certificate", || {
        let client = secured(server.address(0), &trust);
        (client.shown() != Some(&first[..])).then_some(())
    });
    open.deliver("a@client.example", &["alice@example.com"], LETTER).must_be(250);
    open.quit();
    let [line] = server.status().certificates.try_into().expect("one certificate");
    assert!(line.error.is_none() && line.expires > line.next_try && line.names.len() == 2, "{line:?}");

    // What has been fetched is there after a restart, and nobody is asked.
    let before = std::fs::read(server.path(KEPT)).unwrap();
    let server = server.stop().start();
    eventually("what is known", || server.status().certificates.first().and_then(|line| line.next_try));
    drop(secured(server.address(0), &trust));
    assert!(!server.log().contains("asking for a certificate"), "{}", server.log());
    assert_eq!(std::fs::read(server.path(KEPT)).unwrap(), before);
}

#[test]
fn the_responder_knows_nothing_but_what_is_asked_for() {
    let Some(places) = Places::new() else { return };
    let server = site(&places, "'mx.example.com'", &http(&places)).start();
    for request in
        ["GET /.well-known/acme-challenge/none HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(places.http).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("\r\n\r\n"), "{request}: {answer}");
    }
    drop(server);
}

#[test]
fn by_tls_alpn_01_at_the_listener_that_begins_with_the_handshake() {
    let Some(places) = Places::new() else { return };
    let smtps =
        format!("[[listener]]\naddress = '{}'\ntls = {{ mode = 'implicit', acme = 'mx.example.com' }}\n", places.tls);
    let listener = format!("tls = {{ mode = 'starttls', required = true, acme = 'mx.example.com' }}\n{smtps}");
    let site = Site::new(&config(&places, &listener, "challenges = 'tls-alpn-01'"));
    site.write("ca.pem", &places.ca());
    let server = site.start();
    server.logged("no certificate, and there is none that counts");
    // Without a certificate there is an alert, or 454 where there is no mail without TLS.
    let pebble = places.start(Manners::default());
    let trust = trusting(&pebble.root());
    assert!(SmtpClient::connect(places.tls).try_secure(&trust).is_err());
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("STARTTLS").must_be(454);
    client.command("MAIL FROM:<a@client.example>").must_be(530);
    server.told(&["renew"]);
    shown(&server, &pebble);
    let mut client = SmtpClient::connect(places.tls);
    client.secure(&trust);
    client.expect(220);
    client.command("EHLO client.example").must_be(250);
    client.quit();
}

#[test]
fn by_tls_alpn_01_at_an_address_of_its_own() {
    let Some(places) = Places::new() else { return };
    let pebble = places.start(Manners::default());
    let server = site(&places, "'mx.example.com'", &format!("tls-alpn-listen = '{}'", places.tls)).start();
    let (trust, _) = shown(&server, &pebble);
    // Nobody else gets anything there.
    assert!(SmtpClient::connect(places.tls).try_secure(&trust).is_err());
}

#[test]
fn what_ends_soon_is_renewed_by_itself_and_customers_are_known_whatever_becomes_of_nonces() {
    let Some(places) = Places::new() else { return };
    let pebble = places.start(Manners { nonces: 20, binding: true, ..Manners::default() });
    let binding = format!("account-binding = {{ key-id = '{KEY_ID}', key = {{ secret = 'eab' }} }}");
    let acme = format!("contact = 'postmaster@example.com'\n{}\n{binding}\n[log]\nlevel = 'debug'", http(&places));
    let site = site(&places, "'mx.example.com'", &acme);
    site.write("secrets/eab", KEY);
    ends_soon(&site);
    let server = site.start();
    let (trust, _) = shown(&server, &pebble);
    let mut renewals = 1;
    while !server.log().contains("badNonce") {
        server.told(&["renew"]);
        renewals += 1;
        eventually("one more", || (server.log().matches(FETCHED).count() >= renewals).then_some(()));
    }
    drop(secured(server.address(0), &trust));
}

#[test]
fn an_authority_that_wants_to_be_left_alone_is() {
    let authority = TcpListener::bind("127.0.0.1:0").unwrap();
    let acme = format!(
        "[acme]\ndirectory = 'http://{}/'\naccept-terms = true\nhttp-listen = '127.0.0.1:0'\n",
        authority.local_addr().unwrap()
    );
    let tls = "tls = { mode = 'starttls', acme = 'mx.example.com' }";
    let server = Site::new(&Site::PLAIN.replace("[domains]", &format!("{tls}\n{acme}[domains]"))).start();
    let (mut stream, _) = authority.accept().unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    stream.write_all(b"HTTP/1.1 503 Busy\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n").unwrap();
    let line = eventually("the failure", || {
        server.status().certificates.into_iter().find(|line| line.error.is_some() && !line.trying)
    });
    assert_eq!(line.error.as_deref(), Some("the authority answers with HTTP status 503"));
    let pause = line.next_try.unwrap().since(line.last_try.unwrap());
    assert!(pause >= Duration::from_secs(86_400), "{line:?}");
}

#[test]
fn an_authority_that_refuses_changes_nothing() {
    let Some(places) = Places::new() else { return };
    let _pebble = places.start(Manners { blind: true, ..Manners::default() });
    let site = site(&places, "'mx.example.com'", &http(&places));
    let trust = trusting(&ends_soon(&site).certificate());
    let before = std::fs::read(site.path(KEPT)).unwrap();
    let server = site.start();
    drop(secured(server.address(0), &trust));
    server.logged("no new certificate; the old one stays");
    drop(secured(server.address(0), &trust));
    assert_eq!(std::fs::read(server.path(KEPT)).unwrap(), before);
    let [line] = server.status().certificates.try_into().expect("one certificate");
    let error = line.error.as_deref().unwrap_or_default();
    assert!(error.contains("does not believe in mx.example.com") && line.expires.is_some(), "{line:?}");
    // A server that is started again does not ask again before its time.
    let (next, server) = (line.next_try, server.kill().start());
    let again = eventually("what is known", || server.status().certificates.into_iter().next());
    assert_eq!((again.next_try, again.trying), (next, false));
    assert!(!server.log().contains("asking for a certificate"), "{}", server.log());
}
