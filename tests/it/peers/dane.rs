//! DANE (RFC 7672) by zones that BIND's tools have really signed, from the root down to the TLSA record, and a next hop that is a
//! server of ours: what is proven is kept to, what is bogus is never taken for less than it is, what is not signed is not asked for more.

use super::bind::{Bind, Zones};
use crate::inside::{Inside, Plan};
use crate::logged::Logged;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::tls::authority::Authority;
use crate::wait::eventually;
use mailsluice::dns::SystemDns;
use mailsluice::transport::deliver::{Network, Stream};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fmt::Write;
use std::fs::{Permissions, set_permissions};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

/// Where all hosts of the zones are.
const HOST: &str = "192.0.2.25";
/// A digest of nothing that there is.
const OTHER: &str = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";

/// The way to that host leads to this server, whatever the port.
struct Way(SocketAddr);

#[async_trait::async_trait]
impl Network for Way {
    async fn connect(&self, address: SocketAddr, _: Option<IpAddr>) -> io::Result<Stream> {
        assert_eq!(address.to_string(), format!("{HOST}:25"));
        Ok(Stream::foreign(tokio::net::TcpStream::connect(self.0).await?))
    }
}

/// A server that takes mail for all of the domains, and the digest of its certificate.
fn destination() -> (Server, String) {
    let listener =
        "tls = { mode = 'starttls', certificate = 'c.pem', key = 'k.pem' }\n[domains]\nlocal = ['*.example']\n";
    let domains = ["good", "other", "forged", "moved", "plain", "stale"].map(|name| format!("\"{name}.example\""));
    let local = format!("local = [{}]", domains.join(", "));
    let config = format!("[[listener]]\naddress = \"127.0.0.1:0\"\n{listener}[limits]\nfree-space = \"0 B\"\n");
    let site = Site::new(&config.replace("local = ['*.example']", &local));
    let leaf = Authority::new("Nobody's CA").server(&["mx.good.example"]);
    for (name, text) in [("k.pem", &leaf.key), ("c.pem", &leaf.certificate)] {
        site.write(name, text);
        set_permissions(site.path(name), Permissions::from_mode(0o600)).unwrap();
    }
    let certificate = CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate);
    let digest = digest.as_ref().iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02X}").unwrap();
        text
    });
    (site.start(), digest)
}

/// The records of a domain under `example.`, whose host has this TLSA record.
fn domain(name: &str, digest: &str) -> String {
    format!("{name} MX 10 mx.{name}\nmx.{name} A {HOST}\n_25._tcp.mx.{name} TLSA 3 0 1 {digest}\n")
}

/// The zones, signed but for `plain.example.`, whose parent proves that it is not.
fn serve(digest: &str) -> Option<Bind> {
    let mut zones = Zones::new()?;
    let own = |digest: &str| format!("@ MX 10 mx\nmx A {HOST}\n_25._tcp.mx TLSA 3 0 1 {digest}\n");
    zones.plain("plain.example", &own(OTHER));
    zones.stale("stale.example", &own(digest));
    let below = "ns A 127.0.0.1\nplain NS ns\nstale NS ns\n";
    let domains = [("good", digest), ("other", OTHER), ("forged", OTHER), ("moved", digest)];
    let domains: String = domains.iter().map(|(name, digest)| domain(name, digest)).collect();
    zones.signed("example", &format!("{below}{domains}"));
    zones.signed(".", "example. NS ns.example.\nns.example. A 127.0.0.1\n");
    // Somebody on the way would have his own certificate taken, or himself for the host.
    zones.tamper("example", "_25._tcp.mx.forged.example.", "TLSA", &format!("3 0 1 {digest}"));
    zones.tamper("example", "moved.example.", "MX", "10 mx.good.example.");
    Some(zones.serve())
}

