//! Postfix as a next hop that wants TLS.

use super::letter;
use super::postfix::Postfix;
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use rcgen::{CertificateParams, KeyPair};

/// A certificate and its key in PEM.
fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn postfix_gets_our_mail_under_verified_tls_and_nothing_if_it_is_another() {
    let (pem, key) = certificate("postfix.peer.example");
    let dir = tempfile::tempdir().unwrap();
    let chain = dir.path().join("chain.pem");
    std::fs::write(&chain, format!("{key}{pem}")).unwrap();
    let settings = format!(
        "virtual_mailbox_domains = dest.example, other.example\nsmtpd_tls_security_level = encrypt\n\
         smtpd_tls_chain_files = {}\nsmtpd_tls_received_header = yes",
        chain.display()
    );
    let Some(postfix) = Postfix::start(&settings) else { return };
    let route = |domain: &str, name: &str| {
        let to = format!(
            "{{ smtp = \"{}\", tls = \"verified\", ca = \"ca.pem\", names = [\"{name}\"] }}",
            postfix.address()
        );
        format!("\n[[route]]\ndomain = \"{domain}\"\nto = {to}\n")
    };
    let config = Site::PLAIN.replace("[domains]", "[domains]\nrelay-to = [\"dest.example\", \"other.example\"]");
    let routes = route("dest.example", "postfix.peer.example") + &route("other.example", "another.example");
    let site = Site::new(Site::PLAIN);
    site.write("ca.pem", &pem);
    site.configure(&(config + &routes));
    let server = site.start();
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("sender@client.example", &["carol@other.example"], &letter("to-another")).must_be(250);
    client.deliver("sender@client.example", &["carol@dest.example"], &letter("under-tls")).must_be(250);
    client.quit();
    let arrived = postfix.arrived(1);
    let text = String::from_utf8_lossy(&arrived[0]);
    assert!(text.contains("Subject: under-tls") && text.contains("using TLSv1.3"), "{text}");
    server.logged("TLS failed");
    assert_eq!(postfix.arrived(1).len(), 1, "the other is not for this Postfix");
}