/// A server that finds hosts by those zones.
fn sender(bind: &Bind, destination: &Server) -> Inside {
    let dns = SystemDns::asking(bind.address, &bind.zones.anchor()).unwrap();
    let config = Site::PLAIN.replace("[domains]", "[domains]\nrelay-from = [\"127.0.0.0/8\"]");
    Plan::new(&config).internet(Arc::new(dns), Arc::new(Way(destination.address(0)))).start()
}

fn send(server: &Inside, domain: &str) -> String {
    let mut client = SmtpClient::greeted(server.address(0));
    let letter = format!("Subject: to {domain}\r\n\r\nx\r\n");
    let accepted = client.deliver("a@client.example", &[&format!("b@{domain}")], &letter).must_be(250);
    client.quit();
    accepted.id().to_owned()
}

/// Waits for the first attempt at a message, which has to end in a deferral with this in its account; lines of the log have all of those.
fn deferred(server: &Inside, lines: &Logged, id: &str, why: &str, logged: &[&str]) {
    let recipient = eventually(&format!("an attempt at the mail that is put off for: {why}"), || {
        let recipient = server.account(id).recipients.remove(0);
        recipient.last.is_some().then_some(recipient)
    });
    let told = recipient.last.unwrap().to_string();
    assert!(recipient.state == "pending" && told.contains(why), "{}: {told}\n{}", recipient.state, lines.text());
    let is_there = |line: &str| logged.iter().all(|text| line.contains(text));
    assert!(lines.text().lines().any(is_there), "{logged:?} in {}", lines.text());
}

#[test]
fn signed_zones_decide_who_gets_mail() {
    let (destination, digest) = destination();
    let Some(bind) = serve(&digest) else { return };
    let lines = Logged::here();
    let server = sender(&bind, &destination);

    send(&server, "good.example");
    let [arrived] = destination.arrived("good.example", "b", 1).try_into().expect("one message");
    assert!(String::from_utf8_lossy(&arrived).contains("with ESMTPS (TLSv1.3 "));
    assert!(lines.text().contains("answers for routes are validated (DNSSEC)"), "{}", lines.text());

    // It is proven that there is no proof: as anywhere without DANE, also if the record says something else.
    send(&server, "plain.example");
    destination.arrived("plain.example", "b", 1);

    let id = send(&server, "other.example");
    let why = "TLS failed: the server's certificate is none that its TLSA records name";
    deferred(&server, &lines, &id, why, &["WARN", "mx.other.example", why]);
    // What is bogus is no answer, neither for the record nor for the way there.
    let bogus = "DNSSEC validation failed";
    let id = send(&server, "forged.example");
    deferred(&server, &lines, &id, bogus, &["WARN", "_25._tcp.mx.forged.example", bogus]);
    for domain in ["moved.example", "stale.example"] {
        let id = send(&server, domain);
        deferred(&server, &lines, &id, bogus, &["WARN", domain, bogus]);
    }
    for domain in ["other", "forged", "moved", "stale"] {
        assert!(!destination.path(&format!("var/mail/{domain}.example")).exists(), "{domain}");
    }
}

/// The key of somebody else's root proves nothing, and while `delivery.dane` says that there are proofs, mail waits for them.
#[test]
fn zones_under_another_root_prove_nothing() {
    let (destination, digest) = destination();
    let Some(bind) = serve(&digest) else { return };
    let Some(mut other) = Zones::new() else { return };
    other.signed(".", "ns.example. A 127.0.0.1\n");
    let dns = Arc::new(SystemDns::asking(bind.address, &other.anchor()).unwrap());
    let lines = Logged::here();
    let config = Site::PLAIN.replace("[domains]", "[domains]\nrelay-from = [\"127.0.0.0/8\"]");
    let config = format!("{config}[delivery]\ndane = true\n");
    let network = Arc::new(Way(destination.address(0)));
    let server = Plan::new(&config).internet(dns, network).start();
    let id = send(&server, "good.example");
    let why = "the name servers hand no signatures on, and `delivery.dane` says that they do";
    deferred(&server, &lines, &id, why, &["WARN", "mx.good.example", why]);
    assert!(!destination.path("var/mail").exists());
}
